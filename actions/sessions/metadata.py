"""Read the metadata of sessions."""

from __future__ import annotations

from jobgate.context import Context, Reply
from jobgate.registry import action
from jobgate.sessions.pages import SessionQuery
from jobgate.sessions.reading import Parts, answer_page
from jobgate.sessions.records import SessionMetadataRecord, show_metadata


class GetSessionMetadata(SessionQuery, frozen=True, kw_only=True):
    """Which sessions to read."""


@action("get")
async def read_metadata(ctx: Context, request: GetSessionMetadata) -> Reply[list[SessionMetadataRecord]]:
    """Read the metadata of sessions as it was stored."""
    return await answer_page(ctx, request, Parts(metadata=True), show_metadata)
