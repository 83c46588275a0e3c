"""What a caller may say about when a definition runs."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from jobgate.times import Moment

Repeat = Literal["now", "on", "everyMinute", "hourlyAt", "dailyAt", "weeklyOn", "monthlyOn", "yearlyOn"]

Field = Annotated[int, Meta(ge=0, le=59)] | Annotated[str, Meta(max_length=256)]
"""One cron field: a number, `*`, or text with lists `a,b`, ranges `a-b`, steps `*/n` and `a-b/n`."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When to run: `repeat` with the parameters it needs, in UTC; or cron fields, in a zone."""

    repeat: Repeat | None = None
    date: Moment | None = None
    time: Annotated[str, Meta(description="`now`, or HH:MM")] | None = None
    minute: Annotated[int, Meta(description="0 to 59")] | None = None
    week_day: Annotated[int, Meta(description="1 (Monday) to 7 (Sunday)")] | None = None
    month_day: Annotated[int, Meta(description="1 to 31; months without that day are left out")] | None = None
    month: Field | None = None
    min: Field | None = None
    hour: Field | None = None
    dom: Field | None = None
    dow: Field | None = None
    start_date: Annotated[Moment, Meta(description="cron fields: not before this")] | None = None
    end_date: Annotated[Moment, Meta(description="cron fields: before this")] | None = None
