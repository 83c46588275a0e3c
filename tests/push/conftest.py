"""A house whose targets are on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from jobgate.embedded import Servers
from jobgate.testing import House, open_house
from tests.push.sending import ALLOWED


@pytest.fixture
async def house(servers: Servers) -> AsyncIterator[House]:
    """A gateway on a fresh database that lets 127.0.0.1 be pushed to."""
    async with open_house(servers, **ALLOWED) as house:
        yield house
