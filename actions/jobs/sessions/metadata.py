"""Replace the metadata of sessions."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobgate import jobs
from jobgate.context import Context, Request
from jobgate.jobs import JobStarted
from jobgate.registry import action
from jobgate.sessions.entries import SessionId, UserId


class SessionMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """One session and the metadata that it shall have."""

    session_id: SessionId
    """The session to update."""
    user_id: UserId
    """The user that the session was taken by."""
    metadata: dict[str, Any]
    """Anything; it replaces what the session has, and is stored as it is. `session_tags`: a list of `{type, name}`."""


class SetSessionMetadata(Request, frozen=True, kw_only=True):
    """Sessions and their new metadata, applied in order."""

    session_metadata: Annotated[list[SessionMetadata], Meta(min_length=1, max_length=100)]


@action("set", guarded=True)
async def replace_metadata(ctx: Context, request: SetSessionMetadata) -> JobStarted:
    """Start a job that replaces the metadata of up to 100 sessions; its results say how each entry ended."""
    entries = request.session_metadata
    params = {"session_metadata": entries}
    started: JobStarted = await jobs.submit(ctx, "sessionmetadataupdate", params, entries=len(entries))
    return started
