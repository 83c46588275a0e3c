"""Read what responses earned, and give them scores by hand."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from jobgate import jobs
from jobgate.context import Context, Reply, Request
from jobgate.jobs import JobStarted
from jobgate.registry import action
from jobgate.sessions.entries import Points, Reference, SessionId, UserId
from jobgate.sessions.pages import SessionQuery
from jobgate.sessions.reading import Parts, answer_page
from jobgate.sessions.records import ResponseScoresRecord, show_response_scores


class GetResponseScores(SessionQuery, frozen=True, kw_only=True):
    """Which sessions to read."""


class GivenScore(Struct, frozen=True, kw_only=True):
    """The score of one response."""

    response_id: Reference
    score: Points | None
    """What counts instead of the automatic score until the session is set anew; null: the automatic score again."""
    max_score: Points | UnsetType | None = UNSET
    """The same for the maximum; left out, it stays as it is."""


class ScoredSession(Struct, frozen=True, kw_only=True):
    """One session and the scores of some of its responses."""

    session_id: SessionId
    user_id: UserId
    """The user that the session was taken by."""
    responses: Annotated[list[GivenScore], Meta(min_length=1, max_length=1000)]


class UpdateResponseScores(Request, frozen=True, kw_only=True):
    """Sessions and scores, applied in order; each session's take effect together or not at all."""

    sessions: Annotated[list[ScoredSession], Meta(min_length=1, max_length=1000)]


@action("get")
async def read_scores(ctx: Context, request: GetResponseScores) -> Reply[list[ResponseScoresRecord]]:
    """Read the responses of sessions and their scores, without items."""
    return await answer_page(ctx, request, Parts(responses="whole"), show_response_scores)


@action("update", guarded=True)
async def give_scores(ctx: Context, request: UpdateResponseScores) -> JobStarted:
    """Start a job that gives scores to responses of up to 1000 sessions; its results say how each session ended."""
    sessions = request.sessions
    entries = sum(1 + len(session.responses) for session in sessions)
    started: JobStarted = await jobs.submit(ctx, "manualresponseupdate", {"sessions": sessions}, entries=entries)
    return started
