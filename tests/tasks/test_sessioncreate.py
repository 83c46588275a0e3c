"""`sessioncreate`: batches of sessions, stored as if they came one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jobgate.testing import House
from tests.session_calls import entry, response, set_sessions, until
from tests.stored_sessions import read, results


async def submit(house: House, *entries: dict[str, Any]) -> str:
    """Queue a job; its reference."""
    reply = await house.call("sessions", "set", {"data_format": "from_template", "data": list(entries)})
    reference = reply.data["job_reference"]
    assert isinstance(reference, str)
    return reference


async def count_responses(house: House) -> int:
    """All responses of organisation 1."""
    async with house.db.reading(1) as db:
        count: int = await db.connection.fetchval("select count(*) from response where organisation_id = 1")
    return count


async def test_the_last_entry_for_a_session_wins(house: House) -> None:
    ended = await set_sessions(
        house,
        entry("s-1", score=1, responses=[response("r-1")]),
        entry("s-2"),
        entry("s-1", activity_id="last", responses=[response("r-2"), response("r-3")]),
    )

    assert ended == [{"session_id": name, "user_id": "u-1", "status": "ok"} for name in ("s-1", "s-2", "s-1")]
    row = await read(house, "s-1")
    assert (row["activity_id"], row["num_questions"]) == ("last", 2)
    assert await count_responses(house) == 2


async def test_of_several_jobs_the_newest_wins(house: House) -> None:
    references = [await submit(house, entry("s-1", activity_id=f"a-{number}")) for number in range(3)]
    await house.carry()

    assert (await read(house, "s-1"))["activity_id"] == "a-2"
    for reference in references:
        assert await results(house, reference) == [{"session_id": "s-1", "user_id": "u-1", "status": "ok"}]


async def test_a_new_session_belongs_to_its_first_user(house: House) -> None:
    first = await submit(house, entry("s-1", user_id="u-1"), entry("s-1", user_id="u-2"))
    second = await submit(house, entry("s-1", user_id="u-2"), entry("s-1", user_id="u-1", activity_id="last"))
    await house.carry()

    assert [result["status"] for result in await results(house, first)] == ["ok", "error"]
    assert [result["status"] for result in await results(house, second)] == ["error", "ok"]
    row = await read(house, "s-1")
    assert (row["user_id"], row["activity_id"]) == ("u-1", "last")


async def test_an_old_session_belongs_to_whom_it_belonged(house: House) -> None:
    await set_sessions(house, entry("s-1", user_id="u-2"))

    ended = await set_sessions(house, entry("s-1", user_id="u-1"), entry("s-1", user_id="u-2", activity_id="last"))

    assert [result["status"] for result in ended] == ["error", "ok"]
    assert (await read(house, "s-1"))["activity_id"] == "last"


@pytest.mark.parametrize(
    ("user_id", "status", "activity_id", "responses"), [("u-1", "ok", "mine", 2), ("u-2", "error", "theirs", 1)]
)
async def test_a_session_that_appears_while_the_job_runs_is_judged_like_any_other(
    house: House, user_id: str, status: str, activity_id: str, responses: int
) -> None:
    mine = entry("s-1", activity_id="mine", responses=[response("r-1"), response("r-2")])
    reference = await submit(house, entry("s-0"), mine)

    async def waits_for_a_lock() -> bool:
        return bool(await tx.connection.fetchval("select exists (select from pg_locks where not granted)"))

    async with house.db.transaction(1) as tx:
        number = await tx.connection.fetchval(
            "insert into session (organisation_id, session_id, user_id, activity_id, status, dt_saved, dt_started,"
            " updated_at) values (1, 's-1', $1, 'theirs', 'Completed', now(), now(), clock_timestamp()) returning id",
            user_id,
        )
        await tx.connection.execute(
            "insert into response (organisation_id, session_no, position, response_id) values (1, $1, 0, 'r-0')", number
        )
        carrying = asyncio.create_task(house.carry())
        await until(waits_for_a_lock)
    await carrying

    assert [result["status"] for result in await results(house, reference)] == ["ok", status]
    assert (await read(house, "s-1"))["activity_id"] == activity_id
    assert await count_responses(house) == responses


async def test_jobs_that_store_the_same_sessions_in_opposite_order_both_end(house: House) -> None:
    names = [f"s-{number:02}" for number in range(20)]
    await set_sessions(house, *(entry(name) for name in names))
    references = []
    for _ in range(5):
        references.append(await submit(house, *(entry(name) for name in names)))
        references.append(await submit(house, *(entry(name) for name in reversed(names))))

    await asyncio.gather(house.carry(), house.carry())

    for reference in references:
        assert {result["status"] for result in await results(house, reference)} == {"ok"}
