"""Where readers look, and how they see numbers."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from msgspec import UnsetType

DIGITS = 4

Number: TypeAlias = float | UnsetType | None
"""Null where nobody has the value; absent where the dataset was set not to show it."""


class Place(NamedTuple):
    """A group of what was compiled."""

    organisation_id: int
    build: int
    number: int


class Page(NamedTuple):
    """A part of a list."""

    offset: int
    limit: int


def rounded(value: float | None) -> float | None:
    """Four decimals, as scores are given."""
    return round(value, DIGITS) if isinstance(value, float) else value
