"""What an answer earns: from its comparisons with the solutions to points. Pure.

The rules are those of the public Learnosity scoring documentation. Our reading, where it is silent: a penalty in
partial modes is taken whole for every wrong area; the solution that earns most counts, the principal one first; then
comes rounding, then the clamp of negative points, then the floor of an attempt, which raises a lower maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import NamedTuple

from jobgate.scoring.comparison import Comparison
from jobgate.scoring.subscores import DECIMALS, TOLERANCE, round_score
from jobgate.scoring.validation import MAX_POINTS, Mode, Rules, Unusable


class Keyed(NamedTuple):
    """A solution's score, and how the answer compares with it."""

    score: float
    comparison: Comparison


class Award(NamedTuple):
    """What the answer earned."""

    score: float | None
    """None: it could not be decided."""
    areas: tuple[bool | None, ...]
    """Of the solution that counts."""
    doubt: str | None = None
    """Why it could not be decided."""


def find_maximum(rules: Rules, keyed: Sequence[Keyed]) -> float:
    """The most that the question gives. Raises `Unusable` if that is too much."""
    maximum = max(rules.floor or 0.0, *(_most(rules.mode, *key) for key in keyed))
    if maximum > MAX_POINTS:
        raise Unusable(f"it gives more than {MAX_POINTS} points")
    return round_score(maximum)


def award(rules: Rules, keyed: Sequence[Keyed]) -> Award:
    """What an attempt earns."""
    points = [_earn(rules, *key) for key in keyed]
    best = max(range(len(keyed)), key=points.__getitem__)
    areas = keyed[best].comparison.areas
    for score, comparison in keyed:
        may_earn = comparison.num_open and (rules.mode.by_area or comparison.may_match)
        if may_earn and _most(rules.mode, score, comparison) > points[best] + TOLERANCE:
            return Award(None, areas, comparison.doubt)
    return Award(_settle(rules, points[best]), areas)


def _most(mode: Mode, score: float, comparison: Comparison) -> float:
    return score * len(comparison.areas) if mode.by_area and not mode.is_divided else score


def _earn(rules: Rules, score: float, comparison: Comparison) -> float:
    if not rules.mode.by_area:
        return score if comparison.is_match else -rules.penalty
    earned = score * comparison.num_earned
    if rules.mode.is_divided:
        earned /= len(comparison.areas)
    return round(earned - rules.penalty * comparison.num_wrong, DECIMALS)


def _settle(rules: Rules, points: float) -> float:
    if rules.rounds_down:
        points = float(floor(points + TOLERANCE))
    points = max(points, float(-MAX_POINTS) if rules.allows_negative else 0.0)
    return round_score(points if rules.floor is None else max(points, rules.floor))
