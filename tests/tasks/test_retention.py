"""Jobs of jobs/retention: what is old enough goes with its log, in chunks, from the queue's table and the archive."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobgate.archive import move
from jobgate.tasks import retention
from jobgate.testing import House
from tests.definitions.factory import look
from tests.stored_jobs import queue

LONG_AGO = datetime(2024, 5, 6, tzinfo=UTC)


async def forget(house: House, **params: Any) -> dict[str, Any]:
    """Run a retention to its end; the record of its job."""
    request = {"repeat": "on", "date": "2999-01-01", "replay": True} | params
    assert (await house.call("jobs/retention", "set", request)).status == 200
    await house.carry()
    (job,) = (await house.call("jobs", "get", {"include": ["reference", "results", "data"], "limit": 1})).data
    assert isinstance(job, dict)
    return job


async def finish(house: House, count: int, entries: int = 1, **columns: Any) -> None:
    """Jobs that ended long ago, each with so many log entries."""
    for _ in range(count):
        reference = await queue(house, **({"created_at": LONG_AGO} | columns))
        await look(
            house,
            "insert into job_log (job_id, severity, message)"
            " select id, 0, 'said' from job, generate_series(1, $2) where reference = $1::text::uuid",
            reference,
            entries,
        )


async def archive_everything(house: House) -> None:
    """Move all finished jobs to the tables of their months."""
    await look(house, "select add_archive_month(date_trunc('month', $1::timestamptz, 'UTC'))", LONG_AGO)
    await look(
        house,
        "with moved as (delete from job where state in ('completed', 'halted') returning *),"
        " entries as (delete from job_log using moved where job_id = moved.id returning job_log.*, completed_at),"
        " kept as (insert into job_log_archive select * from entries) insert into job_archive select * from moved",
    )


async def count(house: House, table: str, organisation_id: int = 1) -> int:
    """The rows of a table of jobs, but for those of retentions."""
    (row,) = await look(
        house, f"select count(*) from {table} where organisation_id = $1 and type <> 'retention'", organisation_id
    )
    found: int = row["count"]
    return found


async def test_what_is_old_enough_is_gone_with_its_log(house: House) -> None:
    await finish(house, 3, entries=2)
    await finish(house, 1, state="halted")
    await finish(house, 1, created_at=datetime.now(UTC) - timedelta(days=27))

    job = await forget(house, until="1_month")

    assert await count(house, "job") == 1
    (result,) = job["results"]
    assert (result["status"], result["jobs"], result["entries"]) == ("ok", 4, 7)
    assert job["data"]["log"][-1]["counters"] == {"jobs": 4, "entries": 7}
    (kept,) = await look(house, "select count(*) from job_log where message = 'said'")
    assert kept["count"] == 1


async def test_the_archive_is_emptied_too(house: House) -> None:
    await finish(house, 3, entries=2)
    await archive_everything(house)
    await finish(house, 2)

    job = await forget(house, until="1_week")

    assert (job["results"][0]["jobs"], job["results"][0]["entries"]) == (5, 8)
    assert await count(house, "every_job") == 0
    assert await look(house, "select from job_log_archive") == []


async def test_a_job_that_ended_at_the_last_instant_goes_and_the_next_stays(house: House) -> None:
    await finish(house, 1)  # takes one second
    await finish(house, 1, created_at=LONG_AGO + timedelta(microseconds=1))

    await forget(house, until="date", until_date="2024-05-06T00:00:01Z")

    (kept,) = await look(house, "select created_at from job where type = 'toy'")
    assert kept["created_at"] == LONG_AGO + timedelta(microseconds=1)


async def test_what_has_not_ended_and_what_others_own_stays(house: House) -> None:
    await queue(house, state="running", created_at=LONG_AGO, type="toy")
    await look(house, "update job set lease_until = now() + interval '1 hour'")
    await finish(house, 1, organisation_id=2, consumer_key=house.stranger.key)
    await finish(house, 1, consumer_key=house.other.key)

    request = {"repeat": "on", "date": "2999-01-01", "replay": True, "until": "now"}
    await house.call("jobs/retention", "set", request)
    carrying = asyncio.create_task(house.carry())
    async with asyncio.timeout(20):
        while await look(house, "select from job where type = 'retention' and state <> 'completed'"):
            await asyncio.sleep(0.01)
    await look(house, "update job set state = 'halted', completed_at = now() where state = 'running'")
    await carrying

    assert (await count(house, "job"), await count(house, "job", 2)) == (1, 1)


async def test_it_works_in_chunks_bounded_by_jobs_and_by_what_they_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK_JOBS", 4)
    monkeypatch.setattr(retention, "CHUNK_ENTRIES", 10)
    await finish(house, 1, entries=30)
    await finish(house, 9)
    await archive_everything(house)
    await finish(house, 5)
    await finish(house, 3, organisation_id=2, consumer_key=house.stranger.key)

    job = await forget(house, until="now")

    assert (job["results"][0]["jobs"], job["results"][0]["entries"]) == (15, 44)
    assert (await count(house, "every_job"), await count(house, "job", 2)) == (0, 3)


async def test_a_run_that_died_goes_on_with_its_window_and_its_counts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK_JOBS", 2)
    await finish(house, 6)
    steps = 0
    delete_chunk = retention.delete_chunk

    async def die_once(*args: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            raise RuntimeError("the power is gone")
        await delete_chunk(*args)

    monkeypatch.setattr(retention, "delete_chunk", die_once)

    job = await forget(house, until="now")

    assert job["results"][0]["jobs"] == 6
    told = [entry["message"] for entry in job["data"]["log"]]
    assert sum(message.startswith("Deleting what had ended by") for message in told) == 1


async def test_what_is_archived_meanwhile_goes_too(house: House) -> None:
    await finish(house, 5)
    async with house.db.transaction(1) as tx:  # the archive holds them, and has not moved them yet
        await tx.connection.execute("select from job where type = 'toy' for update")
        forgetting = asyncio.create_task(forget(house, until="now"))
        async with asyncio.timeout(20):
            while not await look(house, "select from pg_locks where not granted"):
                await asyncio.sleep(0.01)
        await tx.connection.execute("select add_archive_month(date_trunc('month', $1::timestamptz, 'UTC'))", LONG_AGO)
        rows = await tx.connection.fetch("select id from job where type = 'toy'")
        await tx.execute("archive_jobs", [row["id"] for row in rows])
    job = await forgetting

    assert job["results"][0]["jobs"] == 5
    assert await count(house, "every_job") == 0


async def test_archiving_and_deleting_at_once_leaves_nothing_behind(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK_JOBS", 7)
    monkeypatch.setattr("jobgate.archive.BATCH", 5)
    await finish(house, 100)
    done = asyncio.Event()

    async def keep_archiving() -> None:
        while not done.is_set():
            await move(house.db, 0)

    archiving = asyncio.create_task(keep_archiving())
    job = await forget(house, until="1_year")
    done.set()
    await archiving

    assert job["results"][0]["jobs"] == 100
    assert await count(house, "every_job") == 0
    assert await look(house, "select from every_job_log where message = 'said'") == []


async def test_what_was_deleted_is_audited(house: House) -> None:
    await finish(house, 1)

    job = await forget(house, until="now")

    (row,) = await look(house, "select actor, act, detail from audit where act = 'jobs.retention'")
    assert row["actor"] == house.home.key
    assert job["reference"] in row["detail"].decode()
