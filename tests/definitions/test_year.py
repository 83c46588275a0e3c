"""Faked months and a faked year: what ticks equals what somebody else works out."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobgate import definitions
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.definitions.factory import look, save

START = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
LEAP_FEBRUARY = datetime(2028, 2, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def live(house: House, now: datetime, days: int, step: timedelta) -> None:
    """Let so many days pass, with a look at every step."""
    until = now + timedelta(days=days)
    while now < until:
        now += step
        while await definitions.tick(house.db, house.settings, now):
            pass


async def ticks(house: House) -> list[datetime]:
    """The nominal times of all ticks."""
    return [row["due_at"] for row in await look(house, "select due_at from tick order by due_at")]


async def test_a_leap_february_of_every_minute(make_house: MakeHouse) -> None:
    """`python -m tests.definitions.full_year` does a year of it."""
    async with make_house(sweep_s=3600) as house:
        await save(house, LEAP_FEBRUARY, schedule={"repeat": "everyMinute"})

        await live(house, LEAP_FEBRUARY, 29, timedelta(hours=4))

        assert await ticks(house) == [LEAP_FEBRUARY + n * MINUTE for n in range(1, 29 * 24 * 60 + 1)]


async def test_a_year_of_a_cron_rule_in_a_zone(make_house: MakeHouse) -> None:
    async with make_house(sweep_s=3600, ticks_kept_days=400) as house:
        await save(
            house, START, schedule={"min": "30", "hour": "2,14", "dow": "1-5"}, zone="Europe/Berlin", overlap="allow"
        )

        await live(house, START, 365, timedelta(hours=3))

        jobs = [row["due_at"] for row in await look(house, "select due_at from job order by due_at")]
        assert await ticks(house) == walk_berlin()
        assert jobs == walk_berlin()[: len(jobs)]


BERLIN_NIGHT = {"min": "30", "hour": "2"}

ODD_DAYS: list[tuple[str, dict[str, Any], str, list[str]]] = [
    ("2028-01-30", {"repeat": "monthlyOn", "month_day": 31, "time": "10:00"}, "UTC", ["01-31 10:00"]),
    ("2028-02-28", {"repeat": "monthlyOn", "month_day": 31, "time": "10:00"}, "UTC", []),
    ("2028-02-28", {"repeat": "yearlyOn", "month": 2, "month_day": 29, "time": "00:00"}, "UTC", ["02-29 00:00"]),
    ("2028-03-25", BERLIN_NIGHT, "Europe/Berlin", ["03-25 01:30", "03-26 01:00", "03-27 00:30"]),
    ("2028-10-28", BERLIN_NIGHT, "Europe/Berlin", ["10-28 00:30", "10-29 00:30", "10-30 01:30"]),
    ("2028-10-29", {"min": "30"}, "Europe/Berlin", [f"10-{29 + n // 24} {n % 24:02}:30" for n in range(72)]),
]


@pytest.mark.parametrize(("day", "schedule", "zone", "expected"), ODD_DAYS)
async def test_odd_days_tick_once_for_each_nominal_time(
    make_house: MakeHouse, day: str, schedule: dict[str, Any], zone: str, expected: list[str]
) -> None:
    """Three days each: month ends, a leap day, clocks forward and back; two sweepers look every two hours."""
    async with make_house(sweep_s=3600) as house:
        now = datetime.fromisoformat(day).replace(tzinfo=UTC)
        await save(house, now, schedule=schedule, zone=zone)

        await asyncio.gather(*(live(house, now, 3, timedelta(hours=2)) for _ in range(2)))

        assert [f"{due_at:%m-%d %H:%M}" for due_at in await ticks(house)] == expected


def walk_berlin() -> list[datetime]:
    """Every minute of the year is asked for its wall time; 2026 has no clock change on a working day."""
    found, now = [], START
    while now <= START + YEAR:
        wall = now.astimezone(ZoneInfo("Europe/Berlin"))
        if now > START and wall.minute == 30 and wall.hour in (2, 14) and wall.isoweekday() <= 5:
            found.append(now)
        now += 30 * MINUTE
    return found
