"""Wall clocks and real time: which instant a wall time means, also where clocks go forward or back.

A *wall* is a naive datetime, what a clock on the wall shows; an *instant* is aware.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jobgate.errors import ApiError, Code, shown

SECOND = timedelta(seconds=1)

_NAME = re.compile(r"[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*){0,2}", re.ASCII)
"""Leaves out what lies beside the zones in a database of the system: `right/`, `posix/`, `localtime`, `zone.tab`."""


def find_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; raises 20004 naming the parameter."""
    try:
        if _NAME.fullmatch(name) and name != "Factory":
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass  # unknown, no zone at all, a folder of zones, or longer than a file name may be
    raise ApiError(Code.unsupported_value, f"`zone` must be an IANA time zone such as Europe/Berlin, not {shown(name)}")


class Change(NamedTuple):
    """One change of the clocks: walls from `start` up to `end` do not exist, or come twice."""

    at: datetime
    start: datetime
    end: datetime


def wall_at(instant: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """What the wall shows at an instant, and whether it shows it for the second time."""
    local = instant.astimezone(zone)
    return local.replace(tzinfo=None, fold=0), bool(local.fold)


def instant_of(wall: datetime, zone: ZoneInfo, *, again: bool = False) -> datetime:
    """When the wall shows this; of a wall time that comes twice the first, or with `again` the second."""
    return wall.replace(tzinfo=zone, fold=int(again)).astimezone(UTC)


def find_gap(wall: datetime, zone: ZoneInfo) -> Change | None:
    """The change that leaves this wall time out, if one does."""
    before, after = _offsets(wall, zone)
    if before >= after:
        return None
    at = _find_change(wall - after, wall - before, zone)
    return Change(at, _naive(at) + before, _naive(at) + after)


def find_repeat(wall: datetime, zone: ZoneInfo) -> Change | None:
    """The change that makes this wall time come twice, if one does."""
    before, after = _offsets(wall, zone)
    if before <= after:
        return None
    at = _find_change(wall - before, wall - after, zone)
    return Change(at, _naive(at) + after, _naive(at) + before)


def _offsets(wall: datetime, zone: ZoneInfo) -> tuple[timedelta, timedelta]:
    """The offsets before and after the change that touches this wall time; elsewhere they are equal."""
    before, after = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert before is not None
    assert after is not None
    return before, after


def _find_change(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after `low` (both are UTC) with the offset of `high`, to the second."""
    low, high = low.replace(tzinfo=UTC), high.replace(tzinfo=UTC)
    target = high.astimezone(zone).utcoffset()
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == target:
            high = middle
        else:
            low = middle
    return high.replace(microsecond=0)


def _naive(instant: datetime) -> datetime:
    return instant.replace(tzinfo=None)
