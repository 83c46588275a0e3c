"""The report of an adaptive session: how the estimate of the learner's ability moved, item by item. Pure.

The items of the session that have parameters are taken in its order. An item is right when its score, after its rule,
reaches its maximum, and wrong otherwise, as it is when it was not attempted. One that waits for its mark, or has
nothing to earn, tells nothing: it is no step, and is listed as skipped. `ability` states the model and the methods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from msgspec import Struct

from jobgate.scoring.ability import Evidence
from jobgate.scoring.subscores import Item, Mark, is_right, round_score, sum_items


class ExpectedAbility(Struct, frozen=True, kw_only=True):
    """The mean of the abilities that the answers leave probable (EAP)."""

    ability_estimate: float
    standard_error: float


class LikelyAbility(Struct, frozen=True, kw_only=True):
    """The ability that makes the answers most likely (ML), between -4 and 4."""

    ability_estimate: float
    standard_error: float | None
    """null: the answers say nothing about such an ability."""
    at_bound: bool
    """The most likely ability would be beyond: all was right, or all was wrong."""


class AdaptiveStep(Struct, frozen=True, kw_only=True):
    """One item that the learner met, and the estimates after it."""

    item_reference: str
    a: float
    """Discrimination."""
    b: float
    """Difficulty."""
    c: float
    """What guessing reaches."""
    score: int | float
    max_score: int | float
    correct: bool
    ml: LikelyAbility
    eap: ExpectedAbility


class AdaptiveReport(Struct, frozen=True, kw_only=True):
    """What is stored of a session."""

    method: Literal["eap"] = "eap"
    """How `final` was estimated."""
    final: ExpectedAbility | None
    """The estimate after the last step; null: there was none."""
    steps: list[AdaptiveStep]
    skipped: list[str]
    """Items with parameters that tell nothing: they wait for their marks, or have nothing to earn."""


def take_steps(items: Sequence[Item], marks: Sequence[Mark]) -> Iterator[AdaptiveStep | str]:
    """The steps of one session in its order; of an item that is skipped, its reference."""
    evidence = Evidence()
    sums = sum_items(items, marks)
    for reference, parameters in {item.reference: item.irt for item in items}.items():
        if parameters is None:
            continue
        share = sums[reference]
        right = is_right(share)
        if right is None:
            yield reference
            continue
        evidence.add(parameters, right)
        likely, expected = evidence.find_most_likely(), evidence.find_expected()
        error = likely.standard_error
        yield AdaptiveStep(
            item_reference=reference,
            a=parameters.a,
            b=parameters.b,
            c=parameters.c,
            score=round_score(share.score),
            max_score=round_score(share.max_score),
            correct=right,
            ml=LikelyAbility(
                ability_estimate=round_score(likely.ability),
                standard_error=None if error is None else round_score(error),
                at_bound=likely.at_bound,
            ),
            eap=ExpectedAbility(
                ability_estimate=round_score(expected.ability),
                standard_error=round_score(expected.standard_error),
            ),
        )


def conclude(taken: Sequence[AdaptiveStep | str]) -> AdaptiveReport:
    """The report, from everything that `take_steps` gave."""
    steps = [each for each in taken if isinstance(each, AdaptiveStep)]
    return AdaptiveReport(
        final=steps[-1].eap if steps else None,
        steps=steps,
        skipped=[each for each in taken if isinstance(each, str)],
    )
