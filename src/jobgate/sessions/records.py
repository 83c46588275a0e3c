"""Sessions as callers see them: the records that reads answer and that deliveries carry."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from jobgate import wire
from jobgate.sessions.entries import Status
from jobgate.sessions.reading import Session
from jobgate.times import show_moment

JsonObject = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
JsonList = Annotated[Raw, Meta(extra_json_schema={"type": "array"})]


class SessionStatusRecord(Struct, frozen=True, kw_only=True):
    """A session's status and progress."""

    user_id: str
    activity_id: str
    session_id: str
    num_attempted: int
    num_questions: int
    session_duration: int
    """Seconds."""
    status: Status
    dt_saved: str | None
    dt_started: str | None
    dt_completed: str | None
    metadata: dict[str, Raw] | UnsetType = UNSET
    """Those of the included attributes that the session has."""


class ResponseScore(Struct, frozen=True, kw_only=True):
    """The score of one response; never what was answered."""

    item_reference: str
    response_id: str
    score: int | float | None
    max_score: int | float | None
    dt_score_updated: str | None


class SessionScoreRecord(Struct, frozen=True, kw_only=True):
    """A session's scores."""

    user_id: str
    activity_id: str
    session_id: str
    score: int | float | None
    max_score: int | float | None
    status: Status
    subscores: JsonList
    responses: list[ResponseScore] | UnsetType = UNSET


class SessionMetadataRecord(Struct, frozen=True, kw_only=True):
    """A session's metadata, as it was stored."""

    user_id: str
    activity_id: str
    session_id: str
    metadata: JsonObject


def show_status(session: Session) -> SessionStatusRecord:
    """With the metadata that was read, if any was."""
    return SessionStatusRecord(
        user_id=session.user_id,
        activity_id=session.activity_id,
        session_id=session.session_id,
        num_attempted=session.num_attempted,
        num_questions=session.num_questions,
        session_duration=session.session_duration,
        status=session.status,
        dt_saved=show_moment(session.dt_saved),
        dt_started=show_moment(session.dt_started),
        dt_completed=show_moment(session.dt_completed),
        metadata=UNSET if session.metadata is None else wire.decode(session.metadata, dict[str, Raw]),
    )


def show_scores(session: Session) -> SessionScoreRecord:
    """Needs the session's subscores; with the scores of its responses, if they were read."""
    return SessionScoreRecord(
        user_id=session.user_id,
        activity_id=session.activity_id,
        session_id=session.session_id,
        score=show_score(session.score),
        max_score=show_score(session.max_score),
        status=session.status,
        subscores=Raw(session.subscores or b"[]"),
        responses=UNSET if session.responses is None else wire.decode(session.responses, list[ResponseScore]),
    )


def show_metadata(session: Session) -> SessionMetadataRecord:
    """Needs the session's metadata."""
    return SessionMetadataRecord(
        user_id=session.user_id,
        activity_id=session.activity_id,
        session_id=session.session_id,
        metadata=Raw(session.metadata or b"{}"),
    )


def show_score(score: float | None) -> int | float | None:
    """A whole score is an integer, as in the documentation."""
    return int(score) if score is not None and score.is_integer() else score
