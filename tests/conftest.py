"""What every test may ask for: running servers, and a house on a fresh database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from jobgate.embedded import Servers, start_scratch_servers
from jobgate.testing import House, open_house

MakeHouse = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Postgres and Valkey of this test process."""
    with start_scratch_servers() as servers:
        yield servers


@pytest.fixture
async def house(servers: Servers) -> AsyncIterator[House]:
    """A gateway on a fresh database."""
    async with open_house(servers) as house:
        yield house


@pytest.fixture
def make_house(servers: Servers) -> MakeHouse:
    """Houses with settings, actions or tasks of the test's own."""

    @asynccontextmanager
    async def make(**overrides: Any) -> AsyncIterator[House]:
        async with open_house(servers, **overrides) as house:
            yield house

    return make
