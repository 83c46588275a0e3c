"""Entries of the item bank as they are kept, and as callers see them: a body, and which version of what it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import asdict

from jobgate import wire
from jobgate.itembank.entries import ItemStatus, Link
from jobgate.sessions.entries import ItemParameters
from jobgate.sessions.records import JsonObject
from jobgate.times import show_moment

Kind = Literal["question", "item", "activity"]


class QuestionBody(Struct, frozen=True, kw_only=True):
    """What is kept of a question."""

    type: str
    data: JsonObject


class ItemBody(Struct, frozen=True, kw_only=True):
    """What is kept of an item."""

    title: str
    description: str
    status: ItemStatus
    metadata: JsonObject
    questions: list[Link]
    definition: JsonObject
    tags: dict[str, list[str]]
    """Names by type."""
    irt: ItemParameters | None


class ActivityBody(Struct, frozen=True, kw_only=True):
    """What is kept of an activity."""

    title: str
    description: str
    status: ItemStatus
    data: JsonObject
    tags: dict[str, list[str]]
    """Names by type."""


class QuestionVersion(QuestionBody, frozen=True, kw_only=True):
    """A question in one of its versions."""

    reference: str
    version: int
    dt_updated: str | None
    """When this version was set."""


class ItemVersion(ItemBody, frozen=True, kw_only=True):
    """An item in one of its versions."""

    reference: str
    version: int
    dt_updated: str | None
    """When this version was set."""


class ActivityVersion(ActivityBody, frozen=True, kw_only=True):
    """An activity in one of its versions."""

    reference: str
    version: int
    dt_updated: str | None
    """When this version was set."""


class Kept(NamedTuple):
    """A version as it is stored."""

    reference: str
    version: int
    set_at: datetime
    body: bytes


def show_question(kept: Kept) -> QuestionVersion:
    """For callers."""
    return QuestionVersion(**asdict(wire.decode(kept.body, QuestionBody)), **_identity(kept))


def show_item(kept: Kept) -> ItemVersion:
    """For callers."""
    return ItemVersion(**asdict(wire.decode(kept.body, ItemBody)), **_identity(kept))


def show_activity(kept: Kept) -> ActivityVersion:
    """For callers."""
    return ActivityVersion(**asdict(wire.decode(kept.body, ActivityBody)), **_identity(kept))


def _identity(kept: Kept) -> dict[str, Any]:
    return {"reference": kept.reference, "version": kept.version, "dt_updated": show_moment(kept.set_at)}
