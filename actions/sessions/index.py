"""Store sessions as a whole."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import Meta

from jobgate import jobs
from jobgate.context import Context, Request
from jobgate.errors import ApiError
from jobgate.jobs import JobStarted
from jobgate.registry import action
from jobgate.sessions.drafts import Draft, make_draft
from jobgate.sessions.entries import SessionEntry


class SetSessions(Request, frozen=True, kw_only=True):
    """Sessions in the shape that `sessions/responses` returns, with their subscores' definitions."""

    data_format: Literal["from_template"]
    data: Annotated[list[SessionEntry], Meta(min_length=1, max_length=50)]


@action("set", guarded=True)
async def store_sessions(ctx: Context, request: SetSessions) -> JobStarted:
    """Start a job that creates up to 50 sessions, or replaces them as a whole; its results say how each entry ended."""
    drafts = []
    for index, entry in enumerate(request.data):
        drafts.append(_draft(entry, index))
        await asyncio.sleep(0)  # a session may have a thousand responses: let others in between
    rows = sum(1 + len(entry.responses) for entry in request.data)
    started: JobStarted = await jobs.submit(ctx, "sessioncreate", {"data": drafts}, entries=rows)
    return started


def _draft(entry: SessionEntry, index: int) -> Draft:
    try:
        return make_draft(entry)
    except ApiError as error:
        raise ApiError(error.code, f"`data[{index}]`: {error.message}") from None
