"""From what a caller says to a rule: ignored parameters are dropped, missing and senseless ones refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from cronsim import CronSim, CronSimError

from jobgate.errors import ApiError, Code, shown
from jobgate.schedule.fields import CRON_FIELDS, read_field
from jobgate.schedule.params import Repeat, Schedule
from jobgate.schedule.rules import ANY_WALL, Pattern, Rule
from jobgate.schedule.zones import find_zone
from jobgate.times import read_moment

T = TypeVar("T")

NEEDED: dict[Repeat, tuple[str, ...]] = {
    "now": (),
    "on": ("date",),
    "everyMinute": (),
    "hourlyAt": ("minute",),
    "dailyAt": ("time",),
    "weeklyOn": ("time", "week_day"),
    "monthlyOn": ("time", "month_day"),
    "yearlyOn": ("time", "month_day", "month"),
}
"""The parameters that each `repeat` needs; the others are ignored."""

BOUNDS = {"minute": (0, 59), "week_day": (1, 7), "month_day": (1, 31), "month": (1, 12)}

CRON_ONLY = ("min", "hour", "dom", "dow", "start_date", "end_date")
REPEAT_ONLY = ("date", "time", "minute", "week_day", "month_day")

_ABSENT = {"min": "0", "hour": "*", "dom": "*", "month": "*", "dow": "*"}
"""What a cron field is that is not given while another is."""

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,2}", re.ASCII)


def parse(schedule: Schedule, zone: str | None, now: datetime) -> Rule:
    """The rule that a caller asks for at `now`, without what is ignored; raises 200xx naming the parameter.

    `time: now` becomes the minute of `now`. A rule that would never run is refused.
    """
    if schedule.time == "now":
        schedule = msgspec.structs.replace(schedule, time=f"{now.astimezone(UTC):%H:%M}")
    rule = recall(schedule, zone or "UTC")
    if rule.first_due(now) is None:
        bound = "start_date" if rule.end is None else "end_date"
        raise ApiError(Code.unsupported_value, f"`{bound}` leaves no time at which the schedule would run")
    return rule


@lru_cache(maxsize=4096)
def recall(schedule: Schedule, zone: str) -> Rule:
    """The rule of a schedule that was stored, at whatever time: it may have ended."""
    return _make_cron(schedule, zone) if schedule.repeat is None else _make_repeat(schedule, schedule.repeat, zone)


# -- repeat --------------------------------------------------------------------------------------------------------


def _make_repeat(given: Schedule, repeat: Repeat, zone: str) -> Rule:
    for name in CRON_ONLY:
        if getattr(given, name) is not None:
            raise ApiError(Code.unsupported_value, f"`{name}` belongs to a schedule without `repeat`")
    if zone != "UTC":
        raise ApiError(Code.unsupported_value, "`zone` belongs to cron fields: `repeat` is in UTC")
    kept = Schedule(repeat=repeat, **{name: _READERS[name](getattr(given, name), name) for name in NEEDED[repeat]})
    if repeat in ("now", "on"):
        return Rule(schedule=kept, at=read_moment(kept.date, "date"))
    hour, minute = kept.time.split(":") if kept.time else (None, kept.minute)
    fields = (minute, hour, kept.month_day, kept.month, kept.week_day)
    return Rule(schedule=kept, pattern=_make_pattern(fields, zone, "month_day"))


def _read_date(value: Any, name: str) -> str | None:
    return _show_exactly(read_moment(_need(value, name), name))


def _read_time(value: Any, name: str) -> str:
    if not _TIME.fullmatch(_need(value, name)):
        raise ApiError(
            Code.unsupported_value, f"`{name}` must be `now` or a time of the form HH:MM, not {shown(value)}"
        )
    return f"{value:0>5}"


def _read_number(value: Any, name: str) -> int:
    low, high = BOUNDS[name]
    text = str(_need(value, name))  # `month` may come as text, because cron's may
    if not (_NUMBER.fullmatch(text) and low <= int(text) <= high):
        raise ApiError(Code.wrong_type, f"`{name}` must be a number from {low} to {high}, not {shown(value)}")
    return int(text)


def _need(value: T | None, name: str) -> T:
    if value is None:
        raise ApiError(Code.missing_parameter, f"`{name}` must have a non-null value")
    return value


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "date": _read_date,
    "time": _read_time,
    "minute": _read_number,
    "week_day": _read_number,
    "month_day": _read_number,
    "month": _read_number,
}


# -- cron fields ---------------------------------------------------------------------------------------------------


def _make_cron(given: Schedule, zone: str) -> Rule:
    if all(getattr(given, name) is None for name in CRON_FIELDS):
        raise ApiError(Code.missing_parameter, "`repeat`, or one of the cron fields, must have a non-null value")
    for name in REPEAT_ONLY:
        if getattr(given, name) is not None:
            raise ApiError(Code.missing_parameter, f"`repeat` must have a non-null value where `{name}` has one")
    fields = [
        _ABSENT[name] if (value := getattr(given, name)) is None else read_field(value, name) for name in CRON_FIELDS
    ]
    start, end = read_moment(given.start_date, "start_date"), read_moment(given.end_date, "end_date")
    kept = msgspec.structs.replace(given, start_date=_show_exactly(start), end_date=_show_exactly(end))
    return Rule(schedule=kept, zone=zone, pattern=_make_pattern(fields, zone, "dom"), start=start, end=end)


# -- both ----------------------------------------------------------------------------------------------------------


def _make_pattern(fields: Iterable[object], zone: str, day: str) -> Pattern:
    text = " ".join("*" if field is None else str(field) for field in fields)
    try:
        CronSim(text, ANY_WALL)
    except CronSimError:
        raise ApiError(Code.unsupported_value, f"`{day}` is a day that no such month has") from None
    return Pattern(fields=text, zone=find_zone(zone))


def _show_exactly(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
