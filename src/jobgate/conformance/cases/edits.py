"""Changes to a statement, and what a rule's cases consist of."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

from jobgate.xapi.rules import Rule
from jobgate.xapi.violations import Version

GONE = object()
"""Instead of a value: the property is taken away."""

Edit = dict[str, Any]
"""Values by their place, as in `result/score/raw`; the empty place is the whole statement. IRIs have slashes too:
they stand only in values here."""

BOTH: tuple[Version, ...] = ("1.0.3", "2.0.0")


class Cases(NamedTuple):
    """A rule's; what is refused breaks it and nothing else, unless `also` names what goes with it."""

    accepted: Sequence[Edit]
    refused: Sequence[Edit]
    open_accepted: Sequence[Edit] = ()
    """What the standard leaves open, as jobgate decides. Another server may decide otherwise: it is not asked."""
    open_refused: Sequence[Edit] = ()
    versions: tuple[Version, ...] = BOTH
    also: frozenset[Rule] = frozenset()


class Apart(NamedTuple):
    """What one version accepts and the other refuses, by the rule that then is broken."""

    rule: Rule
    change: Edit
    is_open: bool = False


def at(place: str, *values: Any) -> list[Edit]:
    """The same place, value by value."""
    return [{place: value} for value in values]


def these(*values: Any) -> tuple[Any, ...]:
    """Values of any type."""
    return values


def edit(statement: Any, changes: Edit) -> Any:
    """The statement with changes; what does not change is shared."""
    for place, value in changes.items():
        statement = _put(statement, place.split("/") if place else [], value)
    return statement


def _put(holder: Any, way: list[str], value: Any) -> Any:
    if not way:
        return value
    step: Any = int(way[0]) if isinstance(holder, list) else way[0]
    changed = copy.copy(holder)
    if value is GONE and len(way) == 1:
        del changed[step]
    else:
        changed[step] = _put(changed[step], way[1:], value) if len(way) > 1 else value
    return changed
