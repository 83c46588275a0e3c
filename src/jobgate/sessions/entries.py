"""A session as callers send it: to `sessions` set, and in a line of a file for `jobgate load`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from jobgate.times import Moment

Status = Literal["Incomplete", "Completed", "Discarded", "Pending Scoring"]

UserId = Annotated[str, Meta(min_length=1, max_length=50)]
SessionId = Annotated[str, Meta(min_length=1, max_length=100)]
ActivityId = Annotated[str, Meta(min_length=1, max_length=255)]
Reference = Annotated[str, Meta(max_length=255)]

Count = Annotated[int, Meta(ge=0, le=2_147_483_647)]
Version = Annotated[int, Meta(ge=1, le=2_147_483_647)]
Seconds = Annotated[int, Meta(ge=0, le=2_147_483_647)] | Annotated[float, Meta(ge=0, le=2_147_483_647)]
Points = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] | Annotated[float, Meta(ge=-1e6, le=1e6)]
"""The score of a response: a thousand of them together still fit 32 bits."""
Total = Annotated[int, Meta(ge=-1_000_000_000, le=1_000_000_000)] | Annotated[float, Meta(ge=-1e9, le=1e9)]


class ItemTag(Struct, frozen=True, kw_only=True):
    """A tag of an item."""

    type: Reference
    name: Reference


class ItemSource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where an item came from."""

    reference: Reference | None = None
    organisation_id: Count | None = None
    item_pool_id: Reference | None = None


class ItemScoring(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an item was scored."""

    type: Reference | None = None
    score: Points | None = None
    max_score: Points | None = None
    max_score_of_attempted: Points | None = None
    max_score_of_unmarked: Points | None = None
    error: Reference | None = None


class ItemParameters(Struct, frozen=True, kw_only=True):
    """How an item of an adaptive activity behaves, by the three-parameter logistic model."""

    a: Annotated[float, Meta(gt=0, le=10)] = 1.0
    """Discrimination."""
    b: Annotated[float, Meta(ge=-10, le=10)]
    """Difficulty."""
    c: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    """The chance to guess right."""


class SessionItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item as the learner met it; what is absent comes from the item bank, if the item is there."""

    reference: Reference
    source: ItemSource | None = None
    response_ids: Annotated[list[Reference], Meta(max_length=1000)] = []
    time: Seconds = 0
    user_flagged: bool = False
    scoring: ItemScoring | None = None
    tags: Annotated[list[ItemTag], Meta(max_length=1000)] = []
    version: Version | None = None
    """Of the item in the item bank; the current one when absent."""
    irt: ItemParameters | None = None
    """A session with such an item is adaptive."""


class SessionResponse(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One response of a session."""

    response_id: Annotated[str, Meta(min_length=1, max_length=255)]
    question_type: Reference = ""
    question_reference: Reference = ""
    item_reference: Reference = ""
    automarkable: bool = True
    attempted: bool | None = None
    """Whether the learner tried; when absent, whether the response has a value."""
    score: Points | None = None
    max_score: Points | None = None
    manual_score: Points | None = None
    max_manual_score: Points | None = None
    dt_score_updated: Moment | None = None
    response: dict[str, Any] | None = None
    """What the learner answered, usually under `value`; stored as it is."""
    question: dict[str, Any] | None = None
    """The question as the learner met it: later scoring goes by it. Stored as it is; that of the bank when absent."""
    question_version: Version | None = None
    """Of the question in the item bank; the current one when absent."""


class SessionSubscore(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The definition of a subscore: over the named items, or over the items that carry one of the tags."""

    id: Reference
    title: Reference = ""
    items: Annotated[list[Reference], Meta(max_length=1000)] = []
    tags: Annotated[list[ItemTag], Meta(max_length=1000)] = []


Subscores = Annotated[list[SessionSubscore], Meta(max_length=100)]


class SessionEntry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A session in the shape that `sessions/responses` returns, to be stored as a whole."""

    user_id: UserId
    activity_id: ActivityId
    session_id: SessionId | None = None
    """A new UUID when absent."""
    status: Status = "Completed"
    num_questions: Count | None = None
    """This and the next three: what counts when there are no responses to compute them from."""
    num_attempted: Count | None = None
    score: Total | None = None
    max_score: Total | None = None
    session_duration: Count = 0
    """Seconds."""
    dt_saved: Moment | None = None
    dt_started: Moment | None = None
    dt_completed: Moment | None = None
    metadata: dict[str, Any] = {}
    """Anything; stored as it is."""
    items: Annotated[list[SessionItem], Meta(max_length=1000)] = []
    responses: Annotated[list[SessionResponse], Meta(max_length=1000)] = []
    subscores: Subscores = []
    """Definitions; results are computed, never taken. When absent, those of the activity in the item bank."""
    custom_state: dict[str, Any] | None = None
    """What an adaptive engine outside keeps; stored as it is."""
