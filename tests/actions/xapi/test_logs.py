"""xapi/logs: what is logged about stores, and found again."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from jobgate import jobs
from jobgate.db import Record
from jobgate.doorbell import Doorbell
from jobgate.stores.validating import Verdict, judge
from jobgate.sweeper import Sweeper
from jobgate.tasks import validation
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.stored_statements import look, make, plan_job, record, run_job


async def read(house: House, **request: Any) -> list[Any]:
    """Entries that fit."""
    found = (await house.call("xapi/logs", "get", request)).data
    assert isinstance(found, list)
    return found


async def descriptions(house: House, **request: Any) -> list[str]:
    """What they say, the oldest first."""
    return [entry["description"] for entry in reversed(await read(house, **request))]


async def test_what_happens_to_a_store_is_logged(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await house.call("xapi/stores", "set", {"slug": "other"})
    await house.call("xapi/stores", "update", {"slug": "main", "name": "The store"})
    await record(house, [make(1), make(2, verb={})])
    job = await run_job(house, "validation", clear=False)

    entries = await read(house, store="main")

    assert [(entry["description"], entry["level_name"]) for entry in reversed(entries)] == [
        ("Created the store", "info"),
        ("Renamed the store", "info"),
        ("Statements were refused", "notice"),
        ("A run of validation began", "debug"),
        ("A run of validation completed", "info"),
    ]
    last = entries[0]
    assert (last["store"], last["service"], last["api"]) == ("main", "validation", "jobs/validation")
    counters = {"checked": 0, "valid": 0, "invalid": 0, "deleted": 0}
    assert last["data"] == {"job": job["reference"], "feedback": "Judged statements", "counters": counters}


async def test_how_runs_end_badly_is_logged(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1)], validate_statements=False)
    await plan_job(house, "validation", clear=False)
    await look(house, "update xapi_store set status = 'deleting'")
    await house.carry()
    await look(house, "update xapi_store set status = 'ready'")
    calls = []

    async def fail_once(rows: Sequence[Record]) -> list[Verdict]:
        calls.append(rows)
        if len(calls) == 1:
            raise RuntimeError("a secret of the house")
        (running,) = await look(house, "select reference from job where state = 'running'")
        await house.call("jobs", "update", {"references": [str(running["reference"])], "status": "halted"})
        return await judge(rows)

    monkeypatch.setattr(validation, "judge", fail_once)
    await plan_job(house, "validation", clear=False)
    await house.carry()

    runs = await read(house, text="A RUN OF")

    assert [(entry["description"], entry["type"], entry["level"]) for entry in reversed(runs)] == [
        ("A run of validation failed", "console", 4),
        ("A run of validation failed, and is tried again", "exception", 3),
        ("A run of validation began", "console", 0),
        ("A run of validation was cancelled", "console", 2),
    ]
    assert runs[-1]["data"]["feedback"] == "the store 'main' is being deleted"
    assert "secret" not in str(runs)


async def test_a_run_that_lost_its_workers_is_logged(make_house: MakeHouse) -> None:
    async with make_house(max_losses=1, lease_s=0.01) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        await plan_job(house, "validation", clear=False)
        (claim,) = await jobs.claim(
            house.db, ["validation"], owner=uuid.uuid4(), lease_s=0.001, jobs=1, entries=1, suspects=False
        )
        async with asyncio.timeout(10):
            while not await read(house, level=4):  # the house's own sweeper may come first
                await Sweeper(house.db, house.settings, house.metrics, Doorbell("")).sweep()

        (lost,) = await read(house, level=4)

    assert lost["data"]["job"] == str(claim.facts.reference)
    assert "lost its worker" in lost["data"]["feedback"]


async def test_entries_are_found_by_every_filter(house: House) -> None:
    for slug in ("main", "other"):
        await house.call("xapi/stores", "set", {"slug": slug})
    await look(house, "delete from xapi_log")
    await look(
        house,
        "insert into xapi_log (organisation_id, store_id, type, level, description, stored)"
        " select 1, case n when 7 then null else (select id from xapi_store where slug = case n % 2 when 0 then 'main'"
        " else 'other' end) end, case n when 3 then 'auth' else 'api' end, n, 'Entry ' || n,"
        " timestamptz '2026-05-01 12:00:00Z' + interval '1 second' * n from generate_series(0, 7) as n",
    )

    async def find(**request: Any) -> list[int]:
        return [entry["level"] for entry in await read(house, **request)]

    assert await find() == [7, 6, 5, 4, 3, 2, 1, 0]
    assert await find(store="main") == [6, 4, 2, 0]
    assert await find(store="nowhere") == []
    assert await find(type="auth") == [3]
    assert await find(level=6) == [7, 6]
    assert await find(since="2026-05-01T12:00:02Z", until="2026-05-01T12:00:04Z") == [4, 3]
    assert await find(text="TRY 5") == [5]
    assert await find(store="other", level=2, until="2026-05-01T12:00:03Z") == [3]
    assert (await read(house, level=7))[0]["store"] is None


async def test_pages_follow_each_other(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await look(house, "update xapi_log set stored = '2026-05-01'")
    await look(
        house,
        "insert into xapi_log (organisation_id, store_id, type, level, description, stored)"
        " select organisation_id, store_id, type, n, description, stored from xapi_log, generate_series(2, 5) as n",
    )
    levels, token = list[int](), None
    for count in (2, 2, 1):
        reply = await house.call("xapi/logs", "get", {"store": "main", "limit": 2, "next": token})
        token = reply.meta.get("next")
        assert reply.meta["records"] == count
        levels += [entry["level"] for entry in reply.data]

    assert (levels, token) == ([5, 4, 3, 2, 1], None)
    refused = await house.call("xapi/logs", "get", {"next": "x"})
    assert (refused.status, refused.code) == (400, 20004)
    assert (await house.call("xapi/logs", "get", as_=house.stranger)).data == []
