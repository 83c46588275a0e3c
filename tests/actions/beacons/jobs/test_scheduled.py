"""Scheduled jobs: made by the source's flags, listed, switched off and on."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.testing import House
from tests.beacons.boxes import make_job


async def schedule(house: House, **options: Any) -> dict[str, Any]:
    """A scheduled job."""
    return await make_job(house, "nightly", q=False, **(dict[str, Any](schedule="true", min=30, hour="2") | options))


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


async def test_schedule_active_changes_no_other_job(house: House) -> None:
    job = await make_job(house)

    update = {"job_id": job["id"], "schedule_active": "false"}
    assert (await house.call("beacons/jobs", "update", update)).data == job
