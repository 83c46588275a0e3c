"""Faked months and a faked year: what ticks equals what somebody else works out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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


def walk_berlin() -> list[datetime]:
    """Every minute of the year is asked for its wall time; 2026 has no clock change on a working day."""
    found, now = [], START
    while now <= START + YEAR:
        wall = now.astimezone(ZoneInfo("Europe/Berlin"))
        if now > START and wall.minute == 30 and wall.hour in (2, 14) and wall.isoweekday() <= 5:
            found.append(now)
        now += 30 * MINUTE
    return found
