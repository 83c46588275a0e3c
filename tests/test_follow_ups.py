"""Jobs that other jobs ask for, and that wait for each other."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from jobgate import jobs
from jobgate.context import Batch, TaskRefused
from jobgate.jobs import FollowUp
from jobgate.testing import HOME, House
from tests.conftest import MakeHouse
from tests.test_worker import Toy, effects, make_task, rows, submit, toy_house


async def note_in_order(batch: Batch[Toy]) -> None:
    """Note each word with its place among all effects; a job called bad is refused."""
    for job in batch.jobs:
        if job.params.word == "bad":
            raise TaskRefused("bad")
        await batch.db.connection.execute(
            "insert into effect select $1, $2 || (select count(*) from effect)", job.facts.id, job.params.word
        )


def follower(word: str, after: uuid.UUID | None = None, **fields: Any) -> FollowUp:
    return FollowUp(consumer_key=HOME.key, type="toy", params=Toy(word), after=after, **fields)


async def ask(house: House, asked: Sequence[FollowUp]) -> None:
    async with house.db.transaction(1) as tx:
        await jobs.follow_up(tx, 1, asked)


async def test_a_job_waits_for_the_one_that_it_comes_after(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note_in_order), claim_jobs=1, set_slots=4) as house:
        first = follower("first")
        second = follower("second", first.reference)
        third = follower("third", second.reference)

        await ask(house, [third, second, first])
        await house.carry()

        assert await effects(house) == ["first0", "second1", "third2"]


async def test_a_waiting_job_begins_when_the_other_was_halted(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note_in_order), sweep_s=0.05) as house:
        bad = follower("bad")

        await ask(house, [bad, follower("next", bad.reference)])
        await house.carry()

        assert await effects(house) == ["next0"]
        states = await rows(house, "select state, after from job order by id")
        assert [tuple(row) for row in states] == [("halted", None), ("completed", None)]


async def test_a_waiting_job_begins_when_the_other_is_not_known_any_more(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note_in_order), sweep_s=0.05) as house:
        await ask(house, [follower("next", uuid.uuid4())])
        await house.carry()

        assert await effects(house) == ["next0"]


@pytest.mark.parametrize("count", [1, 300])
async def test_many_jobs_may_wait_for_one(make_house: MakeHouse, count: int) -> None:
    async with toy_house(make_house, make_task(note_in_order)) as house:
        [first] = await submit(house, "first")

        await ask(house, [follower("next", first) for _ in range(count)])
        await house.carry()

        assert "first0" in await effects(house)
        assert len(await effects(house)) == count + 1


async def test_a_waiting_job_can_be_cancelled_and_queued_again(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note_in_order), sweep_s=60) as house:
        waiting = follower("next", uuid.uuid4())
        await ask(house, [waiting])
        async with house.db.transaction() as tx:
            args = (HOME.key, [waiting.reference], [1])
            await tx.fetch("cancel_jobs", *args, b"{}")
            await tx.fetch("requeue_jobs", *args)

        await house.carry()

        assert await effects(house) == ["next0"]
