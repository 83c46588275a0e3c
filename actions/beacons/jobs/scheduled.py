"""Jobs that run again and again."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from jobgate.beacons.scheduled import ScheduledBeaconJob, find_scheduled
from jobgate.context import Context, Reply, Request
from jobgate.paging import read_next
from jobgate.registry import action

MAX_JOBS = 50


class GetScheduledBeaconJobs(Request, frozen=True, kw_only=True):
    """Which page of the list."""

    limit: Annotated[int, Meta(ge=1)] = MAX_JOBS
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered."""


@action("get")
async def list_scheduled(ctx: Context, request: GetScheduledBeaconJobs) -> Reply[list[ScheduledBeaconJob]]:
    """Read the scheduled jobs, newest first: name, id, whether they are active, when they run."""
    before = read_next(request.next)
    async with ctx.db.reading(ctx.organisation_id) as db:
        return await find_scheduled(db, ctx.organisation_id, before, min(request.limit, MAX_JOBS))
