"""Totals of a session and of its items, from the marks of its responses. Pure.

Item rules come after the scoring of questions and before the sums of a session; a response that belongs to no item
counts as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import NamedTuple

import msgspec

from jobgate.scoring.subscores import NO_ITEM, Item, ItemSums, Mark, group_marks, round_score, sum_items

PER_QUESTION = "per-question"
"""The rule of an item that names none."""

MAX_ERROR_CHARS = 255
"""How much an item says about what went wrong."""


class ItemScore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What `items[].scoring` says of one item of a session."""

    type: str
    score: float
    max_score: float
    max_score_of_attempted: float
    max_score_of_unmarked: float
    error: str | None = None
    """Why one of its responses could not be marked."""


class SessionScore(NamedTuple):
    """What a session comes to."""

    num_attempted: int
    score: float
    max_score: float
    items: Mapping[str, ItemScore]
    """The items that have responses, by reference."""


def add_up(items: Sequence[Item], marks: Sequence[Mark], errors: Mapping[str, str] | None = None) -> SessionScore:
    """The totals of one session; `errors` says, by response, why it could not be marked."""
    sums = sum_items(items, marks)
    rules = {item.reference: item.scoring.type for item in items if item.scoring is not None}
    failed = _first_errors(items, marks, errors) if errors else {}
    return SessionScore(
        sum(share.num_attempted for share in sums.values()),
        round_score(fsum(share.score for share in sums.values())),
        round_score(fsum(share.max_score for share in sums.values())),
        {
            reference: _show(share, rules.get(reference), failed.get(reference))
            for reference, share in sums.items()
            if share.num_questions and reference != NO_ITEM
        },
    )


def _first_errors(items: Sequence[Item], marks: Sequence[Mark], errors: Mapping[str, str]) -> dict[str, str]:
    """The first error of every item that has one."""
    groups = group_marks(items, marks)
    return {reference: found for reference, own in groups.items() if (found := _first(errors, own)) is not None}


def _first(errors: Mapping[str, str], marks: Iterable[Mark]) -> str | None:
    return next((errors[mark.response_id] for mark in marks if mark.response_id in errors), None)


def _show(share: ItemSums, rule: str | None, error: str | None) -> ItemScore:
    return ItemScore(
        type=rule or PER_QUESTION,
        score=round_score(share.score),
        max_score=round_score(share.max_score),
        max_score_of_attempted=round_score(share.attempted_max_score),
        max_score_of_unmarked=round_score(share.unmarked_max_score),
        error=None if error is None else error[:MAX_ERROR_CHARS],
    )
