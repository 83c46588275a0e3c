"""What a campaign measures while nothing else is struck: how fast a backlog drains, how soon lost jobs run again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from tests.chaos.lanes import Lane
from tests.chaos.stage import Stage

BACKLOG = 10_000
FLUSHES = 5
ROUNDS = 2
WITHIN_S = 60.0
KILLS = 10

QUEUE = """
insert into job (reference, organisation_id, consumer_key, type, params)
select gen_random_uuid(), 1, $1, 'chaos', json_build_object('word', $2 || '-' || n, 'steps', 1, 'mode', '')
from generate_series(1, $3::integer) as n
"""
LEFT = "select exists (select from job where state in ('queued', 'running'))"


async def compare_drains(stage: Stage) -> tuple[float, float]:
    """Jobs a second from a backlog, without and with Redis being flushed meanwhile; the better of some rounds each."""
    await stage.fleet.until_up()
    calm, flushed = [], []
    for number in range(ROUNDS):
        calm.append(await drain(stage, f"calm-{number}", flushes=0))
        flushed.append(await drain(stage, f"flushed-{number}", flushes=FLUSHES))
    return max(calm), max(flushed)


async def drain(stage: Stage, name: str, *, flushes: int) -> float:
    """Queue a backlog, flush Redis while it drains, and tell the jobs a second."""
    async with stage.servers.looking() as connection:
        began = time.monotonic()
        await connection.execute(QUEUE, stage.whos[0].key, name, BACKLOG)
        for _ in range(flushes):
            await stage.injector.flush_redis()
            await asyncio.sleep(0.2)
        while await connection.fetchval(LEFT) and time.monotonic() - began < WITHIN_S:
            await asyncio.sleep(0.01)
        return BACKLOG / (time.monotonic() - began)


async def measure_reruns(stage: Stage, lanes: Sequence[Lane]) -> list[float]:
    """From the death of a worker to the next start of each job that it held, over some deaths."""
    figures = stage.injector.figures
    before = len(figures.reruns_s)
    async with stage.load(lanes):
        for _ in range(KILLS):
            await stage.fleet.until_up()
            await stage.injector.kill_worker()
            await stage.injector.settle()
    return figures.reruns_s[before:]
