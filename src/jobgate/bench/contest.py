"""One row of the bench: two sides that take turns."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple

from jobgate.bench.stage import Stage
from jobgate.bench.table import Mark, Result

WORKER = "worker"
"""The name of the process whose memory is watched."""

Side = Callable[[], Awaitable[float]]
"""Plays one round; the rate a second."""


class Sides(NamedTuple):
    """Ready to play."""

    ours: Side
    peer: Side


@dataclass(frozen=True, slots=True)
class Contest:
    """A mark, and how to find out whether it holds."""

    mark: Mark
    unit: str
    open: Callable[[Stage], AbstractAsyncContextManager[Sides]]


async def play(contest: Contest, stage: Stage, rounds: int) -> Result:
    """Warm both sides up, then let them alternate: who begins changes with every round."""
    ours: list[float] = []
    peer: list[float] = []
    async with contest.open(stage) as sides:
        await sides.ours()
        await sides.peer()
        for number in range(rounds):
            turns = [(sides.ours, ours), (sides.peer, peer)]
            for side, rates in turns if number % 2 == 0 else reversed(turns):
                rates.append(await side())
    return Result(contest.mark, contest.unit, ours, peer, stage.peaks.get(WORKER, 0))
