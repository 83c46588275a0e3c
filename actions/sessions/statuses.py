"""Read the statuses of sessions."""

from __future__ import annotations

from jobgate.context import Context, Reply
from jobgate.registry import action
from jobgate.sessions.pages import SessionQuery
from jobgate.sessions.reading import Parts, answer_page
from jobgate.sessions.records import SessionInclude, SessionStatusRecord, show_status


class GetSessionStatuses(SessionQuery, frozen=True, kw_only=True):
    """Which sessions to read, and what to add."""

    include: SessionInclude | None = None


@action("get")
async def read_statuses(ctx: Context, request: GetSessionStatuses) -> Reply[list[SessionStatusRecord]]:
    """Read who took which session, how far they came, and when."""
    attributes = request.include.session_metadata if request.include else None
    return await answer_page(ctx, request, Parts(attributes=attributes), show_status)
