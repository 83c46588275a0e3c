"""Subscores: what a learner reached in a part of a session. Pure.

A part is a list of items, or all items that carry one of some tags. Its numbers are sums over the responses to these
items, after the rule of the item: all or nothing, or nothing more after the first question that is not fully right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import fsum
from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from jobgate.scoring.ability import ItemParameters, estimate

DECIMALS = 4
"""Scores are exact to this many decimals, as those of questions are."""

TOLERANCE = 1e-6
"""Scores that differ by less are equal."""

NO_ITEM = ""
"""Stands for the item of responses that have none."""

MAX_LISTED_CHARS = 256 * 1024
"""How long the names of the items may be that the parts of one session list, together."""


class TooMuchListed(ValueError):
    """The parts of a session list more items than anybody reads: a few tags on many items do that."""


class Tag(msgspec.Struct, frozen=True):
    """A label of an item."""

    type: str = ""
    name: str = ""


class SubscoreDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a session, as it was defined when the learner took it."""

    id: str
    title: str = ""
    items: tuple[str, ...] = ()
    tags: tuple[Tag, ...] = ()


class ItemRule(msgspec.Struct, frozen=True):
    """How an item turns the scores of its questions into its own."""

    type: str | None = None


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a session, as far as subscores need it."""

    reference: str
    tags: tuple[Tag, ...] = ()
    response_ids: tuple[str, ...] = ()
    scoring: ItemRule | None = None
    irt: ItemParameters | None = None
    """An adaptive session has them."""


class Mark(NamedTuple):
    """What one response earned: a score that a person gave counts instead of the automatic one."""

    response_id: str
    item_reference: str
    attempted: bool
    score: float | None
    max_score: float | None


class AbilityEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """How able a learner is, on the scale of the items' difficulties."""

    ability_estimate: float
    standard_error: float
    method: Literal["eap"] = "eap"


class Subscore(msgspec.Struct, frozen=True, kw_only=True):
    """What a learner reached in one part."""

    id: str
    title: str
    num_questions: int
    num_attempted: int
    num_unmarked: int
    score: float
    max_score: float
    attempted_max_score: float
    unmarked_max_score: float
    items: list[str]
    ability_estimate: AbilityEstimate | UnsetType = UNSET
    """From those items of an adaptive session that are marked."""


class ItemSums(NamedTuple):
    """One item's share of every sum."""

    num_questions: int
    num_attempted: int
    num_unmarked: int
    score: float
    max_score: float
    attempted_max_score: float
    unmarked_max_score: float


def calculate(
    definitions: Sequence[SubscoreDefinition], items: Sequence[Item], marks: Sequence[Mark]
) -> list[Subscore]:
    """The subscores of one session, in the order of their definitions; each lists its items in the session's order.

    Raises `TooMuchListed`.
    """
    return list(calculate_each(definitions, items, marks))


def calculate_each(
    definitions: Sequence[SubscoreDefinition], items: Sequence[Item], marks: Sequence[Mark]
) -> Iterator[Subscore]:
    """What `calculate` gives, one after the other: a hundred ability estimates from a thousand items take a second."""
    sums = sum_items(items, marks)
    carriers = _find_carriers(items)
    parameters = {item.reference: item.irt for item in items if item.irt is not None}
    listed = 0
    for definition in definitions:
        wanted = set(definition.items).union(*(carriers.get(tag, ()) for tag in set(definition.tags)))
        belonging = {item: share for item, share in sums.items() if item in wanted and item != NO_ITEM}
        listed += sum(map(len, belonging))
        if listed > MAX_LISTED_CHARS:
            raise TooMuchListed
        yield _combine(definition, belonging, _estimate(belonging, parameters))


def sum_items(items: Sequence[Item], marks: Sequence[Mark]) -> dict[str, ItemSums]:
    """What every item of a session comes to, and under `NO_ITEM` the responses that belong to none."""
    rules = {item.reference: item.scoring.type for item in items if item.scoring is not None}
    return {reference: _sum(rules.get(reference), own) for reference, own in group_marks(items, marks).items()}


def is_right(share: ItemSums) -> bool | None:
    """Whether all of an item is right; None: some of it waits for its mark, or there is nothing to earn.

    What was not attempted is wrong.
    """
    if share.num_unmarked or share.max_score < TOLERANCE:
        return None
    return share.score > share.max_score - TOLERANCE


def round_score(score: float) -> float:
    """Without the noise of sums; a whole score is an integer, as those of the documentation are."""
    rounded = round(score, DECIMALS)
    return int(rounded) if rounded == int(rounded) else rounded


def credit(rule: str | None, marks: Sequence[Mark]) -> list[float]:
    """What the questions of an item earn under its rule, in their order; an unmarked one counts 0."""
    scores = [mark.score or 0.0 for mark in marks]
    if rule not in ("per-dichotomous", "dependent"):
        return scores
    wrong = next((at for at, mark in enumerate(marks) if scores[at] < (mark.max_score or 0.0) - TOLERANCE), None)
    if wrong is None:
        return scores
    kept = 0 if rule == "per-dichotomous" else wrong + 1
    return scores[:kept] + [0.0] * (len(scores) - kept)


def group_marks(items: Sequence[Item], marks: Sequence[Mark]) -> dict[str, list[Mark]]:
    """Marks by item. A response names its item, or the item names its responses; unlisted items come last.

    What belongs to no item stands under `NO_ITEM`.
    """
    by_item: dict[str, list[Mark]] = {item.reference: [] for item in items}
    owners = {response_id: item.reference for item in items for response_id in item.response_ids}
    for mark in marks:
        reference = mark.item_reference or owners.get(mark.response_id, NO_ITEM)
        by_item.setdefault(reference, []).append(mark)
    return by_item


def _find_carriers(items: Sequence[Item]) -> dict[Tag, list[str]]:
    """Which items carry a tag."""
    carriers: dict[Tag, list[str]] = {}
    for item in {item.reference: item for item in items}.values():
        for tag in item.tags:
            carriers.setdefault(tag, []).append(item.reference)
    return carriers


def _sum(rule: str | None, marks: Sequence[Mark]) -> ItemSums:
    attempted = [mark for mark in marks if mark.attempted]
    unmarked = [mark for mark in attempted if mark.score is None]
    return ItemSums(
        len(marks),
        len(attempted),
        len(unmarked),
        fsum(credit(rule, marks)),
        _most(marks),
        _most(attempted),
        _most(unmarked),
    )


def _most(marks: Sequence[Mark]) -> float:
    return fsum(mark.max_score or 0.0 for mark in marks)


def _estimate(items: Mapping[str, ItemSums], parameters: Mapping[str, ItemParameters]) -> AbilityEstimate | UnsetType:
    answers = [
        (parameters[reference], right)
        for reference, share in items.items()
        if reference in parameters and (right := is_right(share)) is not None
    ]
    if not answers:
        return UNSET
    found = estimate(answers)
    return AbilityEstimate(
        ability_estimate=round_score(found.ability), standard_error=round_score(found.standard_error)
    )


def _combine(
    definition: SubscoreDefinition, items: Mapping[str, ItemSums], ability: AbilityEstimate | UnsetType
) -> Subscore:
    sums = items.values()
    return Subscore(
        id=definition.id,
        title=definition.title,
        num_questions=sum(item.num_questions for item in sums),
        num_attempted=sum(item.num_attempted for item in sums),
        num_unmarked=sum(item.num_unmarked for item in sums),
        score=round_score(fsum(item.score for item in sums)),
        max_score=round_score(fsum(item.max_score for item in sums)),
        attempted_max_score=round_score(fsum(item.attempted_max_score for item in sums)),
        unmarked_max_score=round_score(fsum(item.unmarked_max_score for item in sums)),
        items=list(items),
        ability_estimate=ability,
    )
