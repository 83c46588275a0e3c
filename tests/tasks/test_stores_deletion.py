"""Jobs of jobs/stores-deletion: a store goes with all that it has, and the last one stays."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from jobgate import definitions, wire
from jobgate.db import Record
from jobgate.stores import sweeping
from jobgate.stores.binding import bind
from jobgate.stores.ending import mark_for_deletion
from jobgate.stores.logs import say
from jobgate.stores.validating import Verdict, judge
from jobgate.tasks import stores_deletion, validation
from jobgate.tasks.validation import Validation
from jobgate.testing import House
from tests.full_stores import count_everything, fill
from tests.killing import kill_worker
from tests.stored_statements import look, make, plan_job, read_last_job, record

NOW = {"repeat": "on", "date": "2999-01-01", "replay": True}


async def find_id(house: House, slug: str) -> int:
    """The id of a store."""
    (store,) = (await house.call("xapi/stores", "get", {"slug": [slug]})).data
    id: int = store["id"]
    return id


async def plan(house: House, store_id: int) -> Any:
    """Save a deletion that is to run at once; the answer."""
    return await house.call("jobs/stores-deletion", "set", NOW | {"store_id": store_id})


async def delete(house: House, slug: str) -> dict[str, Any]:
    """Delete a store; the record of the job."""
    assert (await plan(house, await find_id(house, slug))).status == 200
    await house.carry()
    return await read_last_job(house)


async def read_halted(house: House) -> list[dict[str, Any]]:
    """The jobs that ended badly, newest first."""
    wanted = {"status": ["halted"], "include": ["type", "error"]}
    found = (await house.call("jobs", "get", wanted)).data
    assert isinstance(found, list)
    return found


async def test_everything_of_the_store_goes_and_nothing_else(house: House) -> None:
    for slug in ("kept", "gone"):
        await fill(house, slug)
    kept, gone = await find_id(house, "kept"), await find_id(house, "gone")
    before = await count_everything(house, kept)
    assert all(before.values()), "there is something of everything"

    job = await delete(house, "gone")

    assert await count_everything(house, gone) == dict.fromkeys(before, 0)
    assert await count_everything(house, kept) == before
    assert [store["slug"] for store in (await house.call("xapi/stores", "get")).data] == ["kept"]
    (result,) = job["results"]
    counts = {"jobs": 1, "statements": 4, "activities": 3, "agents": 4, "persons": 1, "states": 1, "terms": 2}
    counts |= {"activity-profiles": 1, "agent-profiles": 1, "attachments": 1, "tokens": 1, "clients": 1}
    logged = result["deleted"].pop("logs")
    assert (result["store"], result["deleted"], logged > 0) == ("gone", counts, True)
    (audited,) = await look(house, "select detail from audit where act = 'jobs.stores-deletion'")
    told = wire.decode(audited["detail"], dict[str, Any])
    assert (told["store"], told["deleted"]) == ("gone", counts | {"logs": logged})
    entries = (await house.call("xapi/logs", "get", {"text": "deleted records"})).data
    assert [(entry["store"], entry["data"]["store"]) for entry in entries] == [(None, "gone")]
    (saved,) = (await house.call("jobs/stores-deletion", "get")).data
    assert (saved["settings"], saved["success"]) == ({"store_id": gone}, True)


async def test_the_last_store_stays(house: House) -> None:
    for slug in ("one", "two"):
        await house.call("xapi/stores", "set", {"slug": slug})
    for slug in ("one", "two"):
        assert (await plan(house, await find_id(house, slug))).status == 200
    await house.carry()

    (left,) = (await house.call("xapi/stores", "get")).data
    refused = await plan(house, left["id"])
    unknown = await plan(house, left["id"] + 100)

    assert left["status"] == "ready"
    assert (await read_halted(house))[0]["error"]["message"].startswith("the last store cannot be deleted")
    assert (refused.status, refused.code) == (409, 20011)
    assert (unknown.status, unknown.code) == (400, 20004)


async def test_it_runs_once(house: House) -> None:
    for slug in ("one", "two"):
        await house.call("xapi/stores", "set", {"slug": slug})
    store_id = await find_id(house, "two")
    later = {"repeat": "on", "date": "2999-01-01", "store_id": store_id}
    (saved,) = (await house.call("jobs/stores-deletion", "set", later)).data
    changed = {"id": saved["id"], "repeat": "hourlyAt", "minute": 1, "store_id": store_id}
    definition = {"name": "n", "type": "stores-deletion", "params": {"store_id": store_id}, "schedule": {"min": 1}}

    refused = [
        await house.call("jobs/stores-deletion", "set", {"repeat": "everyMinute", "store_id": store_id}),
        await house.call("jobs/stores-deletion", "update", changed),
        await house.call("jobs/definitions", "set", definition),
        await house.call("jobs/definitions", "update", {"id": saved["id"], "schedule": {"repeat": "everyMinute"}}),
    ]

    assert [(reply.status, reply.code) for reply in refused] == [(400, 20004)] * 4
    assert all("`repeat`" in reply.meta["message"] for reply in refused)
    unscheduled = await house.call("jobs/definitions", "update", {"id": saved["id"], "schedule": None})
    assert unscheduled.status == 200


async def test_other_jobs_of_the_store_are_stopped(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for slug in ("main", "other"):
        await house.call("xapi/stores", "set", {"slug": slug})
    await record(house, [make(1)], validate_statements=False)
    store_id = await find_id(house, "main")
    await plan_job(house, "validation", clear=False)
    await plan_job(house, "clearing", service="all", until="now")
    await look(house, "update job set run_at = run_at + interval '1 hour' where type = 'clearing'")

    async def judge_too_long(rows: Sequence[Record]) -> list[Verdict]:
        async with house.db.transaction(1) as tx:
            await mark_for_deletion(tx, 1, store_id)
            assert await definitions.delete_of_store(tx, 1, store_id, 1000) == 2
        return await judge(rows)

    monkeypatch.setattr(validation, "judge", judge_too_long)
    await house.carry()

    errors = {job["type"]: job["error"] for job in await read_halted(house)}
    assert errors == {
        "validation": {"code": "failed", "message": "the store 'main' is being deleted"},
        "clearing": {"code": "cancelled", "message": "The store is being deleted."},
    }
    refused = await house.call("xapi/statements", "set", {"store": "main", "statements": [make(2)]})
    assert (refused.status, refused.code) == (409, 20011)


async def test_a_halted_deletion_is_taken_up_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.call("xapi/stores", "set", {"slug": "kept"})
    await fill(house, "gone")
    store_id = await find_id(house, "gone")
    monkeypatch.setattr(sweeping, "MAX_ERASED", 2)
    calls = []

    async def refuse_later(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 3:
            await look(house, "update job set failures = 100 where state = 'running'")
            raise RuntimeError("the power is gone")
        await delete_batch(*args)

    delete_batch = sweeping.delete_batch
    monkeypatch.setattr(stores_deletion, "delete_batch", refuse_later)
    await plan(house, store_id)
    await house.carry()
    (marked,) = (await house.call("xapi/stores", "get", {"slug": ["gone"]})).data

    again = await plan(house, store_id)
    await house.carry()

    assert (marked["status"], again.status) == ("deleting", 200)
    assert set((await count_everything(house, store_id)).values()) == {0}
    assert [store["slug"] for store in (await house.call("xapi/stores", "get")).data] == ["kept"]


async def test_a_worker_that_is_killed_changes_nothing_about_the_end(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "kept"})
    await fill(house, "gone", statements=1010)
    store_id = await find_id(house, "gone")
    await plan(house, store_id)

    await kill_worker(house, "before checkpoint_job", 5)
    left = await count_everything(house, store_id)
    await house.carry()

    assert (left["xapi_statement"], left["xapi_agent"]) == (11, 1011)
    deleted = (await read_last_job(house))["results"][0]["deleted"]
    assert (deleted["statements"], deleted["activities"], deleted["agents"]) == (1011, 1010, 1011)
    assert set((await count_everything(house, store_id)).values()) == {0}


async def test_what_gets_in_before_the_mark_is_waited_for(house: House) -> None:
    """A job that is being saved, and an entry that is being logged: neither is left behind."""
    for slug in ("main", "other"):
        await house.call("xapi/stores", "set", {"slug": slug})
    store_id = await find_id(house, "main")

    async def mark() -> None:
        async with house.db.transaction(1) as tx:
            await mark_for_deletion(tx, 1, store_id)

    async with house.db.transaction(1) as tx:
        await bind(tx, 1, "validation", Validation(clear=False, store="main"))
        marking = asyncio.create_task(mark())
        async with asyncio.timeout(10):
            while not await is_anybody_waiting(house):
                await asyncio.sleep(0.005)
        assert not marking.done()
    await marking

    await look(house, "delete from xapi_log")
    async with house.db.transaction(1) as tx:
        await say(tx, 1, store_id, "the last word")
        await plan(house, store_id)
        carrying = asyncio.create_task(house.carry())
        async with asyncio.timeout(10):
            while not await is_anybody_waiting(house):
                await asyncio.sleep(0.005)
    await carrying
    assert await look(house, "select from xapi_log where store_id is not null or description = 'the last word'") == []
    async with house.db.transaction(1) as tx:
        await say(tx, 1, store_id, "too late")
    (entry,) = await look(house, "select store_id from xapi_log where description = 'too late'")
    assert entry["store_id"] is None


async def is_anybody_waiting(house: House) -> bool:
    """Whether a transaction waits for another."""
    (row,) = await look(
        house,
        "select exists (select from pg_locks where not granted and pid in ("
        " select pid from pg_stat_activity where datname = current_database())) as waiting",
    )
    return bool(row["waiting"])
