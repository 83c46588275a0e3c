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
from jobgate.schedule.params import Repeat, Schedule
from jobgate.schedule.rules import Pattern, Rule
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

CRON_FIELDS = ("min", "hour", "dom", "month", "dow")
CRON_ONLY = ("min", "hour", "dom", "dow", "start_date", "end_date")
REPEAT_ONLY = ("date", "time", "minute", "week_day", "month_day")

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_WORD = r"([0-9]{1,2}|[A-Z]{3})"
_ITEM = rf"(\*(/[0-9]{{1,2}})?|{_WORD}(-{_WORD}(/[0-9]{{1,2}})?)?)"
_FIELD = re.compile(rf"{_ITEM}(,{_ITEM})*", re.ASCII)

_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""Where cronsim looks from when it is asked only whether it understands."""


def parse(schedule: Schedule, zone: str | None, now: datetime) -> Rule:
    """The rule that a caller asks for at `now`, without what is ignored; raises 200xx naming the parameter.

    `time: now` becomes the minute of `now`. A rule that would never run is refused.
    """
    if schedule.time == "now":
        schedule = msgspec.structs.replace(schedule, time=f"{now.astimezone(UTC):%H:%M}")
    rule = recall(schedule, zone or "UTC")
    if rule.first_due(now) is None:
        raise ApiError(Code.unsupported_value, "`end_date` leaves no time at which the schedule would run")
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
    return Rule(schedule=kept, pattern=_make_pattern((minute, hour, kept.month_day, kept.month, kept.week_day), zone))


def _read_date(value: Any, name: str) -> str:
    return _show_exactly(_need(read_moment(value, name), name))


def _read_time(value: Any, name: str) -> str:
    if not _TIME.fullmatch(_need(value, name)):
        raise ApiError(
            Code.unsupported_value, f"`{name}` must be `now` or a time of the form HH:MM, not {shown(value)}"
        )
    return f"{value:0>5}"


def _read_number(value: Any, name: str) -> int:
    low, high = BOUNDS[name]
    if not isinstance(_need(value, name), int):
        raise ApiError(Code.wrong_type, f"`{name}` must be an integer, not {shown(value)}")
    if not low <= value <= high:
        raise ApiError(Code.wrong_type, f"`{name}` must be a number from {low} to {high}, not {shown(value)}")
    return int(value)


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
    fields = (given.min, given.hour, given.dom, given.month, given.dow)
    if fields == (None,) * 5:
        raise ApiError(Code.missing_parameter, "`repeat`, or one of the cron fields, must have a non-null value")
    for name in REPEAT_ONLY:
        if getattr(given, name) is not None:
            raise ApiError(Code.missing_parameter, f"`repeat` must have a non-null value where `{name}` has one")
    checked = [_read_field(value, name) for value, name in zip(fields, CRON_FIELDS, strict=True)]
    if given.min is None:
        checked[0] = "0"
    start, end = read_moment(given.start_date, "start_date"), read_moment(given.end_date, "end_date")
    kept = msgspec.structs.replace(
        given, start_date=start and _show_exactly(start), end_date=end and _show_exactly(end)
    )
    return Rule(schedule=kept, zone=zone, pattern=_make_pattern(checked, zone), start=start, end=end)


def _read_field(value: int | str | None, name: str) -> str:
    """The field as cronsim takes it; raises 20004 naming the parameter."""
    if value is None:
        return "*"
    text = str(value).strip().upper()
    if _FIELD.fullmatch(text):
        # A range of names may end on Sunday, which begins the week where it is a number.
        text = text.replace("-SUN", "-7")
        try:
            CronSim(" ".join(text if field == name else "*" for field in CRON_FIELDS), _ANY_TIME)
            return text
        except CronSimError:
            pass
    raise ApiError(
        Code.unsupported_value, f"`{name}` must be a cron field such as 5, *, 1,15, 1-5 or */10, not {shown(value)}"
    )


# -- both ----------------------------------------------------------------------------------------------------------


def _make_pattern(fields: Iterable[object], zone: str) -> Pattern:
    text = " ".join("*" if field is None else str(field) for field in fields)
    try:
        CronSim(text, _ANY_TIME)
    except CronSimError:
        raise ApiError(Code.unsupported_value, "no month that is asked for has the day that is asked for") from None
    return Pattern(fields=text, zone=find_zone(zone))


def _show_exactly(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
