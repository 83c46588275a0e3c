"""Questions, items and activities as callers send them. Each is set as a whole: what is left out is gone."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from jobgate.sessions.entries import ItemParameters, ItemTag

BankReference = Annotated[str, Meta(min_length=1, max_length=255)]
Title = Annotated[str, Meta(max_length=1024)]
Description = Annotated[str, Meta(max_length=65_536)]
TagName = Annotated[str, Meta(max_length=255)]
TagNames = Annotated[list[TagName], Meta(max_length=100)]

ItemStatus = Literal["published", "unpublished", "archived"]

Tags: TypeAlias = Annotated[list[ItemTag], Meta(max_length=100)] | dict[TagName, TagNames]
"""As the documentation sets tags, one by one, or as it shows them, names by type."""

MAX_QUESTIONS = 100


class Link(Struct, frozen=True, kw_only=True):
    """Another entry of the bank, named."""

    reference: BankReference


class QuestionEntry(Struct, frozen=True, kw_only=True):
    """A question to keep."""

    reference: BankReference
    type: TagName | None = None
    """Like `mcq`; what `data` says when absent."""
    data: dict[str, Any]
    """The question as learners meet it, with its `validation`; stored as it is."""


class ItemEntry(Struct, frozen=True, kw_only=True):
    """An item to keep."""

    reference: BankReference
    title: Title = ""
    description: Description = ""
    status: ItemStatus = "published"
    metadata: dict[str, Any] = {}
    """Anything; `scoring_type` says how the scores of the questions become that of the item."""
    questions: Annotated[list[BankReference | Link], Meta(max_length=MAX_QUESTIONS)] | None = None
    """In their order; those of the widgets in `definition` when absent. They need not be in the bank yet."""
    definition: dict[str, Any] = {}
    """The layout; stored as it is."""
    tags: Tags = []
    irt: ItemParameters | None = None
    """Of an item for adaptive activities."""


class ActivityEntry(Struct, frozen=True, kw_only=True):
    """An activity to keep."""

    reference: BankReference
    title: Title = ""
    description: Description = ""
    status: ItemStatus = "published"
    data: dict[str, Any] = {}
    """Anything; `items` are references, `subscores` the definitions that its sessions take. Stored as it is."""
    tags: Tags = []
