"""Ticks: every nominal time once, whoever looks, however late, whatever clocks do."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobgate import definitions
from jobgate.definitions import NO_TRIGGER, Changes
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.definitions.factory import execute, find, look, save

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EVERY_MINUTE = {"repeat": "everyMinute"}


async def tick(house: House, now: datetime) -> None:
    """Tick until nothing is due at that time."""
    while await definitions.tick(house.db, house.settings, now):
        pass


async def told(house: House) -> list[tuple[str, str]]:
    """The ticks so far: their minutes and outcomes."""
    return [
        (f"{row['due_at']:%H:%M}", row["outcome"]) for row in await look(house, "select * from tick order by due_at")
    ]


async def end_all(house: House) -> None:
    """All executions have ended."""
    await look(house, "update job set state = 'completed', completed_at = now()")


async def test_a_tick_is_a_row_and_its_job(house: House) -> None:
    saved = await save(house, NOON, schedule=EVERY_MINUTE)

    await tick(house, NOON + timedelta(seconds=59))
    assert await told(house) == []
    await tick(house, NOON + MINUTE)

    (row,) = await look(house, "select * from tick")
    (job,) = await look(house, "select * from job")
    assert (row["outcome"], row["reference"], row["due_at"]) == ("started", job["reference"], NOON + MINUTE)
    assert (job["definition_id"], job["trigger_id"], job["due_at"]) == (saved.id, NO_TRIGGER, NOON + MINUTE)
    assert (job["consumer_key"], job["params"], job["entries"]) == (house.home.key, saved.params, 1)
    (found,) = await find(house)
    assert (found.next_run_at, found.is_waiting) == (NOON + 2 * MINUTE, True)


async def test_many_sweepers_tick_every_definition_once(house: House) -> None:
    saved = [await save(house, NOON, schedule=EVERY_MINUTE) for _ in range(20)]

    for minute in range(1, 6):
        await asyncio.gather(*(tick(house, NOON + minute * MINUTE) for _ in range(4)))
        await end_all(house)

    jobs = Counter((row["definition_id"], row["due_at"]) for row in await look(house, "select * from job"))
    assert jobs == Counter((one.id, NOON + minute * MINUTE) for one in saved for minute in range(1, 6))


async def test_after_a_stopped_hour_the_latest_runs_and_the_others_are_missed(house: House) -> None:
    await save(house, NOON, schedule={"min": "*/20"})

    await tick(house, NOON + timedelta(minutes=65))

    assert await told(house) == [("12:20", "missed"), ("12:40", "missed"), ("13:00", "started")]


async def test_what_is_later_than_the_window_is_missed(house: House) -> None:
    await save(house, NOON, schedule={"min": "*/20"}, catch_up_s=120)

    await tick(house, NOON + timedelta(minutes=25))
    await tick(house, NOON + timedelta(minutes=41, seconds=59))

    assert await told(house) == [("12:20", "missed"), ("12:40", "started")]


async def test_within_its_minute_nothing_is_late(house: House) -> None:
    await save(house, NOON, schedule=EVERY_MINUTE, catch_up_s=0)

    await tick(house, NOON + timedelta(seconds=119))

    assert await told(house) == [("12:01", "started")]


async def test_a_clock_that_jumps_back_repeats_and_loses_nothing(house: House) -> None:
    await save(house, NOON, schedule=EVERY_MINUTE, overlap="allow")
    dice = random.Random(11)

    now = NOON
    for _ in range(60):
        now += timedelta(seconds=dice.randrange(5, 90))
        await tick(house, now)
        await tick(house, now - timedelta(minutes=dice.randrange(20)))

    times = [row["due_at"] for row in await look(house, "select due_at from tick order by due_at")]
    assert times == [NOON + n * MINUTE for n in range(1, len(times) + 1)]
    assert times[-1] <= now < times[-1] + MINUTE


async def test_while_a_run_has_not_ended_ticks_are_skipped(house: House) -> None:
    await save(house, NOON, schedule=EVERY_MINUTE)

    await tick(house, NOON + MINUTE)
    await look(house, "update job set state = 'running'")
    await tick(house, NOON + 2 * MINUTE)
    await end_all(house)
    await tick(house, NOON + 3 * MINUTE)

    assert await told(house) == [("12:01", "started"), ("12:02", "skipped"), ("12:03", "started")]


async def test_one_tick_queues_behind_a_run_if_that_is_wanted(house: House) -> None:
    await save(house, NOON, schedule=EVERY_MINUTE, overlap="queue")

    await tick(house, NOON + MINUTE)
    await look(house, "update job set state = 'running'")
    await tick(house, NOON + 2 * MINUTE)
    await tick(house, NOON + 3 * MINUTE)

    assert await told(house) == [("12:01", "started"), ("12:02", "started"), ("12:03", "skipped")]
    first, second = await look(house, "select reference, after from job order by id")
    assert (first["after"], second["after"]) == (None, first["reference"])
    await look(house, "update job set state = 'queued' where after is null")
    await house.carry()
    assert [row["state"] for row in await look(house, "select state from job")] == ["completed"] * 2


async def test_runs_overlap_if_that_is_wanted_but_not_without_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobgate.definitions.ticking.MAX_OPEN", 3)
    await save(house, NOON, schedule=EVERY_MINUTE, overlap="allow")

    for minute in range(1, 6):
        await tick(house, NOON + minute * MINUTE)

    assert [outcome for _, outcome in await told(house)] == ["started"] * 3 + ["skipped"] * 2


async def test_what_is_due_once_ticks_once_however_late(house: House) -> None:
    await save(house, NOON, schedule={"repeat": "now"})
    await save(house, NOON, schedule={"repeat": "on", "date": "2020-02-02T02:02:02Z"})

    for _ in range(3):
        await tick(house, NOON + timedelta(days=3))

    assert [row["due_at"] for row in await look(house, "select due_at from job order by due_at")] == [
        datetime(2020, 2, 2, 2, 2, 2, tzinfo=UTC),
        NOON,
    ]
    assert [found.next_runs for found in await find(house)] == [[], []]


async def test_what_was_due_during_a_pause_is_not_made_up(house: House) -> None:
    saved = await save(house, NOON, schedule=EVERY_MINUTE)

    async with house.db.transaction(1) as tx:
        await definitions.change(tx, 1, saved.id, Changes(active=False), NOON)
    await tick(house, NOON + 10 * MINUTE)
    async with house.db.transaction(1) as tx:
        await definitions.change(tx, 1, saved.id, Changes(active=True), NOON + 10 * MINUTE)
    await tick(house, NOON + 11 * MINUTE)

    assert await told(house) == [("12:11", "started")]


async def test_a_tick_and_a_call_cause_one_execution(house: House) -> None:
    saved = await save(house, NOON, schedule=EVERY_MINUTE)

    await asyncio.gather(
        *(execute(house, saved.id) for _ in range(10)), *(tick(house, NOON + MINUTE) for _ in range(3))
    )
    await tick(house, NOON + MINUTE)

    assert len(await look(house, "select * from job")) == 1
    assert len(await look(house, "select * from tick")) == 1


async def test_days_that_were_slept_through_are_caught_up_in_bounded_looks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobgate.schedule.plans.MAX_TIMES_EACH", 300)
    await save(house, NOON, schedule=EVERY_MINUTE)

    await tick(house, NOON + 3500 * MINUTE)

    outcomes = Counter(outcome for _, outcome in await told(house))
    assert outcomes == {"missed": 3499, "started": 1}


async def test_of_decades_that_were_slept_through_only_what_is_kept_is_looked_at(make_house: MakeHouse) -> None:
    async with make_house(sweep_s=3600, ticks_kept_days=1) as house:
        await save(house, NOON, schedule=EVERY_MINUTE)
        now = NOON.replace(year=2056)

        looks = 1
        while await definitions.tick(house.db, house.settings, now):
            looks += 1

        assert Counter(outcome for _, outcome in await told(house)) == {"missed": 24 * 60, "started": 1}
        assert looks == 3
        (found,) = await find(house)
        assert found.next_run_at == now + MINUTE


async def test_many_that_slept_for_hours_catch_up_in_one_look(make_house: MakeHouse) -> None:
    """10,000 times in one statement, whose plan was made for few: if it compared each with each, no gateway would give
    it so long."""
    async with make_house(sweep_s=3600, worker_statement_s=2) as house:
        await save(house, NOON, schedule=EVERY_MINUTE)
        await copy(house, 19)
        for minute in range(1, 10):
            await tick(house, NOON + minute * MINUTE)

        await tick(house, NOON + 509 * MINUTE)

        counted = Counter(outcome for _, outcome in await told(house))
        assert counted == {"started": 20, "skipped": 20 * 9, "missed": 20 * 499}


async def test_old_ticks_are_forgotten(house: House) -> None:
    await save(house, NOON, schedule={"repeat": "hourlyAt", "minute": 0})

    await tick(house, NOON + timedelta(hours=1))
    await tick(house, NOON + timedelta(days=31))

    (first, *_) = await look(house, "select due_at from tick order by due_at")
    assert first["due_at"] == NOON + timedelta(days=1)


async def test_a_schedule_that_cannot_be_read_stops_alone(house: House, caplog: pytest.LogCaptureFixture) -> None:
    broken = await save(house, NOON, schedule=EVERY_MINUTE)
    await save(house, NOON, schedule=EVERY_MINUTE)
    await look(house, "update definition set zone = 'Gone/Away', schedule = '{\"min\":\"*\"}' where id = $1", broken.id)

    await tick(house, NOON + MINUTE)

    assert sorted(outcome for _, outcome in await told(house)) == ["missed", "started"]
    assert "definition.unreadable" in caplog.messages
    assert len(await find(house)) == 2


@pytest.mark.usefixtures("wild_clock")
async def test_the_sweeper_ticks_by_the_clock_of_the_database(make_house: MakeHouse) -> None:
    async with make_house() as house:
        now = await house.db.fetchval("read_clock")
        saved = await save(house, schedule={"repeat": "on", "date": (now - 5 * MINUTE).isoformat()})
        early = await save(house, schedule={"repeat": "on", "date": (now + 5 * MINUTE).isoformat()})
        async with asyncio.timeout(10):
            while not await look(house, "select * from job"):
                await asyncio.sleep(0.05)
        await house.carry()

        assert {found.id: found.ran for found in await find(house)} == {saved.id: 1, early.id: 0}


@pytest.mark.timeout(120)
async def test_ten_thousand_definitions_of_one_minute_tick_within_five_seconds(house: House) -> None:
    await save(house, NOON, schedule=EVERY_MINUTE)
    await copy(house, 9_999)

    took_s: list[float] = []
    while not took_s or (took_s[-1] >= 5 and len(took_s) < 3):  # once, unless others keep the machine busy
        await look(house, "delete from job")
        started = time.perf_counter()
        await tick(house, NOON + MINUTE * (len(took_s) + 1))
        took_s.append(time.perf_counter() - started)
        (row,) = await look(house, "select count(*) as jobs, count(distinct definition_id) as definitions from job")
        assert row == {"jobs": 10_000, "definitions": 10_000}

    assert min(took_s) < 5


async def copy(house: House, count: int) -> Any:
    """So many more definitions like the one that there is."""
    async with house.db.transaction(1) as tx:
        await tx.connection.execute(
            "with copies as (insert into definition (organisation_id, id, consumer_key, name, type, params, entries,"
            " schedule, catch_up_s) select 1, gen_random_uuid(), consumer_key, name, type, params, entries,"
            " schedule, catch_up_s from definition, generate_series(1, $1) returning id)"
            " insert into definition_due select 1, copies.id, due_at from definition_due, copies",
            count,
        )
