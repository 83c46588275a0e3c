"""Beacons tell how a job ended, or give it back."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta, field

from jobgate.beacons.claims import Ending, end
from jobgate.beacons.fields import ClaimToken, Results
from jobgate.beacons.holding import holding
from jobgate.beacons.listing import BeaconFailure, BeaconJob
from jobgate.context import Context, Request
from jobgate.errors import ApiError, Code
from jobgate.registry import action


class BeaconFailureReport(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    message: Annotated[str, Meta(max_length=2000)]
    kind: Annotated[str, Meta(max_length=100)] | None = None
    """A word for it, for programs to go by."""
    retry_after_s: Annotated[float, Meta(ge=0, le=2592000)] | None = None
    """Try again after so long, with this or another beacon of the name; absent: the job halts."""


class SetBeaconEnd(Request, frozen=True, kw_only=True):
    """How a job ended: with results, with a failure, or not at all."""

    job_id: uuid.UUID
    claim_token: ClaimToken
    result: Results = ()
    """What the tasks gave, one object each, in order; with `task_index` in each, in the order of the tasks."""
    result_list: Results = field(name="result[]", default=())
    """The same, as the source spells it."""
    failure: BeaconFailureReport | None = None
    released: bool = False
    """True: the job is given back unfinished; another beacon may have it at once, and it counts as nothing."""


@action("set")
async def end_job(ctx: Context, request: SetBeaconEnd) -> BeaconJob:
    """End a job. Said again with the same token and results it is answered alike; with others it is refused."""
    failure = request.failure
    if request.released and failure is not None:
        raise ApiError(Code.unsupported_value, "`released` must not be true together with `failure`")
    ending = Ending(
        results=request.result + request.result_list,
        failure=None if failure is None else BeaconFailure(code="failed", message=failure.message, kind=failure.kind),
        retry_after_s=None if failure is None else failure.retry_after_s,
        gives_back=request.released,
    )
    async with holding(ctx, request.job_id) as tx:
        job = await end(tx, ctx.organisation_id, request.job_id, request.claim_token, ending, ctx.settings)
    ctx.room.ring()
    return job
