"""A rule: which instant comes next. Everything is UTC outside, and the zone's wall clock inside."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from jobgate.schedule.params import Schedule
from jobgate.schedule.zones import SECOND, find_gap, find_repeat, instant_of, wall_at

BEFORE = timedelta(microseconds=1)
"""The instant so much before another is the last that is earlier."""

_EVERY_MINUTE = "* * * * *"
_MINUTE = timedelta(minutes=1)

ANY_WALL = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall has no zone
"""Where cronsim looks from when it is only to read its fields."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """Five cron fields on the wall clock of a zone.

    Clocks forward: a time that is left out comes once, at the first instant after the gap, unless the rule runs in
    every hour anyway. Clocks back: fixed minutes and hours come at the first of the two; rules with `*` in minute or
    hour follow real time, so they come in both.
    """

    fields: str
    zone: ZoneInfo

    @cached_property
    def _is_fixed(self) -> bool:
        minute, hour = self.fields.split()[:2]
        return "*" not in minute + hour

    @cached_property
    def _runs_every_hour(self) -> bool:
        return self.fields.split()[1] in ("*", "*/1")

    def next_after(self, instant: datetime) -> datetime | None:
        """The first instant later than `instant`; None when there is none for 50 years, or before the year 10000."""
        try:
            return self._next_after(instant)
        except (StopIteration, OverflowError):
            return None

    def _next_after(self, instant: datetime) -> datetime:
        if self.zone.key == "UTC":  # the clock of `repeat` never changes
            return self._next_wall(instant.astimezone(UTC).replace(tzinfo=None)).replace(tzinfo=UTC)
        wall, is_second = wall_at(instant, self.zone)
        if repeat := find_repeat(wall, self.zone):
            if self._is_fixed:
                wall = repeat.end - SECOND if is_second else wall
            elif is_second or self._next_wall(wall) >= repeat.end:
                again = self._next_wall(wall if is_second else repeat.start - SECOND)
                if again < repeat.end:
                    return instant_of(again, self.zone, again=True)
        wall = self._next_wall(wall)
        while gap := find_gap(wall, self.zone):
            if not self._runs_every_hour:
                return gap.at
            wall = self._next_wall(gap.end - SECOND)
        return instant_of(wall, self.zone)

    def _next_wall(self, wall: datetime) -> datetime:
        if self.fields == _EVERY_MINUTE:  # no rule is behind by more times after a standstill
            return wall.replace(second=0, microsecond=0) + _MINUTE
        # A naive time asks cronsim for the calendar alone. Of clock changes it knows less than `zones`: it repeats an
        # instant for every time that a gap swallows, and goes back in time when asked from a second pass.
        calendar = copy(self._calendar)
        calendar.dt = wall.replace(microsecond=0)
        return next(calendar)

    @cached_property
    def _calendar(self) -> CronSim:
        # Reading the fields takes longer than finding the next time.
        return CronSim(self.fields, ANY_WALL)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When something is due; `schedule` and `zone` are what to store, and `recall` makes the same rule of them.

    A rule with a `pattern` recurs. One without is due once: at `at`, or without that when it is saved.
    """

    schedule: Schedule
    zone: str = "UTC"
    at: datetime | None = None
    pattern: Pattern | None = None
    start: datetime | None = None
    end: datetime | None = None

    def first_due(self, saved_at: datetime) -> datetime | None:
        """When a rule saved at `saved_at` is due first: `now` at once, `on` at its date even if that has passed."""
        if self.pattern is None:
            return self.at or saved_at
        return self.next_after(saved_at)

    def next_after(self, instant: datetime) -> datetime | None:
        """The next nominal time, strictly later than `instant`; None when there is none any more."""
        if self.pattern is None:
            return self.at if self.at is not None and self.at > instant else None
        if self.start is not None and instant < self.start:
            instant = self.start - BEFORE
        due_at = self.pattern.next_after(instant)
        return due_at if due_at is None or self.end is None or due_at < self.end else None

    def between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The nominal times later than `after` and not later than `until`, oldest first, at most `limit`."""
        return list(islice(takewhile(lambda due_at: due_at <= until, self._walk(after)), limit))

    def upcoming(self, after: datetime, count: int) -> list[datetime]:
        """The next `count` nominal times later than `after`; fewer when the rule ends."""
        return list(islice(self._walk(after), count))

    def _walk(self, instant: datetime) -> Iterator[datetime]:
        while (due_at := self.next_after(instant)) is not None:
            yield due_at
            instant = due_at
