"""What there is to do in a job."""

from __future__ import annotations

import uuid

from jobgate.beacons.listing import JsonObject, find_tasks, read_job
from jobgate.context import Context, Request
from jobgate.registry import action


class GetBeaconTasks(Request, frozen=True, kw_only=True):
    """The job."""

    job_id: uuid.UUID


@action("get")
async def read_tasks(ctx: Context, request: GetBeaconTasks) -> list[JsonObject]:
    """Read the tasks of a job, in order, as they were given."""
    async with ctx.db.reading(ctx.organisation_id) as db:
        await read_job(db, ctx.organisation_id, request.job_id)
        return await find_tasks(db, ctx.organisation_id, request.job_id)
