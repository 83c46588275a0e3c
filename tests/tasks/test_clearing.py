"""Jobs of jobs/clearing: what is old enough goes, with all that hangs on it, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobgate.stores import erasing
from jobgate.stores.clearing import clear_old
from jobgate.tasks import clearing
from jobgate.testing import House
from tests.stored_statements import look, make, move, record, run_job

CUTOFF = datetime(2026, 3, 31, 12, tzinfo=UTC)


async def clear(house: House, **params: Any) -> dict[str, Any]:
    """Run a clearing to its end; the record of its job."""
    return await run_job(house, "clearing", **params)


async def fill(house: House, count: int) -> None:
    """A store with statements that were recorded up to the cutoff: one before, one then, one after, and so on."""
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(number) for number in range(count)])
    for place in range(count):
        moment = CUTOFF + timedelta(microseconds=place - count // 2)
        await move(house, make(place)["id"], moment)


async def test_what_was_recorded_up_to_the_cutoff_goes(house: House) -> None:
    await fill(house, 3)

    job = await clear(house, service="statements", until="date", until_date=CUTOFF.isoformat())

    assert job["results"][0]["deleted"] == {"statements": 2}
    rows = await look(house, "select id from xapi_statement")
    assert [str(row["id"]) for row in rows] == [make(2)["id"]]  # a microsecond after the cutoff
    for table in ("agent", "activity"):
        assert len(await look(house, f"select from xapi_statement_{table} where place < 2")) == 1


async def test_all_services_are_cleared(house: House) -> None:
    await fill(house, 3)

    job = await clear(house, service="all", until="now")

    deleted = job["results"][0]["deleted"]
    assert (deleted["statements"], deleted["activities"], deleted["agents"]) == (3, 1, 3)
    assert await look(house, "select from xapi_agent") == []


async def test_a_run_that_dies_goes_on_where_it_was(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(house, 7)
    monkeypatch.setattr("jobgate.stores.clearing.MAX_ERASED", 2)
    calls = []

    async def die_once(*args: Any) -> int:
        calls.append(args)
        gone = await erasing_old(*args)
        if len(calls) == 2:
            raise RuntimeError("the power is gone")
        return gone

    erasing_old = clear_old
    monkeypatch.setattr(clearing, "clear_old", die_once)

    job = await clear(house, service="statements", until="now")

    assert job["results"][0]["deleted"] == {"statements": 7}
    assert erasing.MAX_ERASED == 1000


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
