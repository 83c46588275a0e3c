"""Scheduled jobs: made by the source's flags, listed, switched off and on; one tick is one job."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from jobgate import beacons
from jobgate.testing import House
from tests.beacons.boxes import held, make_job, pick_up, read


async def schedule(house: House, **options: Any) -> dict[str, Any]:
    """A scheduled job."""
    return await make_job(house, "nightly", q=False, **(dict[str, Any](schedule="true", min=30, hour="2") | options))


async def run_sql(house: House, sql: str, *args: Any) -> list[Any]:
    """Move clocks in the tables."""
    async with house.db.transaction(1) as tx:
        return await tx.connection.fetch(sql, *args)


async def sweep(house: House) -> None:
    """Sweep until nothing is left to do."""
    while await beacons.sweep(house.db, house.settings):
        pass


async def test_a_scheduled_job_is_listed_with_its_rule_and_next_run(house: House) -> None:
    job = await schedule(house, zone="Europe/Vienna", start_date="2998-06-30T12:00:00Z")
    await make_job(house)

    reply = await house.call("beacons/jobs/scheduled", "get")

    assert job["status"] == "scheduled"
    assert reply.data == [
        {
            "id": job["id"],
            "name": "nightly",
            "active": True,
            "next_run": "2998-07-01T00:30:00Z",
            "schedule": {"min": "30", "hour": "2", "start_date": "2998-06-30T12:00:00Z"}
            | {name: reply.data[0]["schedule"][name] for name in ("min", "hour")},
            "zone": "Europe/Vienna",
        }
    ]


async def test_calendar_parameters_are_ignored_where_nothing_is_scheduled(house: House) -> None:
    job = await make_job(house, schedule="yes", min=-7, dom="never", zone="Nowhere", end_date="soon")

    assert job["status"] == "eligible"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"min": 60}, "min"),
        ({"hour": "24"}, "hour"),
        ({"zone": "Europe/Atlantis"}, "zone"),
        ({"dom": 30, "month": 2}, "day"),
        ({"end_date": 1000}, "end_date"),
        ({"min": None, "hour": None}, "repeat"),
    ],
)
async def test_a_rule_that_makes_no_sense_or_never_fires_is_refused(
    house: House, options: dict[str, Any], name: str
) -> None:
    request = {"name": "nightly", "schedule": True, "min": 30, "hour": 2} | options

    reply = await house.call("beacons/jobs", "set", request)

    assert reply.status == 400
    assert name in reply.meta["message"]


async def test_a_due_tick_makes_one_job_however_many_sweep(house: House) -> None:
    job = await schedule(house)
    await run_sql(house, "update beacon_job set next_run = date_trunc('minute', clock_timestamp())")

    await asyncio.gather(*(sweep(house) for _ in range(4)))

    runs = [each for each in await read(house) if each["scheduled_id"] == job["id"]]
    assert [(run["status"], run["total_tasks"], run["name"]) for run in runs] == [("eligible", 2, "nightly")]
    claim = await pick_up(house)
    assert (claim["job"]["id"], claim["tasks"]) == (runs[0]["id"], [{"step": 1}, {"step": 2}])


async def test_a_run_is_skipped_while_the_one_before_has_not_ended(house: House) -> None:
    await schedule(house)
    due = "update beacon_job set next_run = clock_timestamp() - make_interval(secs => $1) where schedule is not null"
    await run_sql(house, due, 2.0)
    await sweep(house)
    await run_sql(house, due, 1.0)
    await sweep(house)

    claim = await pick_up(house)
    assert await pick_up(house) == []
    await house.call("beacons/jobs/ends", "set", held(claim))
    await run_sql(house, due, 0.0)
    await sweep(house)

    assert (await pick_up(house))["job"]["due_at"] is not None
    outcomes = await run_sql(house, "select outcome from beacon_tick order by due_at")
    assert [row["outcome"] for row in outcomes] == ["started", "skipped", "started"]


async def test_after_a_standstill_the_latest_tick_runs_and_the_others_are_recorded_as_missed(house: House) -> None:
    await schedule(house, min="*", hour="*")
    await run_sql(
        house, "update beacon_job set next_run = date_trunc('minute', clock_timestamp()) - interval '50 hours'"
    )

    await sweep(house)

    counted = await run_sql(house, "select outcome, count(*) from beacon_tick group by outcome order by outcome")
    assert [tuple(row) for row in counted] in ([("missed", 3000), ("started", 1)], [("missed", 3001), ("started", 1)])
    (scheduled,) = (await house.call("beacons/jobs/scheduled", "get")).data
    (run,) = await read(house, status=["eligible"])
    assert run["due_at"] < scheduled["next_run"]


async def test_a_rule_in_a_zone_that_is_no_longer_known_comes_to_rest_and_stops_nobody_else(house: House) -> None:
    await schedule(house)
    lost = await schedule(house, zone="Europe/Berlin")
    due = "update beacon_job set zone = case when id = $1 then 'Europe/Atlantis' else zone end, next_run = now()"
    await run_sql(house, due, uuid.UUID(lost["id"]))

    await sweep(house)

    (run,) = await read(house, status=["eligible"])
    assert run["scheduled_id"] != lost["id"]
    (resting,) = [each for each in (await house.call("beacons/jobs/scheduled", "get")).data if each["id"] == lost["id"]]
    assert resting["next_run"] is None


async def test_a_tick_that_is_hours_late_is_missed(house: House) -> None:
    await schedule(house, dom=1, month=1)
    await run_sql(house, "update beacon_job set next_run = clock_timestamp() - interval '2 hours'")

    await sweep(house)

    assert await pick_up(house) == []


@pytest.mark.parametrize(
    ("flag", "active"),
    [("false", False), ("0", False), (False, False), (0, False), ("no", True), ("FALSE", True)],
    ids=repr,
)
async def test_schedule_active_is_off_for_false_and_0_and_on_for_anything_else(
    house: House, flag: Any, active: bool
) -> None:
    job = await schedule(house)
    update = {"job_id": job["id"], "schedule_active": not active}
    await house.call("beacons/jobs", "update", update)

    await house.call("beacons/jobs", "update", {"job_id": job["id"], "schedule_active": flag})

    (listed,) = (await house.call("beacons/jobs/scheduled", "get")).data
    assert (listed["active"], listed["next_run"] is not None) == (active, active)


async def test_ticks_are_not_made_up_for_a_job_that_was_switched_off(house: House) -> None:
    job = await schedule(house, min="*", hour="*")
    await house.call("beacons/jobs", "update", {"job_id": job["id"], "schedule_active": "false"})
    await run_sql(house, "update beacon_job set next_run = clock_timestamp() - interval '10 minutes'")
    await sweep(house)
    await house.call("beacons/jobs", "update", {"job_id": job["id"], "schedule_active": "yes"})
    await sweep(house)

    assert await run_sql(house, "select from beacon_tick") == []


async def test_schedule_active_changes_no_other_job(house: House) -> None:
    job = await make_job(house)

    update = {"job_id": job["id"], "schedule_active": "false"}
    assert (await house.call("beacons/jobs", "update", update)).data == job
