"""Sessions as callers see them: the records that reads answer and that deliveries carry."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from jobgate import wire
from jobgate.sessions.entries import ItemSource, ItemTag, Status
from jobgate.sessions.reading import Session
from jobgate.times import show_moment

JsonObject = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
JsonObjectOrNull = Annotated[Raw, Meta(extra_json_schema={"type": ["object", "null"]})]
JsonList = Annotated[Raw, Meta(extra_json_schema={"type": "array"})]


class SessionInclude(Struct, frozen=True, kw_only=True):
    """What to add to each record."""

    session_metadata: Annotated[list[str], Meta(max_length=1000)] | None = field(
        name="sessions.session_metadata", default=None
    )
    """Names of metadata attributes; those that a session has are added under `metadata`."""


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


class CountedScore(Struct, frozen=True, kw_only=True):
    """The score of one response, as it counts: a person's before the automatic one. Never what was answered."""

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
    responses: list[CountedScore] | UnsetType = UNSET


class ItemScoringRecord(Struct, frozen=True, kw_only=True):
    """What an item earned; all null until it was scored."""

    type: str | None = None
    """How the scores of its questions become its own."""
    score: int | float | None = None
    max_score: int | float | None = None
    max_score_of_attempted: int | float | None = None
    max_score_of_unmarked: int | float | None = None
    error: str | None = None
    """Why one of its responses could not be marked."""


class ItemRecord(Struct, frozen=True, kw_only=True):
    """An item as the learner met it, and what it earned."""

    reference: str
    source: ItemSource | None = None
    response_ids: list[str] = []
    time: int | float = 0
    """Seconds."""
    user_flagged: bool = False
    scoring: ItemScoringRecord | None = None
    tags: list[ItemTag] = []
    version: int | UnsetType = UNSET
    """Of the item bank, where the item came from there."""
    irt: JsonObject | UnsetType = UNSET
    """The parameters of an adaptive item."""


class ResponseScoreRecord(Struct, frozen=True, kw_only=True):
    """What was answered to one question, and what it earned."""

    response_id: str
    question_type: str
    question_reference: str
    automarkable: bool
    """False: a person marks it."""
    attempted: bool
    score: int | float | None
    """The automatic one; null until there is one."""
    max_score: int | float | None
    manual_score: int | float | None
    """The one that a person gave; it counts instead of the automatic one."""
    max_manual_score: int | float | None
    dt_score_updated: str | None
    error: str | None
    """Why it could not be marked."""
    response: JsonObjectOrNull
    """What the learner answered, as it was stored."""


class ResponseRecord(ResponseScoreRecord, frozen=True, kw_only=True):
    """The same, with the item that it belongs to."""

    item_reference: str


class SessionResponsesRecord(Struct, frozen=True, kw_only=True):
    """A session with everything that was answered and scored."""

    user_id: str
    activity_id: str
    session_id: str
    num_attempted: int
    num_questions: int
    score: int | float | None
    max_score: int | float | None
    session_duration: int
    """Seconds."""
    status: Status
    dt_saved: str | None
    dt_started: str | None
    dt_completed: str | None
    subscores: JsonList
    metadata: dict[str, Raw]
    """All of it, or the included attributes that the session has."""
    items: list[ItemRecord]
    responses: list[ResponseRecord]


class ResponseScoresRecord(Struct, frozen=True, kw_only=True):
    """A session's responses and their scores."""

    user_id: str
    activity_id: str
    session_id: str
    score: int | float | None
    max_score: int | float | None
    status: Status
    responses: list[ResponseScoreRecord]


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
        responses=UNSET if session.responses is None else wire.decode(session.responses, list[CountedScore]),
    )


def show_session(session: Session) -> SessionResponsesRecord:
    """Needs everything that can be read of a session."""
    return SessionResponsesRecord(
        user_id=session.user_id,
        activity_id=session.activity_id,
        session_id=session.session_id,
        num_attempted=session.num_attempted,
        num_questions=session.num_questions,
        score=show_score(session.score),
        max_score=show_score(session.max_score),
        session_duration=session.session_duration,
        status=session.status,
        dt_saved=show_moment(session.dt_saved),
        dt_started=show_moment(session.dt_started),
        dt_completed=show_moment(session.dt_completed),
        subscores=Raw(session.subscores or b"[]"),
        metadata=wire.decode(session.metadata or b"{}", dict[str, Raw]),
        items=wire.decode(session.items or b"[]", list[ItemRecord]),
        responses=wire.decode(session.responses or b"[]", list[ResponseRecord]),
    )


def show_response_scores(session: Session) -> ResponseScoresRecord:
    """Needs the session's whole responses."""
    return ResponseScoresRecord(
        user_id=session.user_id,
        activity_id=session.activity_id,
        session_id=session.session_id,
        score=show_score(session.score),
        max_score=show_score(session.max_score),
        status=session.status,
        responses=wire.decode(session.responses or b"[]", list[ResponseScoreRecord]),
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
