"""The archive: finished jobs move there as they are, are read like all others, and come back to be queued again."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from jobgate import archive, jobs
from jobgate.archive import BATCH, drop_months, move
from jobgate.context import LogEntry
from jobgate.db import QUERIES, Database
from jobgate.doorbell import Doorbell
from jobgate.embedded import Servers
from jobgate.sweeper import Sweeper
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.stored_jobs import START, queue

DAY_S = 24 * 3600
EVERYTHING = ["reference", "type", "status", "dt_created", "dt_completed", "data", "results", "error", "progress"]


@pytest.fixture
async def house(make_house: MakeHouse) -> AsyncIterator[House]:
    """A house that sweeps only when it is told to: one process archives at a time."""
    async with make_house(sweep_s=3600) as house:
        yield house


async def rows(house: House, sql: str, *args: Any) -> list[Any]:
    """Look at the tables directly."""
    async with house.db.connection() as queries:
        return await queries.connection.fetch(sql, *args)


async def places(house: House) -> dict[str, str]:
    """Where each job is, by its reference."""
    found = await rows(
        house,
        "select reference::text, tableoid::regclass::text from job"
        " union all select reference::text, tableoid::regclass::text from job_archive",
    )
    assert len(dict(found)) == len(found)
    return dict(found)


async def log(house: House, reference: str, *messages: str) -> None:
    """Let a job say something."""
    async with house.db.connection() as queries:
        id = await queries.connection.fetchval("select id from job where reference = $1::text::uuid", reference)
        await jobs.log(queries, [(id, LogEntry(message, 1, {"rows": 2})) for message in messages])


async def told(house: House, *references: str) -> Any:
    """All that `jobs` get tells about these jobs."""
    return (await house.call("jobs", "get", {"references": list(references), "include": EVERYTHING})).data


# -- moving ----------------------------------------------------------------------------------------------------------


async def test_finished_jobs_move_to_the_month_in_which_they_ended(house: House) -> None:
    may = await queue(house)
    last_of_may = await queue(house, created_at=datetime(2024, 5, 31, 23, 59, 58, tzinfo=UTC))
    june = await queue(house, created_at=datetime(2024, 5, 31, 23, 59, 59, tzinfo=UTC), state="halted")

    assert await move(house.db, DAY_S) == (3, False)

    assert await places(house) == {
        may: "job_archive_2024_05",
        last_of_may: "job_archive_2024_05",
        june: "job_archive_2024_06",
    }


async def test_unfinished_jobs_and_those_that_ended_lately_stay(house: House) -> None:
    kept = [
        await queue(house, state="queued"),
        await queue(house, state="running"),
        await queue(house, created_at=datetime.now(UTC) - timedelta(hours=23)),
    ]

    assert await move(house.db, DAY_S) == (0, False)

    assert await places(house) == dict.fromkeys(kept, "job")


async def test_nothing_is_told_otherwise_of_a_job_that_is_archived(house: House) -> None:
    references = [
        await queue(house, results=[{"n": 1}], params={"a": "ü"}),
        await queue(house, state="halted", error={"code": "failed", "message": "why"}, created_at=START),
        await queue(house, progress={"done": 3, "total": 4}, entries=4, created_at=START - timedelta(days=40)),
        await queue(house, state="running"),
    ]
    await log(house, references[0], "first", "second")
    lists: list[Any] = [{}, {"status": ["halted", "running"]}, {"limit": 1}, {"mintime": int(START.timestamp())}]
    before = await told(house, *references), [(await house.call("jobs", "get", each)).data for each in lists]

    assert await move(house.db, DAY_S) == (3, False)

    after = await told(house, *references), [(await house.call("jobs", "get", each)).data for each in lists]
    assert after == before
    assert [entry["message"] for entry in (await told(house, references[0]))[0]["data"]["log"]] == ["first", "second"]
    assert (await rows(house, "select count(*) from job_log"))[0][0] == 0


async def test_whose_an_archived_job_is_does_not_change(house: House) -> None:
    mine = await queue(house)
    theirs = await queue(house, consumer_key=house.stranger.key, organisation_id=2)
    await move(house.db, DAY_S)

    for who, sees in ((house.home, mine), (house.other, None), (house.stranger, theirs)):
        by_reference = await house.call("jobs", "get", {"references": [mine, theirs]}, as_=who)
        listed = await house.call("jobs", "get", as_=who)
        assert [each["reference"] for each in by_reference.data] == [sees] * (sees is not None)
        assert listed.data == by_reference.data
    stolen = await house.call("jobs", "update", {"references": [mine], "status": "queued"}, as_=house.stranger)
    assert stolen.data[0]["status"] == "error"


async def test_a_batch_is_bounded_in_jobs_and_in_bytes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        await queue(house, created_at=START + timedelta(seconds=number), params={"text": uuid.uuid4().hex * 100})
    monkeypatch.setattr(archive, "BATCH", 3)

    assert await move(house.db, DAY_S) == (3, True)
    monkeypatch.setattr(archive, "BATCH_BYTES", 1)
    assert await move(house.db, DAY_S) == (1, True)
    assert await move(house.db, DAY_S) == (1, False)


async def test_sweepers_archive_whatever_waits_and_each_job_once(make_house: MakeHouse) -> None:
    async with make_house(sweep_s=3600, archive_after_s=DAY_S) as house:
        await rows(
            house,
            "insert into job (reference, organisation_id, consumer_key, type, state, params, completed_at)"
            " select gen_random_uuid(), 1, $1, 'toy', 'completed', '{}', $2::timestamptz + n * interval '1 hour'"
            " from generate_series(1, $3::integer) as n",
            house.home.key,
            START,
            2 * BATCH + 7,
        )
        sweepers = [Sweeper(house.db, house.settings, house.metrics, Doorbell("")) for _ in range(3)]

        async with asyncio.timeout(20):
            while (await rows(house, "select count(*) from job"))[0][0]:
                await asyncio.gather(*(sweeper.sweep() for sweeper in sweepers))

        (found,) = await rows(house, "select count(*), count(distinct reference) as references from job_archive")
        assert tuple(found) == (2 * BATCH + 7, 2 * BATCH + 7)
        assert b"jobs_archived_total 1007.0" in house.metrics.expose()


async def test_a_job_that_somebody_holds_is_left_for_another_time(house: House) -> None:
    held, free = await queue(house), await queue(house)

    async with house.db.transaction() as tx:
        await tx.connection.execute("select from job where reference = $1::text::uuid for update", held)
        assert await move(house.db, DAY_S) == (1, False)

    assert await places(house) == {held: "job", free: "job_archive_2024_05"}
    assert await move(house.db, DAY_S) == (1, False)


async def test_what_breaks_in_the_middle_has_never_been(house: House) -> None:
    reference = await queue(house)
    await log(house, reference, "said")
    before = await told(house, reference)
    await rows(
        house,
        "create function refuse() returns trigger language plpgsql as $$ begin raise 'no'; end $$",
    )
    await rows(house, "create trigger refuse before insert on job_archive for each row execute function refuse()")

    with pytest.raises(asyncpg.RaiseError):
        await move(house.db, DAY_S)

    assert await places(house) == {reference: "job"}
    assert await told(house, reference) == before
    await rows(house, "drop trigger refuse on job_archive")
    assert await move(house.db, DAY_S) == (1, False)
    assert await told(house, reference) == before


async def test_the_two_tables_have_the_same_columns(house: House) -> None:
    """Jobs move as `select *`; a migration that adds a column to one must add it to the other, and to the view."""
    columns = {
        table: [
            tuple(row)
            for row in await rows(
                house,
                "select attname, atttypid from pg_attribute"
                " where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum",
                table,
            )
        ]
        for table in ("job", "job_archive", "every_job", "job_log", "job_log_archive", "every_job_log")
    }

    assert columns["job_archive"] == columns["every_job"] == columns["job"]
    assert columns["every_job_log"] == columns["job_log"] == columns["job_log_archive"][:-1]


# -- coming back -----------------------------------------------------------------------------------------------------


async def test_an_archived_halted_job_can_be_queued_again(house: House) -> None:
    halted = await queue(house, state="halted", error={"code": "failed", "message": "why"})
    completed = await queue(house)
    await log(house, halted, "before")
    (before,) = await rows(house, "select id, params::text from job where reference = $1::text::uuid", halted)
    await move(house.db, DAY_S)

    reply = await house.call("jobs", "update", {"references": [halted, completed], "status": "queued"})

    assert [(each["status"], each["state"]) for each in reply.data] == [("ok", "queued"), ("error", "completed")]
    assert await places(house) == {halted: "job", completed: "job_archive_2024_05"}
    (after,) = await rows(house, "select id, params::text from job where state = 'queued'")
    assert after == before
    (record,) = await told(house, halted)
    assert (record["status"], record["dt_completed"], record["error"]) == ("queued", None, None)
    assert [entry["message"] for entry in record["data"]["log"]] == ["before"]
    assert (await rows(house, "select count(*) from job_log_archive"))[0][0] == 0


async def test_an_archived_job_takes_being_cancelled_like_any_other(house: House) -> None:
    references = [await queue(house, state="halted"), await queue(house)]
    await move(house.db, DAY_S)

    reply = await house.call("jobs", "update", {"references": references, "status": "halted"})

    assert [(each["status"], each["state"]) for each in reply.data] == [("ok", "halted"), ("error", "completed")]


async def test_a_job_is_never_missed_however_it_moves(house: House) -> None:
    """One side archives, the other queues again and cancels; at every moment `jobs` get finds the job, once."""
    await rows(house, "update consumer set unlimited = true")
    reference = await queue(house, state="halted")
    looks = 0

    async def move_to_and_fro() -> None:
        for _ in range(30):
            assert await move(house.db, 0) == (1, False)
            for status in ("queued", "halted"):
                reply = await house.call("jobs", "update", {"references": [reference], "status": status})
                assert reply.data[0]["status"] == "ok"

    moving = asyncio.create_task(move_to_and_fro())
    while not moving.done():
        found = await house.call("jobs", "get", {"references": [reference]})
        assert [each["reference"] for each in found.data] == [reference]
        looks += 1
    await moving

    assert looks > 10


async def test_a_job_that_waited_for_an_archived_one_begins(house: House) -> None:
    first = await queue(house, state="halted")
    async with house.db.transaction(1) as tx:
        later = jobs.FollowUp(consumer_key=house.home.key, type="toy", params={}, after=uuid.UUID(first))
        await jobs.follow_up(tx, 1, [later])
    await move(house.db, DAY_S)

    await Sweeper(house.db, house.settings, house.metrics, Doorbell("")).sweep()

    (row,) = await rows(house, "select after, run_at < clock_timestamp() as is_due from job")
    assert tuple(row) == (None, True)


# -- a sweep among many finished jobs --------------------------------------------------------------------------------

SWEPT: dict[str, tuple[Any, ...]] = {
    "job_gauges": (),
    "queue_depths": (),
    "has_due_jobs": (),
    "expire_leases": (500, timedelta(seconds=1), 3, b"{}", b"{}"),
    "release_waiting": (500,),
    "pick_finished_jobs": (timedelta(days=1), 500, 1_000_000),
}


async def test_no_sweep_reads_all_finished_jobs(house: House) -> None:
    """It would, every second, if a statement asked for something that no index is about."""
    await rows(
        house,
        "insert into job (reference, organisation_id, consumer_key, type, state, params, completed_at)"
        " select gen_random_uuid(), 1, 'k', 'toy', 'completed', '{}', clock_timestamp() from generate_series(1, 20000)",
    )
    await rows(house, "analyze job")

    plans = {
        name: [row[0] for row in await rows(house, f"explain {QUERIES[name]}", *args)] for name, args in SWEPT.items()
    }

    assert {name: plan for name, plan in plans.items() if "Seq Scan on job" in " ".join(plan)} == {}


# -- forgetting ------------------------------------------------------------------------------------------------------


def months_ago(count: int) -> datetime:
    """The middle of the month that was so many months ago."""
    now = datetime.now(UTC)
    year, month = divmod(now.year * 12 + now.month - 1 - count, 12)
    return datetime(year, month + 1, 15, tzinfo=UTC)


async def test_months_are_dropped_with_their_logs_when_they_were_kept_long_enough(house: House) -> None:
    references = [await queue(house, created_at=months_ago(count)) for count in (1, 2, 3, 14)]
    for reference in references:
        await log(house, reference, "said")
    await move(house.db, 1)

    await drop_months(house.db, 2)

    assert sorted(await places(house)) == sorted(references[:2])
    assert (await rows(house, "select count(*) from job_log_archive"))[0][0] == 2
    await drop_months(house.db, 1)
    assert list(await places(house)) == references[:1]


async def test_a_month_that_is_being_read_is_dropped_another_time(house: House) -> None:
    reference = await queue(house)
    await move(house.db, DAY_S)

    async with house.db.reading(1) as tx:
        await tx.connection.fetch("select from job_archive")
        await drop_months(house.db, 1)
        assert list(await places(house)) == [reference]

    await drop_months(house.db, 1)
    assert await places(house) == {}


async def test_the_sweeper_drops_months_only_where_it_is_told_to(make_house: MakeHouse) -> None:
    for kept_months, left in ((0, 1), (1, 0)):
        async with make_house(sweep_s=3600, archive_after_s=DAY_S, archive_kept_months=kept_months) as house:
            await queue(house)
            await archive.tend(house.db, house.settings, house.metrics)
            await archive.tend(house.db, house.settings, house.metrics)

            assert len(await places(house)) == left


async def test_a_role_that_owns_no_table_archives_and_drops(house: House, servers: Servers) -> None:
    reference = await queue(house)
    url = house.settings.database_url
    admin = await asyncpg.connect(servers.admin_url)
    role = f"guest_{uuid.uuid4().hex}"
    await admin.execute(f"create role {role} login")
    await rows(house, f"grant select, insert, update, delete on all tables in schema public to {role}")
    guest = await Database.connect(
        url.replace("//jobgate@", f"//{role}@"), size=1, acquire_s=3, statement_s=5, lock_s=5, name="guest"
    )
    try:
        assert await move(guest, DAY_S) == (1, False)
        found = await guest.fetch("find_all_jobs_by_reference", house.home.key, [reference], *[None] * 4, 1, False)
        assert [str(row["reference"]) for row in found] == [reference]
        await drop_months(guest, 1)
        assert await places(house) == {}
    finally:
        await guest.close()
        await admin.close()
