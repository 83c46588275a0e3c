"""What every test may ask for: running servers, and a house on a fresh database."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest

from jobgate.embedded import Servers, start_scratch_servers
from jobgate.testing import House, open_house

MakeHouse = Callable[..., AbstractAsyncContextManager[House]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make test ARGS="--postgres FOLDER --redis FOLDER"` tries other versions than those of the wheels."""
    for name in ("postgres", "redis"):
        parser.addoption(f"--{name}", type=Path, metavar="FOLDER", help=f"the folder with the programs of {name}")


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> Iterator[Servers]:
    """Postgres and Valkey of this test process."""
    chosen = {name: pytestconfig.getoption(f"--{name}") for name in ("postgres", "redis")}
    with start_scratch_servers(postgres_folder=chosen["postgres"], valkey_folder=chosen["redis"]) as servers:
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


@pytest.fixture
def wild_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of this process, as jobgate reads it, jumps between ten minutes ahead and ten minutes behind."""
    dice = random.Random(22)
    read = time.time

    class WildDatetime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + timedelta(seconds=dice.choice((600, -600)))

    monkeypatch.setattr(time, "time", lambda: read() + dice.choice((600, -600)))
    for name, module in list(sys.modules.items()):
        is_caller = name in ("jobgate.testing", "jobgate.client")  # who has a clock of its own
        if name.startswith("jobgate.") and not is_caller and getattr(module, "datetime", None) is datetime:
            monkeypatch.setattr(module, "datetime", WildDatetime)
