"""Gaps for mathematics: which checks an answer must pass, and what their verdicts make of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from jobgate.scoring.awards import Keyed
from jobgate.scoring.cells import read_cells
from jobgate.scoring.comparison import Comparison
from jobgate.scoring.kinds import Kind
from jobgate.scoring.maths.checks import MathCheck, UnusableSpecification, Verdict, Verdicts, decide, make_check
from jobgate.scoring.validation import Key, Unusable

MAX_SPECIFICATIONS = 200
"""How many specifications the solutions of a question may have: one may take a good part of a millisecond."""

UNASKED = Verdict(None, "symbolic marking was not asked")


class Gap(NamedTuple):
    """A gap that a solution fills."""

    answer: str | None
    """None: something that is no text; empty: nothing."""
    checks: list[MathCheck]
    """All must hold; none if there is no text to check."""


def compare_gaps(kind: Kind, keys: Sequence[Key], value: Any, verdicts: Verdicts) -> list[Keyed]:
    """Compare an answer with every solution. Raises `Unusable`."""
    return [Keyed(key.score, _compare(gaps, surplus, verdicts)) for key, gaps, surplus in _read(kind, keys, value)]


def list_open_checks(kind: Kind, keys: Sequence[Key], value: Any) -> list[MathCheck]:
    """The checks of an answer that need an evaluator, each once. Raises `Unusable`."""
    checks = (check for _, gaps, _ in _read(kind, keys, value) for gap in gaps for check in gap.checks)
    return [check for check in dict.fromkeys(checks) if decide(check) is None]


def _compare(gaps: list[Gap], num_surplus: int, verdicts: Verdicts) -> Comparison:
    areas: list[bool | None] = []
    num_open, doubt = 0, None
    for gap in gaps:
        judged = [verdicts.get(check) or decide(check) or UNASKED for check in gap.checks]
        open_verdict = next((verdict for verdict in judged if verdict.holds is None), None)
        if gap.answer == "":
            areas.append(None)
        elif gap.answer is None or any(verdict.holds is False for verdict in judged):
            areas.append(False)
        elif open_verdict is not None:
            areas.append(None)
            num_open += 1
            doubt = doubt or open_verdict.reason or UNASKED.reason
        else:
            areas.append(True)
    return Comparison(tuple(areas), areas.count(False) + num_surplus, areas.count(True), num_open, doubt)


def _read(kind: Kind, keys: Sequence[Key], value: Any) -> list[tuple[Key, list[Gap], int]]:
    """Every solution that has anything, with its gaps, and how many answers stand where it wants none."""
    cells = read_cells(value, str, has_places=kind.has_places)
    answers = [next(iter(cell)) if len(cell) == 1 else None if cell else "" for cell in cells]
    read: list[tuple[Key, list[Gap], int]] = []
    num_specifications = 0
    for key in keys:
        places = _list_specifications(kind, key.value)
        num_specifications += sum(map(len, places))
        if num_specifications > MAX_SPECIFICATIONS:
            raise Unusable(f"the solutions have more than {MAX_SPECIFICATIONS} specifications")
        if not any(places):
            if not read:
                raise Unusable("`valid_response` has no `value`")
            continue
        given = answers + [""] * (len(places) - len(answers))
        gaps = [_fill(answer, place) for place, answer in zip(places, given, strict=False) if place]
        surplus = sum(answer != "" for at, answer in enumerate(given) if at >= len(places) or not places[at])
        read.append((key, gaps, surplus))
    return read


def _fill(answer: str | None, specifications: list[Any]) -> Gap:
    checks = [_make_check(each, answer or "") for each in specifications]
    return Gap(answer, checks if answer else [])


def _list_specifications(kind: Kind, value: Any) -> list[list[Any]]:
    """The specifications of each gap; a gap that has one may have it without a list around."""
    if not isinstance(value, list):
        return [] if value is None else [[value]]
    if not kind.has_places and not any(isinstance(each, list) for each in value):
        return [value]
    return [each if isinstance(each, list) else [each] for each in value]


def _make_check(specification: Any, answer: str) -> MathCheck:
    try:
        return make_check(specification, answer)
    except UnusableSpecification as error:
        raise Unusable(f"a specification cannot be read: {str(error)[:200]}") from None
