"""Ticks of scheduled jobs: every nominal time once, whoever looks, however late, whatever clocks do."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobgate.beacons import ticking
from jobgate.testing import House
from tests.beacons.boxes import held, look, make_job, pick_up, read

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def schedule(house: House, since: datetime = NOON, **options: Any) -> uuid.UUID:
    """A scheduled job that runs every minute, saved at that time."""
    job = await make_job(house, "nightly", q=False, **(dict[str, Any](schedule=True, min="*") | options))
    await set_next(house, since + MINUTE, job["id"])
    return uuid.UUID(job["id"])


async def set_next(house: House, next_run: datetime, id: Any) -> None:
    """Move its next run, as if it had been saved at another time."""
    await look(house, "update beacon_job set next_run = $1 where id = $2::text::uuid", next_run, str(id))


async def tick(house: House, now: datetime) -> None:
    """Tick until nothing is due at that time."""
    while await ticking.tick(house.db, house.settings, now):
        pass


async def told(house: House) -> list[tuple[str, str]]:
    """The ticks so far: their minutes and outcomes."""
    rows = await look(house, "select * from beacon_tick order by due_at")
    return [(f"{row['due_at']:%H:%M}", row["outcome"]) for row in rows]


async def end_all(house: House) -> None:
    """All runs have ended."""
    await look(house, "update beacon_job set end_time = now() where scheduled_id is not null and end_time is null")


async def test_a_tick_is_a_row_and_makes_a_job_with_the_same_tasks(still: House) -> None:
    id = await schedule(still, tags=["gpu"], beacon_name="north", user_id="ann")

    await tick(still, NOON + timedelta(seconds=59))
    assert await told(still) == []
    await tick(still, NOON + MINUTE)

    (row,) = await look(still, "select * from beacon_tick")
    claim = await pick_up(still, beacon_name="north", tags=["gpu"])
    run = claim["job"]
    assert (row["outcome"], str(row["job_id"]), row["due_at"]) == ("started", run["id"], NOON + MINUTE)
    assert (run["scheduled_id"], run["due_at"]) == (str(id), "2026-03-01T12:01:00Z")
    assert (run["name"], run["user"], run["total_tasks"]) == ("nightly", "ann", 2)
    assert claim["tasks"] == [{"step": 1}, {"step": 2}]


async def test_many_sweepers_tick_every_scheduled_job_once(still: House) -> None:
    ids = [await schedule(still) for _ in range(10)]

    for minute in range(1, 4):
        await asyncio.gather(*(tick(still, NOON + minute * MINUTE) for _ in range(4)))
        await end_all(still)

    rows = await look(still, "select scheduled_id, due_at from beacon_job where scheduled_id is not null")
    runs = Counter((row["scheduled_id"], row["due_at"]) for row in rows)
    assert runs == Counter((id, NOON + minute * MINUTE) for id in ids for minute in range(1, 4))


async def test_a_clock_that_jumps_back_repeats_and_loses_nothing(still: House) -> None:
    await schedule(still)
    dice = random.Random(13)

    now = NOON
    for _ in range(30):
        now += timedelta(seconds=dice.randrange(5, 90))
        await tick(still, now)
        await tick(still, now - timedelta(minutes=dice.randrange(20)))

    times = [row["due_at"] for row in await look(still, "select due_at from beacon_tick order by due_at")]
    assert times == [NOON + n * MINUTE for n in range(1, len(times) + 1)]
    assert times[-1] <= now < times[-1] + MINUTE


async def test_a_run_is_skipped_while_the_one_before_has_not_ended(still: House) -> None:
    await schedule(still)

    await tick(still, NOON + MINUTE)
    claim = await pick_up(still)
    await tick(still, NOON + 2 * MINUTE)
    assert await pick_up(still) == []
    await still.call("beacons/jobs/ends", "set", held(claim))
    await tick(still, NOON + 3 * MINUTE)

    assert await told(still) == [("12:01", "started"), ("12:02", "skipped"), ("12:03", "started")]
    assert (await pick_up(still))["job"]["due_at"] == "2026-03-01T12:03:00Z"


async def test_after_a_standstill_the_latest_tick_runs_and_the_others_are_recorded_as_missed(
    still: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobgate.schedule.plans.MAX_TIMES_EACH", 300)
    await schedule(still)

    await tick(still, NOON + 1000 * MINUTE)

    assert Counter(outcome for _, outcome in await told(still)) == {"missed": 999, "started": 1}
    (run,) = await read(still, status=["eligible"])
    assert run["due_at"] == "2026-03-02T04:40:00Z"


async def test_a_tick_that_is_more_than_an_hour_late_is_missed(still: House) -> None:
    await schedule(still, NOON - MINUTE, min=0, hour="*/2")

    await tick(still, NOON + timedelta(hours=1, seconds=1))
    await tick(still, NOON + timedelta(hours=3))

    assert await told(still) == [("12:00", "missed"), ("14:00", "started")]


async def test_ticks_are_not_made_up_for_a_job_that_was_switched_off(still: House) -> None:
    id = await schedule(still)
    await still.call("beacons/jobs", "update", {"job_id": str(id), "schedule_active": "false"})
    await set_next(still, NOON + MINUTE, id)

    await tick(still, NOON + 10 * MINUTE)
    await still.call("beacons/jobs", "update", {"job_id": str(id), "schedule_active": "yes"})
    await tick(still, NOON + 10 * MINUTE)

    assert await told(still) == []


async def test_a_rule_in_a_zone_that_is_no_longer_known_comes_to_rest_and_stops_nobody_else(
    still: House, caplog: pytest.LogCaptureFixture
) -> None:
    lost, other = await schedule(still), await schedule(still)
    await look(still, "update beacon_job set zone = 'Europe/Atlantis' where id = $1", lost)

    await tick(still, NOON + MINUTE)
    await tick(still, NOON + 2 * MINUTE)

    (run,) = await read(still, status=["eligible"])
    assert run["scheduled_id"] == str(other)
    listed = (await still.call("beacons/jobs/scheduled", "get")).data
    assert {each["id"]: each["next_run"] for each in listed}[str(lost)] is None
    assert caplog.messages.count("definition.unreadable") == 1


async def test_ticks_are_forgotten_after_some_days(still: House) -> None:
    await schedule(still, min=0)

    await tick(still, NOON + timedelta(days=30))
    await tick(still, NOON + timedelta(days=31))

    (first, *_) = await look(still, "select due_at from beacon_tick order by due_at")
    assert first["due_at"] == NOON + timedelta(days=1)


async def test_runs_with_much_to_do_are_made_in_several_looks(still: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """One statement copies the tasks of all runs of a look: it must end in time."""
    for _ in range(5):
        await schedule(still, tasks=[{"text": "".join(random.choices("abcdefgh", k=999))} for _ in range(3)])

    for name, limit in (("MAX_TASKS", 4), ("MAX_TASK_BYTES", 4000)):
        with monkeypatch.context() as patch:
            patch.setattr(ticking, name, limit)
            assert await ticking.tick(still.db, still.settings, NOON + MINUTE)
    assert len(await told(still)) == 4
    await tick(still, NOON + MINUTE)

    assert await told(still) == [("12:01", "started")] * 5
    (tasks,) = await look(still, "select count(*) from beacon_task")
    assert tasks["count"] == 30


async def test_thousands_that_are_due_in_one_minute_tick_at_once(still: House) -> None:
    await schedule(still)
    await copy(still, 1999)

    started = time.perf_counter()
    await tick(still, NOON + MINUTE)
    took_s = time.perf_counter() - started

    (row,) = await look(
        still,
        "select count(*) as ticks, count(distinct scheduled_id) as scheduled, count(distinct job_id) as runs"
        " from beacon_tick",
    )
    assert row == {"ticks": 2000, "scheduled": 2000, "runs": 2000}
    (row,) = await look(still, "select count(*) from beacon_task join beacon_tick using (job_id)")
    assert row == {"count": 4000}
    assert took_s < 2.5  # one by one they took 4 s


async def copy(house: House, count: int) -> None:
    """So many more scheduled jobs like the one that there is."""
    columns = "consumer_key, name, owner, beacon_name, total_tasks, schedule, active, zone, next_run"
    await look(
        house,
        f"with copies as (insert into beacon_job (organisation_id, {columns})"
        f" select 1, {columns} from beacon_job, generate_series(1, $1) returning id)"
        " insert into beacon_task select 1, copies.id, position, task from beacon_task, copies",
        count,
    )
