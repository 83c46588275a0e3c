"""Read the statuses of sessions."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from jobgate.context import Context, Reply
from jobgate.registry import action
from jobgate.sessions.pages import SessionQuery
from jobgate.sessions.reading import Parts, answer_page
from jobgate.sessions.records import SessionStatusRecord, show_status


class StatusInclude(msgspec.Struct, frozen=True, kw_only=True):
    """What to add to each record."""

    session_metadata: Annotated[list[str], Meta(max_length=1000)] | None = msgspec.field(
        name="sessions.session_metadata", default=None
    )
    """Names of metadata attributes; those that a session has are added under `metadata`."""


class GetSessionStatuses(SessionQuery, frozen=True, kw_only=True):
    """Which sessions to read, and what to add."""

    include: StatusInclude | None = None


@action("get")
async def read_statuses(ctx: Context, request: GetSessionStatuses) -> Reply[list[SessionStatusRecord]]:
    """Read who took which session, how far they came, and when."""
    attributes = request.include.session_metadata if request.include else None
    return await answer_page(ctx, request, Parts(attributes=attributes), show_status)
