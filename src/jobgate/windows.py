"""Windows: up to which time what is recorded is old enough. Calendar arithmetic in UTC, without a clock of its own."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from jobgate.errors import ApiError, Code
from jobgate.times import Moment, read_moment

Until = Literal["now", "date", "1_hour", "1_day", "1_week", "1_month", "1_year"]

SPANS = {"now": timedelta(0), "1_hour": timedelta(hours=1), "1_day": timedelta(days=1), "1_week": timedelta(weeks=1)}
MONTHS = {"1_month": 1, "1_year": 12}


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded up to a time, which is found anew at every run: the older, not the newer."""

    until: Until
    """Up to the start of the run (`now`), a span before it, or a date."""
    until_date: Moment | None = None
    """With `until: date`: which one."""

    def __post_init__(self) -> None:
        if self.until == "date" and self.until_date is None:
            raise ApiError(Code.missing_parameter, "`until_date` must have a non-null value where `until` is date")
        read_moment(self.until_date, "until_date")

    def find_cutoff(self, now: datetime) -> datetime:
        """The last instant of the window, for a run that starts at `now`."""
        if self.until in MONTHS:
            return subtract_months(now.astimezone(UTC), MONTHS[self.until])
        if self.until in SPANS:
            return now - SPANS[self.until]
        cutoff = read_moment(self.until_date, "until_date")
        assert cutoff is not None  # seen to when the window was made
        return cutoff


def subtract_months(moment: datetime, months: int) -> datetime:
    """The same day so many months before, or the last of a month that has no such day."""
    years, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    return moment.replace(year=years, month=month + 1, day=min(moment.day, monthrange(years, month + 1)[1]))
