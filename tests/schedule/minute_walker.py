"""An oracle for schedules: looks at the wall clock in every minute there is, and knows nothing of offsets."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
MEMORY = timedelta(hours=30)
"""Longer than any clock was ever put back by."""


@dataclass(frozen=True)
class CronText:
    """A cron field as it is written, and the numbers it means."""

    text: str
    numbers: frozenset[int]

    @property
    def written_out(self) -> str:
        star = [self.text.split(",")[0]] if self.text.startswith("*") else []
        return ",".join([*star, *map(str, sorted(self.numbers))])


@dataclass(frozen=True)
class CronLine:
    """Five fields, understood without any library."""

    min: CronText
    hour: CronText
    dom: CronText
    month: CronText
    dow: CronText

    @property
    def text(self) -> str:
        return " ".join(field.text for field in self._fields)

    @property
    def written_out(self) -> str:
        """The same for a library that takes `0-0` for `*`: no ranges, but a star in front stays there."""
        return " ".join(field.written_out for field in self._fields)

    @property
    def _fields(self) -> tuple[CronText, ...]:
        return self.min, self.hour, self.dom, self.month, self.dow

    def shows(self, wall: datetime) -> bool:
        return (
            wall.minute in self.min.numbers
            and wall.hour in self.hour.numbers
            and wall.month in self.month.numbers
            and self._has_day(wall)
        )

    def _has_day(self, wall: datetime) -> bool:
        by_date = wall.day in self.dom.numbers
        by_week = not self.dow.numbers.isdisjoint({wall.isoweekday(), wall.isoweekday() % 7})
        if self.dom.text.startswith("*") or self.dow.text.startswith("*"):
            return by_date and by_week
        return by_date or by_week

    @property
    def has_a_day(self) -> bool:
        """Whether any date of a leap year, on whatever day of the week, is meant."""
        if not (self.dom.text.startswith("*") or self.dow.text.startswith("*")):
            return True
        return any(min(self.dom.numbers) <= monthrange(2024, month)[1] for month in self.month.numbers)

    @cached_property
    def is_fixed(self) -> bool:
        return "*" not in self.min.text and "*" not in self.hour.text

    @cached_property
    def runs_every_hour(self) -> bool:
        return self.hour.text in ("*", "*/1")


def walk(line: CronLine, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Every instant from `start` up to `end` at which the line is due."""
    seen: set[datetime] = set()
    last = None
    for instant, wall in walls(zone, start - MEMORY, end):
        is_due = line.shows(wall) and not (line.is_fixed and wall in seen)
        if last is not None and wall - last > MINUTE and not line.runs_every_hour:
            is_due = is_due or any(line.shows(last + MINUTE * n) for n in range(1, (wall - last) // MINUTE))
        if is_due and instant >= start:
            yield instant
        seen.add(wall)
        last = wall


@cache
def walls(zone: ZoneInfo, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Every minute from `start` up to `end`, and what the wall shows in it."""
    instants = (start + MINUTE * n for n in range((end - start) // MINUTE))
    return [(instant, instant.astimezone(zone).replace(tzinfo=None, fold=0)) for instant in instants]
