"""Calculate the subscores of sessions anew."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import Meta

from jobgate import jobs
from jobgate.context import Context, Reply, Request
from jobgate.registry import action
from jobgate.sessions.entries import SessionId


class CalculateSubscores(Request, frozen=True, kw_only=True):
    """The sessions whose subscores are wanted."""

    session_id: Annotated[list[SessionId], Meta(min_length=1, max_length=100)]


class SubscoresStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The job, and the sessions that it leaves out."""

    job_reference: uuid.UUID
    ignored_sessions: list[str]
    """Sessions that are unknown, or were taken without subscore definitions."""


@action("get", guarded=True)
async def calculate_subscores(ctx: Context, request: CalculateSubscores) -> Reply[SubscoresStarted]:
    """Start a job that calculates the subscores of up to 100 sessions; `meta.records` says how many it will do.

    A job is started even when every session is ignored: it completes with no results.
    """
    wanted = list(dict.fromkeys(request.session_id))
    async with ctx.db.reading(ctx.organisation_id) as db:
        rows = await db.fetch("find_sessions_with_subscores", ctx.organisation_id, wanted)
    ready = {row["session_id"] for row in rows}
    accepted = [session_id for session_id in wanted if session_id in ready]
    reference = uuid.uuid4()
    answer = Reply(
        data=SubscoresStarted(
            job_reference=reference, ignored_sessions=[session_id for session_id in wanted if session_id not in ready]
        ),
        records=len(accepted),
    )
    await jobs.submit(
        ctx,
        "subscorecalculation",
        {"session_id": accepted},
        entries=len(accepted),
        answer=answer,
        reference=reference,
    )
    return answer
