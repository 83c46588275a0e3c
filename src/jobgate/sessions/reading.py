"""Reading stored sessions, whole or in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from jobgate.context import Context, Reply
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.sessions.entries import Status
from jobgate.sessions.pages import SessionQuery, find_page, read_horizon
from jobgate.turns import Turns

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Session:
    """A stored session; the last four, which are JSON, only where they were wanted."""

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
    responses: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What to read of sessions beside their plain columns."""

    metadata: bool = False
    attributes: list[str] | None = None
    """Only these of the metadata."""
    subscores: bool = False
    items: bool = False
    responses: Literal["scores", "whole"] | None = None
    """Of responses: the scores that count, or everything but the questions."""


async def read_sessions(
    db: Transaction, organisation_id: int, session_ids: Sequence[str], parts: Parts, max_bytes: int
) -> list[Session]:
    """The sessions with these ids, in this order; ids that are not known are passed over.

    Postgres puts the JSON together, and what is larger than any answer never leaves it. Raises 20027.
    """
    rows = await db.fetch(
        "read_sessions",
        organisation_id,
        session_ids,
        parts.metadata,
        parts.attributes,
        parts.subscores,
        parts.items,
        parts.responses,
        max_bytes,
    )
    if rows and not rows[0]["fits"]:
        raise ApiError(Code.answer_too_large, "the answer would be too large; ask for less")
    return [Session(*row[:-1]) for row in rows]


async def answer_page(ctx: Context, query: SessionQuery, parts: Parts, show: Callable[[Session], R]) -> Reply[list[R]]:
    """Answer a read of sessions: the page that `query` asks for, each session as `show` shows it."""
    horizon = await read_horizon(ctx.db)
    async with ctx.db.reading(ctx.organisation_id) as db:
        page = await find_page(db, ctx.organisation_id, query, horizon)
        sessions = await read_sessions(db, ctx.organisation_id, page.session_ids, parts, ctx.settings.max_answer)
    records = []
    turns = Turns()
    for session in sessions:
        records.append(show(session))  # it may have a thousand responses
        await turns.pass_on()
    return Reply(data=records, records=len(records), next=page.next)
