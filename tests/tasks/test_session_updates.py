"""What jobs do to sessions when there are many of them, in any order, more than once."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate import jobs
from jobgate.tasks.subscorecalculation import SLICE_SESSIONS
from jobgate.testing import House
from tests.stored_sessions import age_jobs, read, results, store

LONG_AGO = datetime(2020, 1, 3, tzinfo=UTC)
SUBMITTED = datetime(2020, 1, 2, tzinfo=UTC)


async def submit(house: House, type: str, params: Any) -> str:
    """Queue a job without a packet; its reference."""
    reference = uuid.uuid4()
    async with house.db.connection() as queries:
        await jobs.insert(
            queries, reference=reference, organisation_id=1, consumer_key=house.home.key, type=type, params=params
        )
    return str(reference)


async def set_status(house: House, *entries: tuple[str, str], user_id: str = "u-1") -> str:
    """Queue a status update of sessions."""
    statuses = [{"session_id": id, "user_id": user_id, "status": status} for id, status in entries]
    return await submit(house, "sessionstatusupdate", {"statuses": statuses})


async def set_metadata(house: House, session_id: str, metadata: Any) -> str:
    """Queue a metadata update of one session."""
    entry = {"session_id": session_id, "user_id": "u-1", "metadata": metadata}
    return await submit(house, "sessionmetadataupdate", {"session_metadata": [entry]})


async def mark_written(house: House, column: str, job_id: int) -> None:
    """Pretend that a job has written a column of every session."""
    async with house.db.transaction(1) as tx:
        await tx.connection.execute(f"update session set {column} = $1", job_id)


async def outcomes(house: House, reference: str) -> list[str]:
    """ok, error or superseded, one per entry."""
    return [
        "superseded" if result.get("superseded") else result["status"] for result in await results(house, reference)
    ]


# -- order -----------------------------------------------------------------------------------------------------------


async def test_the_newer_of_two_jobs_in_one_batch_wins_and_both_are_ok(house: House) -> None:
    await store(house, "s-1")
    older = await set_status(house, ("s-1", "Completed"))
    newer = await set_status(house, ("s-1", "Discarded"))

    await house.carry()

    assert (await read(house, "s-1"))["status"] == "Discarded"
    assert await outcomes(house, older) == await outcomes(house, newer) == ["ok"]


async def test_an_older_job_that_comes_late_does_not_overwrite_a_newer_one(house: House) -> None:
    await store(house, "s-1")
    await store(house, "s-2")
    late = await set_status(house, ("s-1", "Completed"), ("s-2", "Completed"))
    await hold_back(house, late)
    prompt = await set_status(house, ("s-1", "Discarded"))
    await house.carry()

    await let_go(house, late)
    await house.carry()

    assert (await read(house, "s-1"))["status"] == "Discarded"
    assert (await read(house, "s-2"))["status"] == "Completed"
    assert await outcomes(house, prompt) == ["ok"]
    assert await outcomes(house, late) == ["superseded", "ok"]


async def hold_back(house: House, reference: str) -> None:
    """Let a job wait as if its worker had died."""
    async with house.db.connection() as queries:
        await queries.connection.execute(
            "update job set state = 'halted', error = '{}' where reference = $1::text::uuid", reference
        )


async def let_go(house: House, reference: str) -> None:
    """Queue a job that was held back."""
    reply = await house.call("jobs", "update", {"references": [reference], "status": "queued"})
    assert reply.data[0]["status"] == "ok"


@pytest.mark.parametrize("column", ["status_by", "set_by"])
async def test_what_a_newer_job_wrote_or_set_as_a_whole_keeps_its_status(house: House, column: str) -> None:
    await store(house, "s-1")
    reference = await set_status(house, ("s-1", "Completed"))
    await mark_written(house, column, await age_jobs(house))

    await house.carry()

    row = await read(house, "s-1")
    assert (row["status"], row["updated_at"]) == ("Incomplete", LONG_AGO)
    assert await outcomes(house, reference) == ["superseded"]


@pytest.mark.parametrize("column", ["metadata_by", "set_by"])
async def test_what_a_newer_job_wrote_or_set_as_a_whole_keeps_its_metadata(house: House, column: str) -> None:
    await store(house, "s-1", metadata={"n": 1})
    reference = await set_metadata(house, "s-1", {"n": 2})
    await mark_written(house, column, await age_jobs(house))

    await house.carry()

    assert (await read(house, "s-1"))["metadata"] == {"n": 1}
    assert await outcomes(house, reference) == ["superseded"]


async def test_columns_are_kept_apart(house: House) -> None:
    await store(house, "s-1", definitions=[{"id": "x", "items": []}])
    references = [
        await set_status(house, ("s-1", "Completed")),
        await set_metadata(house, "s-1", {"n": 2}),
        await submit(house, "subscorecalculation", {"session_id": ["s-1"]}),
    ]
    await house.carry()

    assert [await outcomes(house, reference) for reference in references] == [["ok"]] * 3
    row = await read(house, "s-1")
    assert (row["status"], row["metadata"], row["subscores"][0]["id"]) == ("Completed", {"n": 2}, "x")


async def test_an_older_calculation_of_subscores_is_superseded(house: House) -> None:
    await store(house, "s-1", definitions=[{"id": "x", "items": []}])
    reference = await submit(house, "subscorecalculation", {"session_id": ["s-1"]})
    await mark_written(house, "subscores_by", await age_jobs(house))

    await house.carry()

    assert (await read(house, "s-1"))["subscores"] == []
    assert await outcomes(house, reference) == ["superseded"]


async def test_a_refused_entry_of_a_newer_job_does_not_stand_in_the_way(house: House) -> None:
    await store(house, "s-1")
    older = await set_status(house, ("s-1", "Completed"))
    newer = await set_status(house, ("s-1", "Discarded"), user_id="impostor")

    await house.carry()

    assert (await read(house, "s-1"))["status"] == "Completed"
    assert (await outcomes(house, older), await outcomes(house, newer)) == (["ok"], ["error"])


# -- times -----------------------------------------------------------------------------------------------------------


async def test_completing_sets_the_time_of_submission_and_incomplete_clears_it(house: House) -> None:
    await store(house, "s-1")
    before = datetime.now(UTC).replace(microsecond=0)

    await set_status(house, ("s-1", "Completed"))
    await house.carry()
    completed = await read(house, "s-1")
    await set_status(house, ("s-1", "Incomplete"))
    await house.carry()
    incomplete = await read(house, "s-1")

    assert before <= completed["dt_completed"] <= completed["updated_at"]
    assert completed["dt_completed"].microsecond == 0
    assert incomplete["dt_completed"] is None
    assert completed["updated_at"] < incomplete["updated_at"]


async def test_a_session_keeps_the_time_of_its_submission_while_it_is_discarded(house: House) -> None:
    await store(house, "s-1", status="Completed")

    for status in ("Discarded", "Completed"):
        await set_status(house, ("s-1", status))
        await house.carry()

        assert (await read(house, "s-1"))["dt_completed"] == SUBMITTED


async def test_an_update_that_changes_nothing_leaves_the_time_of_the_last_change(house: House) -> None:
    await store(house, "s-1", status="Completed", metadata={"n": 1}, definitions=[{"id": "x", "items": []}])
    await submit(house, "subscorecalculation", {"session_id": ["s-1"]})
    await house.carry()
    before = await read(house, "s-1")

    references = [
        await set_status(house, ("s-1", "Completed")),
        await set_metadata(house, "s-1", {"n": 1}),
        await submit(house, "subscorecalculation", {"session_id": ["s-1"]}),
    ]
    await house.carry()

    after = await read(house, "s-1")
    assert after["updated_at"] == before["updated_at"]
    assert after["status_by"] > before["status_by"]
    assert [await outcomes(house, reference) for reference in references] == [["ok"]] * 3


@pytest.mark.parametrize("entry", ["nobody", "foreign", "superseded"])
async def test_an_entry_without_effect_leaves_the_session_as_it_was(house: House, entry: str) -> None:
    await store(house, "s-1")
    before = await read(house, "s-1")
    if entry == "superseded":
        await mark_written(house, "status_by", 1_000_000)
        before["status_by"] = 1_000_000
    session_id = "nobody" if entry == "nobody" else "s-1"
    await set_status(house, (session_id, "Completed"), user_id="impostor" if entry == "foreign" else "u-1")

    await house.carry()

    assert await read(house, "s-1") == before


# -- once ------------------------------------------------------------------------------------------------------------


async def test_a_job_that_runs_again_changes_nothing_more(house: House) -> None:
    await store(house, "s-1")
    await store(house, "s-2", metadata={"n": 1})
    await store(house, "s-3", definitions=[{"id": "x", "items": []}])
    references = [
        await set_status(house, ("s-1", "Completed")),
        await set_metadata(house, "s-2", {"n": 2}),
        await submit(house, "subscorecalculation", {"session_id": ["s-3"]}),
    ]
    await house.carry()
    first = [await read(house, session_id) for session_id in ("s-1", "s-2", "s-3")]

    async with house.db.connection() as queries:
        await queries.connection.execute("update job set state = 'queued', results = null, completed_at = null")
    await house.carry()

    assert [await read(house, session_id) for session_id in ("s-1", "s-2", "s-3")] == first
    assert [await outcomes(house, reference) for reference in references] == [["ok"]] * 3


async def test_one_bad_job_does_not_spoil_its_neighbours(house: House) -> None:
    await store(house, "s-1")
    await store(house, "s-2")
    good = await set_status(house, ("s-1", "Completed"))
    bad = await submit(house, "sessionstatusupdate", {"statuses": [{"session_id": 7}]})
    better = await set_status(house, ("s-2", "Completed"))

    await house.carry()

    assert await outcomes(house, good) == await outcomes(house, better) == ["ok"]
    (record,) = (await house.call("jobs", "get", {"references": [bad], "include": ["status", "error"]})).data
    assert record["status"] == "halted"
    assert record["error"]["code"] == "failed"


async def test_definitions_that_cannot_be_read_are_refused_alone(house: House) -> None:
    await store(house, "s-1", definitions=[{"no": "id"}])
    await store(house, "s-2", definitions=[{"id": "x", "items": []}])

    reference = await submit(house, "subscorecalculation", {"session_id": ["s-1", "s-2"]})
    await house.carry()

    assert await outcomes(house, reference) == ["error", "ok"]
    assert (await read(house, "s-2"))["subscores"][0]["id"] == "x"


async def test_definitions_that_list_more_than_anybody_reads_are_refused_alone(house: House) -> None:
    items = [{"reference": f"{number:0255}", "tags": [{"type": "t", "name": "n"}]} for number in range(1000)]
    definitions = [{"id": str(number), "tags": [{"type": "t", "name": "n"}]} for number in range(100)]
    await store(house, "s-1", items=items, definitions=definitions)
    await store(house, "s-2", items=items, definitions=definitions[:1])

    reference = await submit(house, "subscorecalculation", {"session_id": ["s-1", "s-2"]})
    await house.carry()

    assert await outcomes(house, reference) == ["error", "ok"]
    assert (await read(house, "s-1"))["subscores"] == []
    assert len((await read(house, "s-2"))["subscores"][0]["items"]) == 1000


async def test_more_sessions_than_are_in_memory_at_once_are_all_calculated(house: House) -> None:
    names = [f"s-{number:03}" for number in range(SLICE_SESSIONS * 2 + 1)]
    for name in names:
        await store(house, name, definitions=[{"id": name, "items": []}])

    reference = await submit(house, "subscorecalculation", {"session_id": names})
    await house.carry()

    assert await outcomes(house, reference) == ["ok"] * len(names)
    assert [(await read(house, name))["subscores"][0]["id"] for name in names] == names


async def test_many_workers_with_the_same_sessions_in_opposite_orders_all_finish(house: House) -> None:
    names = [f"s-{number}" for number in range(40)]
    for name in names:
        await store(house, name)
    references = [
        await set_status(house, *[(name, "Completed") for name in (names if number % 2 else names[::-1])])
        for number in range(20)
    ]

    await asyncio.gather(*[house.carry() for _ in range(4)])

    for reference in references:
        assert set(await outcomes(house, reference)) <= {"ok", "superseded"}
    newest = {(await read(house, name))["status_by"] for name in names}
    assert len(newest) == 1
