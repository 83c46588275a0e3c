"""Results, with their scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobgate.xapi.extensions import check_extensions
from jobgate.xapi.instants import DURATION
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import is_number, make_boolean, make_check, make_text
from jobgate.xapi.violations import Field, Fields, Path, Report, check_fields, inside


def check_result(value: Any, path: Path, report: Report) -> None:
    """The result of a statement."""
    if type(value) is not dict:
        report.add_value(path, Rule.type, value)
    else:
        check_fields(value, RESULT, path, report)


def check_score(value: Any, path: Path, report: Report) -> None:
    """Each number by itself, then those that bound each other, where both are there."""
    if type(value) is not dict:
        report.add_value(path, Rule.score, value)
        return
    check_fields(value, SCORE, path, report)
    find: Callable[[str], Any] = value.get
    raw, low, high = find("raw"), find("min"), find("max")
    if _are_numbers(low, high) and low >= high:
        report.add(path, Rule.score_range)
    if (_are_numbers(raw, low) and raw < low) or (_are_numbers(raw, high) and raw > high):
        report.add((path, "raw"), Rule.score_raw)


def check_scaled(value: Any, path: Path, report: Report) -> None:
    """A score that compares over everything."""
    if not is_number(value):
        report.add_value(path, Rule.score, value)
    elif not -1 <= value <= 1:
        report.add(path, Rule.scaled)


def _are_numbers(one: Any, other: Any) -> bool:
    return type(one) in NUMBERS and type(other) in NUMBERS


NUMBERS = (int, float)

# Small integers are numbers in any case; the test of a range does not count.
_NUMBER: Field = (int, range(-(2**53), 2**53).__contains__, make_check(is_number, Rule.score))

SCORE: Fields = {
    "scaled": (int, range(-1, 2).__contains__, check_scaled),
    "raw": _NUMBER,
    "min": _NUMBER,
    "max": _NUMBER,
}

RESULT: Fields = {
    "score": inside(check_score),
    "success": make_boolean(Rule.success),
    "completion": make_boolean(Rule.completion),
    "response": make_text(Rule.response),
    "duration": DURATION,
    "extensions": inside(check_extensions),
}
