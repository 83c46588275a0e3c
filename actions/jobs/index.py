"""Watch jobs, cancel them, and queue them again."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from jobgate.context import Context, Request
from jobgate.dispatch import version_order
from jobgate.job_records import PROPERTIES, STANDARD, JobRecord, JobState, SteeredJob, find, steer
from jobgate.registry import action
from jobgate.times import Moment, read_moment

MAX_RECORDS = 50
MAX_REFERENCES = 1000

INCLUDE_RESTRICTS_FROM = version_order("v2023.3")
"""The first version in which `include` names what a record has; before, it names what a record has besides."""


class GetJobs(Request, frozen=True, kw_only=True):
    """Which jobs, and what of them. An empty list of references or statuses finds nothing."""

    references: Annotated[list[str], Meta(max_length=MAX_REFERENCES)] | None = None
    """Jobs by their references; unknown ones are absent from the answer."""
    status: list[JobState] | None = None
    """Jobs in one of these states. Default: every state with `references`, else completed."""
    mintime: Moment | None = None
    """Jobs created at this time or later: Unix seconds or ISO 8601."""
    maxtime: Moment | None = None
    """Jobs created at this time or earlier."""
    limit: Annotated[int, Meta(ge=1)] | None = None
    """At most so many, 50 at most. Default: all that `references` names, else 50."""
    include: list[str] | None = None
    """Properties of a record: the only ones from v2023.3 on, further ones before. An empty list means the default."""


class UpdateJobs(Request, frozen=True, kw_only=True):
    """Jobs, and the state that they shall have."""

    references: Annotated[list[str], Meta(min_length=1, max_length=MAX_REFERENCES)]
    status: Literal["halted", "queued"]
    """halted: cancel jobs that are queued or running. queued: queue halted jobs again."""


@action("get")
async def find_jobs(ctx: Context, request: GetJobs) -> list[JobRecord]:
    """Tell the state of jobs that this consumer started, newest first."""
    states = request.status
    limit = MAX_RECORDS if request.limit is None else min(request.limit, MAX_RECORDS)
    if request.references is None:
        states = ["completed"] if states is None else states
    elif request.limit is None:
        limit = MAX_REFERENCES
    return await find(
        ctx.db,
        ctx.caller.key,
        properties=choose_properties(ctx.version, request.include),
        limit=limit,
        references=request.references,
        states=states,
        organisation_id=request.organisation_id,
        earliest=read_moment(request.mintime, "mintime"),
        latest=read_moment(request.maxtime, "maxtime"),
        max_bytes=ctx.settings.max_answer,
    )


@action("update")
async def steer_jobs(ctx: Context, request: UpdateJobs) -> list[SteeredJob]:
    """Cancel jobs, or queue halted ones again; one result per reference, in order.

    Doing it twice changes nothing more, so an equal packet need not be guarded.
    """
    organisations = ctx.caller.organisations if request.organisation_id is None else {request.organisation_id}
    return await steer(ctx, request.references, request.status, organisations)


def choose_properties(version: str, include: list[str] | None) -> frozenset[str]:
    """What the records of an answer have; names that mean nothing are passed over."""
    named = PROPERTIES.intersection(include or ())
    if version_order(version) < INCLUDE_RESTRICTS_FROM:
        return STANDARD | named
    return named or STANDARD
