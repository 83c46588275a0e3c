"""An entry ready to be kept: checked, and in the form that sessions take it from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from jobgate import complaints, wire
from jobgate.errors import ApiError, Code, shown
from jobgate.itembank.entries import (
    MAX_QUESTIONS,
    ActivityEntry,
    BankReference,
    ItemEntry,
    Link,
    QuestionEntry,
    Tags,
)
from jobgate.itembank.records import ActivityBody, ItemBody, QuestionBody
from jobgate.scoring.questions import score_question
from jobgate.sessions.entries import Subscores

ITEM_RULES = ("per-question", "per-dichotomous", "dependent")
"""What an item's `metadata.scoring_type` may be."""

MAX_QUESTION_BYTES = 256 * 1024
MAX_TAGS = 100
"""A session takes copies, as many as it has responses and items."""


class EntryDraft(NamedTuple):
    """What is stored of an entry."""

    reference: str
    body: bytes


class _ActivityData(Struct):
    """What must be readable in the `data` of an activity."""

    items: Annotated[list[BankReference | Link], Meta(max_length=1000)] = []
    subscores: Subscores = []


_ACTIVITY_DATA = msgspec.inspect.type_info(_ActivityData)


def draft_question(entry: QuestionEntry) -> EntryDraft:
    """A question is kept with its type inside. Raises `ApiError` for one that could never be marked."""
    type: Any = entry.data.get("type", entry.type)
    if entry.type not in (None, type):
        raise ApiError(Code.unsupported_value, f"`type` is {shown(entry.type)}, but `data.type` is {shown(type)}")
    question = entry.data | {"type": type}
    data = wire.encode(question)
    if len(data) > MAX_QUESTION_BYTES:
        raise ApiError(Code.invalid_length, f"`data` must not have more than {MAX_QUESTION_BYTES} bytes as JSON")
    error = score_question(question, None).error
    if error is not None:
        raise ApiError(Code.unsupported_value, f"`data`: {error}")
    return EntryDraft(entry.reference, wire.encode(QuestionBody(type=type, data=Raw(data))))


def draft_item(entry: ItemEntry) -> EntryDraft:
    """An item is kept with the list of its questions. Raises `ApiError`."""
    rule = entry.metadata.get("scoring_type", ITEM_RULES[0])
    if rule not in ITEM_RULES:
        raise ApiError(
            Code.unsupported_value, f"`metadata.scoring_type` must be one of {', '.join(ITEM_RULES)}, not {shown(rule)}"
        )
    questions = _read_widgets(entry.definition) if entry.questions is None else map(_name, entry.questions)
    references = list(dict.fromkeys(questions))
    if len(references) > MAX_QUESTIONS:
        raise ApiError(Code.too_much, f"`definition` must name at most {MAX_QUESTIONS} questions")
    body = ItemBody(
        title=entry.title,
        description=entry.description,
        status=entry.status,
        metadata=Raw(wire.encode(entry.metadata)),
        questions=[Link(reference=reference) for reference in references],
        definition=Raw(wire.encode(entry.definition)),
        tags=_group(entry.tags),
        irt=entry.irt,
    )
    return EntryDraft(entry.reference, wire.encode(body))


def draft_activity(entry: ActivityEntry) -> EntryDraft:
    """Raises `ApiError` where sessions could not take the subscores of the activity."""
    try:
        msgspec.convert(entry.data, _ActivityData)
    except msgspec.ValidationError as error:
        refusal = complaints.translate(error, _ACTIVITY_DATA)
        raise ApiError(refusal.code, f"`data`: {refusal.message}") from None
    body = ActivityBody(
        title=entry.title,
        description=entry.description,
        status=entry.status,
        data=Raw(wire.encode(entry.data)),
        tags=_group(entry.tags),
    )
    return EntryDraft(entry.reference, wire.encode(body))


def _name(link: str | Link) -> str:
    return link if isinstance(link, str) else link.reference


def _read_widgets(definition: Mapping[str, Any]) -> Iterator[str]:
    """The questions that a layout shows: in its widgets, or in those of its regions."""
    regions = definition.get("regions")
    for part in (definition, *(regions if isinstance(regions, list) else ())):
        widgets = part.get("widgets") if isinstance(part, dict) else None
        for widget in widgets if isinstance(widgets, list) else ():
            reference = widget.get("reference") if isinstance(widget, dict) else None
            if isinstance(reference, str) and reference:
                yield reference


def _group(tags: Tags) -> dict[str, list[str]]:
    """Names by type, each once."""
    if isinstance(tags, dict):
        distinct = dict.fromkeys((type, name) for type, names in tags.items() for name in names)
    else:
        distinct = dict.fromkeys((tag.type, tag.name) for tag in tags)
    if len(distinct) > MAX_TAGS:
        raise ApiError(Code.too_much, f"`tags` must contain at most {MAX_TAGS} tags")
    grouped: dict[str, list[str]] = {}
    for type, name in distinct:
        grouped.setdefault(type, []).append(name)
    return grouped
