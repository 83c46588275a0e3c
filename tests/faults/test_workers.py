"""Workers that die, freeze, are replaced, or run a task with bad habits."""

from __future__ import annotations

import asyncio
import signal
import uuid
from itertools import cycle
from typing import Any

import pytest

from jobgate import jobs
from jobgate.doorbell import Doorbell
from jobgate.sweeper import Sweeper
from jobgate.testing import House
from tests.chaos.faults import name_of
from tests.chaos.fleet import Process
from tests.chaos.lanes import ALWAYS, HABITS
from tests.chaos.stage import Stage
from tests.faults.storms import REST_S, loaded, strike_until_sprung
from tests.stored_jobs import queue

CARRIES = "select exists (select from job where owner = $1 and type = 'chaoslong' and progress is not null)"


@pytest.mark.parametrize("point", ["after claim_jobs", "before commit", "after commit"])
async def test_what_a_killed_worker_held_runs_again_once(stage: Stage, point: str) -> None:
    async with loaded(stage):
        worker = stage.fleet.workers[0]
        stage.fleet.trap(worker, point, signal.SIGKILL)
        async with asyncio.timeout(10):
            while worker.pid is not None:
                await asyncio.sleep(0.01)


async def test_a_frozen_worker_is_replaced_and_what_it_writes_later_is_refused(stage: Stage) -> None:
    stage.injector.freezing_points = cycle(["before checkpoint_job"])
    lost = stage.fleet.read_logs()["job.lost"]
    async with loaded(stage, long=0.04), asyncio.timeout(60):
        # Postgres ends a transaction that is silent for too long: on a slow machine the frozen one may lose its job so.
        while stage.fleet.read_logs()["job.lost"] == lost:
            await strike_until_sprung(stage, "F2", stage.injector.freeze_worker())
            await stage.injector.settle()


async def test_workers_that_are_replaced_one_after_the_other_cost_no_job_an_attempt(stage: Stage) -> None:
    await stage.fleet.until_up()
    lanes = stage.make_lanes("rolling", 2, pace_s=0.5, long=1, long_steps=12)
    before = len(stage.history.packets)
    async with stage.load(lanes):
        for worker in (*stage.fleet.workers, stage.fleet.workers[0]):
            await replace_kindly(stage, worker)
    verdict = await stage.rest(REST_S)

    words = [packet.word for packet in stage.history.packets[before:]]
    async with stage.servers.looking() as connection:
        counted = await connection.fetchrow(
            "select sum(failures) as failures, sum(losses) as losses, sum(releases) > 0 as has_releases from job"
            " where params->>'word' = any($1)",
            words,
        )
    assert verdict.violations == []
    assert counted is not None
    assert dict(counted) == {"failures": 0, "losses": 0, "has_releases": True}


async def replace_kindly(stage: Stage, worker: Process) -> None:
    """Tell a worker in the middle of a long job to leave, and wait until another has taken its place."""
    starts = worker.starts
    async with asyncio.timeout(20):
        async with stage.servers.looking() as connection:
            while not await connection.fetchval(CARRIES, name_of(worker)):
                await asyncio.sleep(0.01)
        worker.send(signal.SIGTERM)
        while worker.starts == starts or not worker.is_up:
            await asyncio.sleep(0.02)


async def test_a_worker_whose_event_loop_is_blocked_is_replaced_and_writes_nothing_late(stage: Stage) -> None:
    """For twice its lease. Effects are counted: what it wrote before it was blocked must not be among them."""
    before = stage.fleet.read_logs()
    async with loaded(stage), asyncio.timeout(20):
        await misbehave(stage, "block")
        while stage.fleet.read_logs()["job.lost"] == before["job.lost"]:
            await asyncio.sleep(0.05)


@pytest.mark.timeout(120)
async def test_every_bad_habit_of_a_task_hurts_nobody_else(stage: Stage) -> None:
    async with loaded(stage):
        await misbehave(stage, *HABITS, *ALWAYS, "always exit")


async def misbehave(stage: Stage, *modes: str) -> None:
    """Send jobs whose task behaves like that."""
    (lane,) = stage.make_lanes("habits", 9, pace_s=0)[-1:]
    for mode in modes:
        packet = lane.make_packet("chaosbad", mode=mode)
        stage.history.packets.append(packet)
        await lane.deliver(packet)
    lane.close()


async def test_ten_workers_that_want_one_job_get_it_once(house: House) -> None:
    await queue(house, state="queued")

    async def claim() -> list[Any]:
        return await jobs.claim(house.db, ["toy"], owner=uuid.uuid4(), lease_s=60, jobs=10, entries=10, suspects=False)

    claims = await asyncio.gather(*(claim() for _ in range(10)))

    assert sorted(map(len, claims)) == [0] * 9 + [1]


async def test_two_sweepers_count_a_loss_once(house: House) -> None:
    await queue(house, state="queued")
    await jobs.claim(house.db, ["toy"], owner=uuid.uuid4(), lease_s=0.001, jobs=1, entries=1, suspects=False)
    async with house.db.connection() as queries:
        # The house's own sweeper may come first: what counts is that no two count the same loss.
        sweepers = [Sweeper(house.db, house.settings, house.metrics, Doorbell("")) for _ in range(2)]
        async with asyncio.timeout(10):
            while await queries.connection.fetchval("select state = 'running' from job"):
                await asyncio.gather(*(sweeper.sweep() for sweeper in sweepers))
        row = await queries.connection.fetchrow("select state, losses from job")

    assert row is not None
    assert (row["state"], row["losses"]) == ("queued", 1)
