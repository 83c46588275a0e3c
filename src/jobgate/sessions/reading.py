"""Reading stored sessions, whole or in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from jobgate.context import Context, Reply
from jobgate.db import Record, Transaction
from jobgate.sessions.entries import Status
from jobgate.sessions.pages import SessionQuery, find_page, read_horizon

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Response:
    """A stored response; `response`, what was answered, only where it was wanted."""

    response_id: str
    question_type: str
    question_reference: str
    item_reference: str
    automarkable: bool
    attempted: bool
    score: float | None
    max_score: float | None
    manual_score: float | None
    max_manual_score: float | None
    dt_score_updated: datetime | None
    response: bytes | None

    @classmethod
    def from_row(cls, row: Record) -> Response:
        """A row of `read_responses`."""
        _, *values = row
        return cls(*values)


@dataclass(frozen=True, slots=True)
class Session:
    """A stored session; the last four only where they were wanted."""

    session_id: str
    user_id: str
    activity_id: str
    status: Status
    num_questions: int
    num_attempted: int
    score: float | None
    max_score: float | None
    session_duration: int
    dt_saved: datetime
    dt_started: datetime
    dt_completed: datetime | None
    metadata: bytes | None
    subscores: bytes | None
    items: bytes | None
    responses: list[Response] = field(default_factory=list)

    @classmethod
    def from_row(cls, row: Record) -> Session:
        """A row of `read_sessions`."""
        _, *values = row
        return cls(*values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What to read of sessions beside their plain columns; `answers` are what responses hold."""

    metadata: bool = False
    subscores: bool = False
    items: bool = False
    responses: bool = False
    answers: bool = False


async def read_sessions(
    db: Transaction, organisation_id: int, session_ids: Sequence[str], parts: Parts
) -> list[Session]:
    """The sessions with these ids, in this order; ids that are not known are passed over."""
    rows = await db.fetch("read_sessions", organisation_id, session_ids, parts.metadata, parts.subscores, parts.items)
    sessions = {row["id"]: Session.from_row(row) for row in rows}
    if parts.responses and sessions:
        for row in await db.fetch("read_responses", organisation_id, list(sessions), parts.answers):
            sessions[row["session_no"]].responses.append(Response.from_row(row))
    return list(sessions.values())


async def answer_page(ctx: Context, query: SessionQuery, parts: Parts, show: Callable[[Session], R]) -> Reply[list[R]]:
    """Answer a read of sessions: the page that `query` asks for, each session as `show` shows it."""
    horizon = await read_horizon(ctx.db)
    async with ctx.db.reading(ctx.organisation_id) as db:
        page = await find_page(db, ctx.organisation_id, query, horizon)
        sessions = await read_sessions(db, ctx.organisation_id, page.session_ids, parts)
    return Reply(data=[show(session) for session in sessions], records=len(sessions), next=page.next)
