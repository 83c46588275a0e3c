"""What jobs say while they run."""

from __future__ import annotations

import re
import uuid
from typing import Annotated

from msgspec import Meta

from jobgate.beacons.fields import ClaimToken
from jobgate.beacons.holding import holding
from jobgate.beacons.logs import BeaconLogHeld, BeaconLogLine, append_lines, find_lines
from jobgate.context import Context, Reply, Request
from jobgate.errors import ApiError, Code, shown
from jobgate.registry import action

MAX_LINES = 1000

_TOKEN = re.compile(r"[0-9]{1,9}", re.ASCII)


class GetBeaconLog(Request, frozen=True, kw_only=True):
    """Which lines to read."""

    job_id: uuid.UUID
    limit: Annotated[int, Meta(ge=1)] = MAX_LINES
    """At most 1000; more is taken for 1000."""
    next: str | None = None
    """The number of the first line: what the page before answered."""


class SetBeaconLog(Request, frozen=True, kw_only=True):
    """Lines to add."""

    job_id: uuid.UUID
    claim_token: ClaimToken
    offset: Annotated[int, Meta(ge=0, le=2**31 - 1)]
    """How many lines were sent before. Where another number is held the call is refused, and `meta.length` tells it."""
    lines: Annotated[list[Annotated[str, Meta(max_length=2000)]], Meta(max_length=MAX_LINES)]


@action("get")
async def read_log(ctx: Context, request: GetBeaconLog) -> Reply[list[BeaconLogLine]]:
    """Read the log of a job, oldest line first."""
    if request.next is not None and _TOKEN.fullmatch(request.next) is None:
        raise ApiError(Code.unsupported_value, f"`next` must be the number of a line, not {shown(request.next)}")
    async with ctx.db.reading(ctx.organisation_id) as db:
        first = 0 if request.next is None else int(request.next)
        return await find_lines(db, ctx.organisation_id, request.job_id, first, min(request.limit, MAX_LINES))


@action("set")
async def append_log(ctx: Context, request: SetBeaconLog) -> BeaconLogHeld:
    """Append lines to the log of a job that is held. It renews the lease."""
    async with holding(ctx, request.job_id) as tx:
        return await append_lines(
            tx,
            ctx.organisation_id,
            request.job_id,
            request.claim_token,
            request.offset,
            request.lines,
            ctx.settings,
        )
