"""A house whose own sweeper keeps still: these tests move time themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from jobgate.testing import House
from tests.conftest import MakeHouse


@pytest.fixture
async def still(make_house: MakeHouse) -> AsyncIterator[House]:
    """A gateway on a fresh database."""
    async with make_house(sweep_s=3600) as house:
        yield house
