"""Jobs of jobs/logs-deletion: entries up to a level and a time go, of one store or of all and none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobgate import wire
from jobgate.stores import sweeping
from jobgate.testing import House
from tests.killing import kill_worker
from tests.stored_statements import look, read_last_job

CUTOFF = datetime(2026, 3, 31, 12, tzinfo=UTC)


async def delete(house: House, **params: Any) -> dict[str, Any]:
    """Run a deletion to its end; the record of its job."""
    await plan(house, **params)
    await house.carry()
    return await read_last_job(house)


async def plan(house: House, **params: Any) -> None:
    """Save a deletion that is to run at once."""
    request = {"repeat": "on", "date": "2999-01-01", "replay": True, "until": "date", "until_date": CUTOFF.isoformat()}
    assert (await house.call("jobs/logs-deletion", "set", request | params)).status == 200


async def fill(house: House, times: int = 1) -> None:
    """Entries of all levels about two stores and about none: just before the cutoff, then, and just after it."""
    for slug in ("one", "two"):
        await house.call("xapi/stores", "set", {"slug": slug})
    await look(house, "delete from xapi_log")
    await look(
        house,
        "insert into xapi_log (organisation_id, store_id, type, level, description, stored)"
        " select 1, store.id, 'api', level, 'entry', $1::timestamptz + interval '1 microsecond' * late"
        " from generate_series(0, 7) as level, generate_series(-1, 1) as late, generate_series(1, $2),"
        " (select id from xapi_store union all select null) as store",
        CUTOFF,
        times,
    )


async def left(house: House) -> dict[str | None, list[tuple[int, int]]]:
    """The levels that are left, with the microseconds after the cutoff, by store."""
    rows = await look(
        house,
        "select slug, level, stored from xapi_log left join xapi_store on xapi_store.id = store_id"
        " where description = 'entry' order by level, stored",
    )
    found: dict[str | None, list[tuple[int, int]]] = {}
    for row in rows:
        late = (row["stored"] - CUTOFF) // timedelta(microseconds=1)
        found.setdefault(row["slug"], []).append((row["level"], late))
    return found


ALL = [(level, late) for level in range(8) for late in (-1, 0, 1)]


async def test_entries_up_to_the_level_and_the_cutoff_go(house: House) -> None:
    await fill(house)

    of_one = await delete(house, store="one", max_level=3)
    after_one = await left(house)
    everywhere = await delete(house, max_level=0)
    after_all = await left(house)

    assert of_one["results"] == [{"status": "ok", "until": "2026-03-31T12:00:00Z", "deleted": {"logs": 8}}]
    kept = [(level, late) for level, late in ALL if level > 3 or late == 1]
    assert after_one == {"one": kept, "two": ALL, None: ALL}
    assert everywhere["results"][0]["deleted"] == {"logs": 4}
    rest = [(level, late) for level, late in ALL if level > 0 or late == 1]
    assert after_all == {"one": kept, "two": rest, None: rest}
    details = [wire.decode(row["detail"], dict[str, Any]) for row in await look(house, "select detail from audit")]
    assert [(each["store"], each["deleted"]) for each in details if "job" in each] == [
        ("one", {"logs": 8}),
        (None, {"logs": 4}),
    ]


async def test_level_seven_is_everything_and_it_is_one_job(house: House) -> None:
    await fill(house)

    job = await delete(house, max_level=7, until="now")

    assert job["results"][0]["deleted"]["logs"] >= 72
    assert await left(house) == {}
    (saved,) = (await house.call("jobs/logs-deletion", "get")).data
    assert (saved["store"], saved["settings"]["max_level"]) == (None, 7)


async def test_batches_pass_over_what_stays(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(house)
    monkeypatch.setattr(sweeping, "MAX_ERASED", 3)

    job = await delete(house, max_level=4)

    assert job["results"][0]["deleted"] == {"logs": 30}
    assert job["progress"] == {"done": 30, "total": 30}


async def test_a_worker_that_is_killed_changes_nothing_about_the_end(house: House) -> None:
    await fill(house, times=50)
    await plan(house, max_level=4)

    await kill_worker(house, "before checkpoint_job", 2)
    await house.carry()

    job = await read_last_job(house)
    assert job["results"][0]["deleted"] == {"logs": 1500}
    (count,) = await look(house, "select count(*) from xapi_log where description = 'entry'")
    assert count["count"] == 3600 - 1500


@pytest.mark.parametrize("wrong", [{"max_level": 8}, {"max_level": -1}, {}, {"max_level": 1, "store": "three"}])
async def test_what_makes_no_sense_is_refused(house: House, wrong: dict[str, Any]) -> None:
    reply = await house.call("jobs/logs-deletion", "set", {"repeat": "now", "until": "now"} | wrong)

    assert reply.status == 400
