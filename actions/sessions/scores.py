"""Read the scores of sessions."""

from __future__ import annotations

from jobgate.context import Context, Reply
from jobgate.registry import action
from jobgate.sessions.pages import SessionQuery
from jobgate.sessions.reading import Parts, answer_page
from jobgate.sessions.records import SessionScoreRecord, show_scores


class GetSessionScores(SessionQuery, frozen=True, kw_only=True):
    """Which sessions to read, and whether to list their responses."""

    include_response_scores: bool = False


@action("get")
async def read_scores(ctx: Context, request: GetSessionScores) -> Reply[list[SessionScoreRecord]]:
    """Read the scores and subscores of sessions and, where wanted, the score of every response."""
    parts = Parts(subscores=True, responses="scores" if request.include_response_scores else None)
    return await answer_page(ctx, request, parts, show_scores)
