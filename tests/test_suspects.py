"""Jobs that lost a worker: run apart until it is known which of them is to blame, and held up by nobody."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from jobgate import jobs
from jobgate.context import Run
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.test_worker import Toy, effects, lose, make_task, note, rows, states, submit, toy_house, until


async def claim_suspects(house: House, count: int) -> list[int]:
    """How often each of the claimed jobs has lost a worker."""
    claims = await jobs.claim(
        house.db, ["toy"], owner=uuid.uuid4(), lease_s=60, jobs=count, entries=1000, suspects=True
    )
    ids = [claim.facts.id for claim in claims]
    return [row["losses"] for row in await rows(house, "select losses from job where id = any($1) order by id", ids)]


async def lost(house: House, *losses: int) -> None:
    """Queue jobs that have lost so many workers."""
    await submit(house, *map(str, losses))
    async with house.db.connection() as queries:
        await queries.connection.execute("update job set losses = (params->>'word')::integer")


async def test_jobs_are_tried_together_after_their_first_loss_and_alone_after_the_next(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note)) as house:
        await lost(house, 1, 1, 2, 1, 2)

        claims = [await claim_suspects(house, 30) for _ in range(4)]

        assert claims == [[1, 1, 1], [2], [2], []]


async def test_a_crowd_of_suspects_begins_with_the_oldest(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note)) as house:
        await lost(house, 2, 1, 1)

        claims = [await claim_suspects(house, 30) for _ in range(2)]

        assert claims == [[2], [1, 1]]


async def test_a_suspect_that_gets_ahead_goes_on_among_the_others(make_house: MakeHouse) -> None:
    seen: list[tuple[int, Any]] = []

    async def step(run: Run[Toy]) -> None:
        seen.append((run.facts.attempt, run.cursor))
        for number in range(run.cursor or 0, run.params.steps):
            async with run.chunk() as chunk:
                await chunk.db.connection.execute("insert into effect values ($1, $2)", run.facts.id, f"{number}")
                chunk.save(number + 1, done=number + 1, total=run.params.steps)
        async with run.chunk() as chunk:
            chunk.finish([])

    async with toy_house(make_house, make_task(step, "long"), lease_s=0.2) as house:
        await submit(house, "a", steps=4)
        await lose(house)
        await until(house, "select state = 'queued' from job")

        await house.carry()

        assert seen == [(2, None), (3, 1)]
        assert await effects(house) == ["0", "1", "2", "3"]
        (row,) = await rows(house, "select state, losses, failures from job")
        assert dict(row) == {"state": "completed", "losses": 0, "failures": 0}


async def test_a_suspect_that_opens_chunks_without_getting_ahead_is_not_sent_back_to_do_so_again(
    make_house: MakeHouse,
) -> None:
    seen: list[int] = []

    async def prepare_first(run: Run[Toy]) -> None:
        seen.append(run.facts.attempt)
        for cursor in (run.cursor, run.cursor, 1):
            async with run.chunk() as chunk:
                chunk.save(cursor, done=0, total=1)
        async with run.chunk() as chunk:
            chunk.finish([])

    async with toy_house(make_house, make_task(prepare_first, "long"), lease_s=0.2) as house:
        await submit(house, "a")
        await lose(house)
        await until(house, "select state = 'queued' from job")

        await house.carry()

        assert (seen, await states(house)) == ([2, 3], {"completed": 1})


async def test_a_suspect_that_is_slow_does_not_hold_up_the_next(make_house: MakeHouse) -> None:
    ahead = asyncio.Event()

    async def wait_for_the_other(run: Run[Toy]) -> None:
        async with run.chunk() as chunk:
            chunk.save(1, done=1, total=1)
        if run.params.word == "b":
            ahead.set()
        async with run.chunk() as chunk:
            await asyncio.wait_for(ahead.wait(), 5)
            chunk.finish([])

    task = make_task(wait_for_the_other, "long")
    async with toy_house(make_house, task, lease_s=0.2, max_failures=1) as house:
        await submit(house, "a", "b")
        await lose(house)
        await lose(house)
        await until(house, "select bool_and(state = 'queued') from job")

        await house.carry()

        assert await states(house) == {"completed": 2}
