"""Jobs of jobs/clearing: what is old enough goes, with all that hangs on it, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobgate.stores import sweeping
from jobgate.testing import House
from tests.killing import kill_worker
from tests.stored_statements import look, make, plan_job, read_last_job, record, run_job

CUTOFF = datetime(2026, 3, 31, 12, tzinfo=UTC)
QUIZ = "https://school.example/quiz/1"

TABLES = {
    "statements": "xapi_statement where true",
    "activities": "xapi_activity where true",
    "agents": "xapi_agent where true",
    "activity-profiles": "xapi_document where kind = 'activity-profiles'",
    "agent-profiles": "xapi_document where kind = 'agent-profiles'",
    "states": "xapi_document where kind = 'states'",
}


async def clear(house: House, **params: Any) -> dict[str, Any]:
    """Run a clearing to its end; the record of its job."""
    return await run_job(house, "clearing", **params)


async def fill(house: House, count: int, store: str = "main") -> None:
    """A store with so many of everything that a service has."""
    await house.call("xapi/stores", "set", {"slug": store})
    statements = [make(number, object={"id": f"{QUIZ}/{number}"}) for number in range(count)]
    for start in range(0, count, 1000):
        await record(house, statements[start : start + 1000], store=store)


async def add_documents(house: House, count: int) -> None:
    """So many documents of each kind, into the store `main`."""
    for number in range(count):
        agent, activity = {"agent": make(number)["actor"]}, {"activity_id": f"{QUIZ}/{number}"}
        for service, owner in (
            ("states", agent | activity | {"state_id": "s"}),
            ("activity-profiles", activity | {"profile_id": "p"}),
            ("agent-profiles", agent | {"profile_id": "p"}),
        ):
            request = {"store": "main", "service": service, "content": number} | owner
            assert (await house.call("xapi/documents", "set", request)).status == 200


async def move_all(house: House, table: str, first: datetime) -> None:
    """Let the records of a table have come one microsecond after the other from a time on."""
    name, _, wanted = table.partition(" where ")
    updated = ", updated = moved.at" if name == "xapi_document" else ""
    await look(
        house,
        "with moved as (select number,"
        " $1::timestamptz + interval '1 microsecond' * (row_number() over (order by number) - 1) as at"
        f" from {name} where {wanted})"
        f" update {name} set stored = moved.at{updated} from moved where {name}.number = moved.number",
        first,
    )
    if name == "xapi_statement":
        for link in ("xapi_statement_agent", "xapi_statement_activity"):
            await look(
                house,
                f"update {link} set stored = statement.stored from xapi_statement as statement"
                f" where {link}.number = statement.number",
            )


async def count(house: House, table: str) -> int:
    """How many records there are."""
    (row,) = await look(house, f"select count(*) from {table}")
    found: int = row["count"]
    return found


async def test_what_was_recorded_up_to_the_cutoff_goes_service_by_service(house: House) -> None:
    await fill(house, 3)
    await add_documents(house, 3)
    for table in TABLES.values():
        await move_all(house, table, CUTOFF - timedelta(microseconds=1))

    for service, table in TABLES.items():
        before = {other: await count(house, each) for other, each in TABLES.items()}

        job = await clear(house, service=service, until="date", until_date=CUTOFF.isoformat())

        assert job["results"][0] == {"status": "ok", "until": "2026-03-31T12:00:00Z", "deleted": {service: 2}}
        assert {other: await count(house, each) for other, each in TABLES.items()} == before | {service: 1}
        (left,) = await look(house, f"select stored from {table}")
        assert left["stored"] == CUTOFF + timedelta(microseconds=1)
    for link in ("agent", "activity"):
        assert await count(house, f"xapi_statement_{link} where place < 2") == 1


async def test_a_document_that_was_changed_since_stays(house: House) -> None:
    await fill(house, 0)
    await add_documents(house, 2)
    await move_all(house, "xapi_document where true", CUTOFF - timedelta(days=1))
    await look(house, "update xapi_document set updated = $1 where content = '1'::bytea", CUTOFF + timedelta(hours=1))

    job = await clear(house, service="all", until="date", until_date=CUTOFF.isoformat())

    deleted = job["results"][0]["deleted"]
    assert [deleted[kind] for kind in ("states", "activity-profiles", "agent-profiles")] == [1, 1, 1]
    assert await count(house, "xapi_document where content = '1'::bytea") == await count(house, "xapi_document") == 3


async def test_contents_go_with_the_last_statement_that_has_them_attached(house: House) -> None:
    await fill(house, 2)
    await look(house, "update xapi_statement set attachments = '{ab}'")
    await look(
        house,
        "insert into xapi_statement_attachment select organisation_id, store_id, 'ab', number from xapi_statement",
    )
    await look(
        house,
        "insert into xapi_attachment (organisation_id, store_id, sha2, content_type, content)"
        " select organisation_id, store_id, 'ab', 'text/plain', 'x' from xapi_statement limit 1",
    )
    await move_all(house, "xapi_statement where true", CUTOFF)

    for until, left in ((CUTOFF, 1), (CUTOFF + timedelta(microseconds=1), 0)):
        await clear(house, service="statements", until="date", until_date=until.isoformat())

        assert await count(house, "xapi_attachment") == await count(house, "xapi_statement_attachment") == left


async def test_batches_go_on_behind_each_other_and_look_ahead_a_part(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(house, 7)
    monkeypatch.setattr(sweeping, "MAX_ERASED", 2)
    monkeypatch.setattr(sweeping, "COUNTED", 3)

    job = await clear(house, service="all", until="now")

    deleted = job["results"][0]["deleted"]
    assert (deleted["statements"], deleted["activities"], deleted["agents"]) == (7, 7, 7)
    assert job["progress"] == {"done": 21, "total": 21}
    assert [entry["message"] for entry in job["data"]["log"]][-1] == "Deleted"
    assert job["data"]["log"][0]["counters"] == {"found": 3}


async def test_a_worker_that_is_killed_changes_nothing_about_the_end(house: House) -> None:
    ends = []
    for store in ("calm", "main"):
        await fill(house, 1200, store)
        await plan_job(house, "clearing", store=store, service="all", until="now")
        if store == "main":
            await kill_worker(house, "before checkpoint_job", 2)
            (progress,) = await look(house, "select progress from job where state = 'running'")
            assert progress["progress"] == b'{"done":1000,"total":3600}'
        await house.carry()
        ends.append((await read_last_job(house))["results"][0]["deleted"])

    assert ends[0]["statements"] == ends[0]["activities"] == 1200
    assert ends[1] == ends[0]
    assert await count(house, "xapi_statement") == await count(house, "xapi_statement_agent") == 0


async def test_each_ready_store_gets_a_job_of_its_own(house: House) -> None:
    for slug in ("one", "two"):
        await house.call("xapi/stores", "set", {"slug": slug})

    saved = (await house.call("jobs/clearing", "set", {"repeat": "now", "service": "all", "until": "now"})).data

    assert {each["store"] for each in saved} == {"one", "two"}
    (found,) = (await house.call("jobs/clearing", "get", {"store": "two", "service": "all"})).data
    assert found["settings"] == {"until": "now", "until_date": None}


async def test_what_was_deleted_is_audited(house: House) -> None:
    await fill(house, 1)

    job = await clear(house, service="statements", until="now")

    (row,) = await look(house, "select detail from audit where act = 'jobs.clearing'")
    assert job["reference"] in row["detail"].decode()
    assert b"learner" not in row["detail"]
