"""What the tests of single faults share: load while it strikes, then rest, then the invariants."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from tests.chaos.stage import Stage

REST_S = 25.0


@asynccontextmanager
async def loaded(stage: Stage, *, at_least: int = 60, long: float = 0) -> AsyncIterator[None]:
    """Every process runs, and lanes send, while the block runs; afterwards every promise was kept."""
    await stage.fleet.until_up()
    seen = len(stage.fleet.crashes)
    async with stage.load(stage.make_lanes("storm", 8, pace_s=0.05, long=long, long_steps=10), at_least=at_least):
        yield
    verdict = await stage.rest(REST_S)
    assert verdict.violations == [], verdict.violations
    assert verdict.counts == {"lost": 0, "doubled": 0, "unfinished": 0, "halted-lost": 0}
    assert stage.fleet.crashes[seen:] == [], stage.fleet.crashes
    assert set(stage.history.statuses) <= {200, 403, 503}, stage.history.statuses
    assert stage.history.count("unknown") == 0


async def strike_until_sprung(stage: Stage, fault: str, strike: Awaitable[None]) -> None:
    """Let a fault happen at its named point."""
    before = sum(count for name, count in stage.injector.figures.sprung.items() if name.startswith(fault))
    await strike
    after = sum(count for name, count in stage.injector.figures.sprung.items() if name.startswith(fault))
    assert after == before + 1, f"nobody passed the point of {fault}"
