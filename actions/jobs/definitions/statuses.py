"""Whether definitions wait, run or rest, and how they ended last."""

from __future__ import annotations

import uuid
from typing import Annotated

from msgspec import Meta

from jobgate.context import Context, Reply, Request
from jobgate.definitions import DefinitionStatus, find_statuses
from jobgate.paging import read_next
from jobgate.registry import action

MAX_STATUSES = 50


class GetDefinitionStatuses(Request, frozen=True, kw_only=True):
    """Whose statuses to read."""

    job_id: uuid.UUID | None = None
    """This definition; all of the organisation when absent."""
    limit: Annotated[int, Meta(ge=1)] = MAX_STATUSES
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered."""


@action("get")
async def read_statuses(ctx: Context, request: GetDefinitionStatuses) -> Reply[list[DefinitionStatus]]:
    """Read the status of a definition or of all, the newest definition first."""
    async with ctx.db.reading(ctx.organisation_id) as db:
        found, following = await find_statuses(
            db,
            ctx.organisation_id,
            request.job_id,
            before=read_next(request.next),
            limit=min(request.limit, MAX_STATUSES),
        )
    return Reply(data=found, records=len(found), next=following)
