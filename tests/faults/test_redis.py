"""Redis that forgets, dies or stays away: later starts, and nothing else."""

from __future__ import annotations

from tests.chaos.stage import Stage
from tests.faults.storms import loaded


async def test_jobs_are_carried_although_redis_forgot_every_hint(stage: Stage) -> None:
    async with loaded(stage):
        for _ in range(3):
            await stage.injector.flush_redis()


async def test_redis_may_be_killed_and_come_back_empty(stage: Stage) -> None:
    pids = [process.pid for process in stage.fleet.all]
    async with loaded(stage):
        await stage.injector.restart_redis()

    assert [process.pid for process in stage.fleet.all] == pids


async def test_jobs_are_accepted_and_carried_while_redis_is_away(stage: Stage) -> None:
    stage.injector.redis_away_s = 1
    refused = stage.history.statuses[503]
    async with loaded(stage):
        await stage.injector.take_redis_away()

    assert stage.history.statuses[503] == refused
