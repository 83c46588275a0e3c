"""Jobs that run again and again."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from jobgate.beacons.scheduled import ScheduledBeaconJob, find_scheduled
from jobgate.context import Context, Reply, Request
from jobgate.errors import ApiError, Code, shown
from jobgate.registry import action

MAX_JOBS = 50

_TOKEN = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


class GetScheduledBeaconJobs(Request, frozen=True, kw_only=True):
    """Which page of the list."""

    limit: Annotated[int, Meta(ge=1)] = MAX_JOBS
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered."""


@action("get")
async def list_scheduled(ctx: Context, request: GetScheduledBeaconJobs) -> Reply[list[ScheduledBeaconJob]]:
    """Read the scheduled jobs, newest first: name, id, whether they are active, when they run."""
    if request.next is not None and _TOKEN.fullmatch(request.next) is None:
        raise ApiError(
            Code.unsupported_value, f"`next` must be a token that a page answered, not {shown(request.next)}"
        )
    before = None if request.next is None else int(request.next)
    async with ctx.db.reading(ctx.organisation_id) as db:
        return await find_scheduled(db, ctx.organisation_id, before, min(request.limit, MAX_JOBS))
