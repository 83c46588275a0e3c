"""A house for tests that only look."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from jobgate.embedded import Servers
from jobgate.testing import House, open_house
from tests.stored_jobs import queue


@pytest.fixture(scope="module")
async def shared_house(servers: Servers) -> AsyncIterator[House]:
    """A house with one completed job, for many tests."""
    async with open_house(servers) as house:
        await queue(house)
        yield house
