"""Executing on demand: one execution waits, whoever asks and however often."""

from __future__ import annotations

import asyncio

from jobgate import definitions
from jobgate.definitions import NO_TRIGGER
from jobgate.testing import House
from tests.definitions.factory import execute, find, look, save


async def test_an_execution_is_a_job(house: House) -> None:
    saved = await save(house)

    asked = await execute(house, saved.id)

    (job,) = await look(house, "select * from job")
    assert (job["reference"], job["definition_id"], job["trigger_id"]) == (asked.reference, saved.id, asked.trigger_id)
    assert (job["type"], job["params"], job["state"]) == (saved.type, saved.params, "queued")
    await house.carry()
    (found,) = await find(house)
    assert (found.ran, found.is_waiting, found.is_running) == (1, False, False)
    assert found.last_run_at is not None


async def test_executing_does_not_move_what_is_due_next(house: House) -> None:
    saved = await save(house, schedule={"repeat": "dailyAt", "time": "09:00"})

    await execute(house, saved.id)
    await house.carry()

    (found,) = await find(house)
    assert (found.ran, found.next_runs) == (1, saved.next_runs)


async def test_executing_while_one_waits_gives_its_trigger(house: House) -> None:
    saved = await save(house)

    first, second = await execute(house, saved.id), await execute(house, saved.id)

    assert (second.trigger_id, second.is_new) == (first.trigger_id, False)
    assert len(await look(house, "select * from job")) == 1


async def test_while_one_runs_exactly_one_more_waits_for_its_end(house: House) -> None:
    saved = await save(house)
    running = await execute(house, saved.id)
    await look(house, "update job set state = 'running'")

    second, third = await execute(house, saved.id), await execute(house, saved.id)

    assert (second.is_new, second.after) == (True, running.reference)
    assert (third.is_new, third.trigger_id) == (False, second.trigger_id)
    (job,) = await look(house, "select after from job where run_at = 'infinity'")
    assert job["after"] == running.reference


async def test_a_hundred_calls_at_once_cause_one_execution(house: House) -> None:
    saved = await save(house)

    asked = await asyncio.gather(*(execute(house, saved.id) for _ in range(100)))

    assert len({one.trigger_id for one in asked}) == 1
    assert len(await look(house, "select * from job")) == 1


async def test_a_waiting_execution_of_a_schedule_takes_the_trigger(house: House) -> None:
    saved = await save(house)
    waiting = await execute(house, saved.id, trigger_id=NO_TRIGGER)

    asked = await execute(house, saved.id)

    assert (asked.reference, asked.is_new) == (waiting.reference, False)
    assert asked.trigger_id != NO_TRIGGER


async def test_a_requested_run_is_withdrawn_before_it_begins(house: House) -> None:
    saved = await save(house)
    await execute(house, saved.id, trigger_id=NO_TRIGGER)
    assert [found.is_requested for found in await find(house)] == [True]

    async with house.db.transaction(1) as tx:
        assert await definitions.withdraw(tx, 1, saved.id)
        assert not await definitions.withdraw(tx, 1, saved.id)

    assert [found.is_requested for found in await find(house)] == [False]
