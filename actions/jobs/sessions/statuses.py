"""Update the status of sessions."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from jobgate import jobs
from jobgate.context import Context, Request
from jobgate.jobs import JobStarted
from jobgate.registry import action
from jobgate.sessions.entries import SessionId, UserId


class SessionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One session and the status that it shall have."""

    session_id: SessionId
    """The session to update."""
    user_id: UserId
    """The user that the session was taken by."""
    status: Literal["Completed", "Incomplete", "Discarded"]
    """The status to apply."""


class UpdateSessionStatuses(Request, frozen=True, kw_only=True):
    """Sessions and their new statuses, applied in order."""

    statuses: Annotated[list[SessionStatus], Meta(min_length=1, max_length=100)]


@action("update", guarded=True)
async def update_statuses(ctx: Context, request: UpdateSessionStatuses) -> JobStarted:
    """Start a job that sets the status of up to 100 sessions; its results say how each entry ended."""
    entries = request.statuses
    started: JobStarted = await jobs.submit(ctx, "sessionstatusupdate", {"statuses": entries}, entries=len(entries))
    return started
