"""Points: how scores are read from questions, rounded and compared. Pure."""

from __future__ import annotations

from typing import Any

DECIMALS = 4
"""Points are exact to this many decimals: a third is 0.3333."""

TOLERANCE = 1e-6
"""Points that differ by less are equal."""

MAX_POINTS = 1_000_000
"""What one question may give at most."""


def is_points(value: Any) -> bool:
    """Whether this is a number that a question may give: finite, not negative, not too large, no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_POINTS


def round_points(points: float) -> float:
    """Points as they are kept; a whole number is an integer, as those of the documentation are."""
    rounded = round(points, DECIMALS)
    return int(rounded) if rounded == int(rounded) else rounded
