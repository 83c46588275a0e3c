"""Read sessions as a whole, with their items and responses."""

from __future__ import annotations

from jobgate.context import Context, Reply
from jobgate.registry import action
from jobgate.sessions.pages import SessionQuery
from jobgate.sessions.reading import Parts, answer_page
from jobgate.sessions.records import SessionInclude, SessionResponsesRecord, show_session


class GetSessionResponses(SessionQuery, frozen=True, kw_only=True):
    """Which sessions to read, and which of their metadata."""

    include: SessionInclude | None = None
    """Without it, all metadata are read."""


@action("get")
async def read_sessions(ctx: Context, request: GetSessionResponses) -> Reply[list[SessionResponsesRecord]]:
    """Read sessions with everything that was answered and scored; `sessions` takes them back in this shape."""
    attributes = request.include.session_metadata if request.include else None
    parts = Parts(metadata=attributes is None, attributes=attributes, subscores=True, items=True, responses="whole")
    return await answer_page(ctx, request, parts, show_session)
