"""Only the clock of the database counts: that of the process jumps between ten minutes ahead and ten minutes behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from jobgate import beacons
from jobgate.testing import House
from tests.beacons.boxes import held, look, make_job, pick_up, read

pytestmark = pytest.mark.usefixtures("wild_clock")

MINUTE = timedelta(minutes=1)


async def read_clock(house: House) -> datetime:
    """What time it is where times are stored."""
    now: datetime = await house.db.fetchval("read_clock")
    return now


def seen(moment: datetime) -> str:
    """A time as a caller writes it."""
    return moment.isoformat()


async def sweep(house: House) -> None:
    """Do all that is due."""
    while await beacons.sweep(house.db, house.settings):
        pass


async def test_the_clock_is_wild(still: House) -> None:
    calls = [await still.call("beacons", "get") for _ in range(4)]

    times = [reply.meta["timestamp"] for reply in calls]
    assert max(times) - min(times) >= 1190


async def test_a_job_is_eligible_when_its_time_has_come(still: House) -> None:
    now = await read_clock(still)
    await make_job(still, "early", q_time=seen(now + 5 * MINUTE))
    come = await make_job(still, "come", q_time=seen(now - 5 * MINUTE))

    claims = [await pick_up(still) for _ in range(4)]

    assert [claim["job"]["id"] for claim in claims if claim] == [come["id"]]
    assert (await read(still, name="early"))[0]["status"] == "waiting"


async def test_a_lease_lasts_as_long_as_it_should_and_no_longer(still: House) -> None:
    await make_job(still)
    claim = await pick_up(still)
    for endpoint, action in (("starts", "set"), ("", "update"), ("", "update")):
        reply = await still.call(f"beacons/jobs/{endpoint}".rstrip("/"), action, held(claim))
        left = datetime.fromisoformat(reply.data["lease_until"]) - await read_clock(still)
        assert abs(left.total_seconds() - still.settings.beacon_lease_s) < 1.5
    await sweep(still)
    assert (await read(still))[0]["status"] == "running"

    await look(still, "update beacon_job set lease_until = clock_timestamp() - interval '1 ms'")

    for endpoint, action in (("starts", "set"), ("ends", "set"), ("", "update")):
        reply = await still.call(f"beacons/jobs/{endpoint}".rstrip("/"), action, held(claim))
        assert (reply.status, reply.meta["message"][:17]) == (409, "the lease is over")


async def test_the_times_of_a_job_are_those_of_the_database(still: House) -> None:
    began = (await read_clock(still)).replace(microsecond=0)
    await make_job(still)
    claim = await pick_up(still)
    await still.call("beacons/jobs/starts", "set", held(claim))
    job = (await still.call("beacons/jobs/ends", "set", held(claim))).data
    ended = await read_clock(still)

    for name in ("add_time", "q_time", "pickup_time", "start_time", "end_time"):
        assert began <= datetime.fromisoformat(job[name]) <= ended, name
    (beacon,) = (await still.call("beacons", "get")).data
    assert began <= datetime.fromisoformat(beacon["last_seen_at"]) <= ended


@pytest.mark.parametrize(("minutes", "is_due"), [(-5, True), (5, False)])
async def test_a_schedule_ticks_when_its_time_has_come(still: House, minutes: int, is_due: bool) -> None:
    await make_job(still, q=False, schedule=True, min="*")
    await look(still, "update beacon_job set next_run = $1", await read_clock(still) + minutes * MINUTE)

    for _ in range(4):
        await sweep(still)

    assert bool(await look(still, "select from beacon_tick where outcome = 'started'")) is is_due


async def test_a_rule_is_counted_and_refused_by_the_clock_of_the_database(still: House) -> None:
    for _ in range(2):
        now = await read_clock(still)
        rule: dict[str, Any] = {"schedule": True, "min": "*", "q": False}
        over = await still.call("beacons/jobs", "set", {"name": "over", "end_date": seen(now - MINUTE)} | rule)
        soon = await make_job(still, "soon", **(rule | {"end_date": seen(now + 5 * MINUTE)}))
        for _ in range(2):
            for flag in ("false", "true"):
                await still.call("beacons/jobs", "update", {"job_id": soon["id"], "schedule_active": flag})
            (listed, *_) = (await still.call("beacons/jobs/scheduled", "get")).data
            next_run = datetime.fromisoformat(listed["next_run"])
            assert now < next_run <= now + 1.5 * MINUTE
        assert over.status == 400
