"""Points in time on the wire: Unix seconds or ISO 8601 in, one of two text forms out. Everything is UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from jobgate.errors import ApiError, Code, shown

Moment = int | float | str
"""A point in time as filters take it: Unix seconds (also as digits in a string), or ISO 8601, UTC without a zone."""

_DIGITS = re.compile(r"-?\d{1,12}(\.\d{1,9})?", re.ASCII)


def read_moment(value: Moment | None, name: str) -> datetime | None:
    """The point in time that a filter names; raises 20003 naming the parameter."""
    if value is None:
        return None
    try:
        if isinstance(value, int | float) or _DIGITS.fullmatch(value):
            return datetime.fromtimestamp(float(value), UTC)
        moment = datetime.fromisoformat(value.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ApiError(
            Code.wrong_type, f"`{name}` must be a Unix timestamp or an ISO 8601 date and time, not {shown(value)}"
        ) from None


def show_moment(moment: datetime | None) -> str | None:
    """`2019-10-21T23:48:31Z`, as everything but `jobs` answers."""
    return None if moment is None else moment.astimezone(UTC).isoformat()[:19] + "Z"


def show_job_moment(moment: datetime | None) -> str | None:
    """`2015-04-24 01:30:02`, as `jobs` answers."""
    return None if moment is None else str(moment.astimezone(UTC))[:19]
