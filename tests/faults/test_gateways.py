"""Gateways that die around a commit, are told to stop, or lose their clients."""

from __future__ import annotations

import asyncio

from tests.chaos.stage import Stage
from tests.faults.storms import loaded, strike_until_sprung


async def test_a_packet_whose_gateway_dies_after_the_commit_has_one_job(stage: Stage) -> None:
    async with loaded(stage):
        await strike_until_sprung(stage, "F5", stage.injector.kill_gateway_after_commit())


async def test_a_packet_whose_gateway_dies_before_the_commit_has_one_job(stage: Stage) -> None:
    stage.injector.random.seed(1)
    async with loaded(stage):
        await strike_until_sprung(stage, "F6", stage.injector.kill_gateway_before_commit())


async def test_jobs_start_although_whoever_wanted_to_ring_for_them_died(stage: Stage) -> None:
    async with loaded(stage):
        await strike_until_sprung(stage, "F4", stage.injector.kill_sweeper())


async def test_a_gateway_that_is_told_to_stop_answers_what_it_took(stage: Stage) -> None:
    async with loaded(stage):
        await stage.injector.stop_gateway()
        await stage.injector.settle()

    assert stage.injector.figures.leaving_cuts == []


async def test_a_client_that_hangs_up_does_not_undo_its_commit(stage: Stage) -> None:
    async with loaded(stage):
        before = stage.injector.figures.seen["hung up"]
        await stage.injector.hang_up()
        assert stage.injector.figures.seen["hung up"] == before + 1


async def test_two_migrators_at_once_agree(stage: Stage) -> None:
    async with loaded(stage):
        await stage.injector.migrate_twice()


async def test_a_server_that_is_asked_for_its_health_while_the_pool_is_exhausted_answers(stage: Stage) -> None:
    async with loaded(stage):
        await asyncio.wait_for(stage.injector.exhaust_pool(), 15)

    assert stage.injector.figures.seen["probes"] > 0
    assert stage.injector.figures.seen["probes failed"] == 0
