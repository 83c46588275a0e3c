"""Results, with their scores."""

from __future__ import annotations

from typing import Any

from jobgate.xapi.extensions import check_extensions
from jobgate.xapi.instants import check_duration
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import is_boolean, is_number, is_text, make_check
from jobgate.xapi.violations import Fields, Path, Report, check_fields


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
    raw, low, high = _number(value, "raw"), _number(value, "min"), _number(value, "max")
    if low is not None and high is not None and low >= high:
        report.add(path, Rule.score_range)
    if raw is not None and low is not None and raw < low:
        report.add((path, "raw"), Rule.score_low)
    if raw is not None and high is not None and raw > high:
        report.add((path, "raw"), Rule.score_high)


def check_scaled(value: Any, path: Path, report: Report) -> None:
    """A score that compares over everything."""
    if not is_number(value):
        report.add_value(path, Rule.score, value)
    elif not -1 <= value <= 1:
        report.add(path, Rule.scaled)


def _number(value: dict[str, Any], name: str) -> int | float | None:
    number: int | float | None = value.get(name)
    return number if is_number(number) else None


_check_number = make_check(is_number, Rule.score)

SCORE: Fields = {"scaled": check_scaled, "raw": _check_number, "min": _check_number, "max": _check_number}

RESULT: Fields = {
    "score": check_score,
    "success": make_check(is_boolean, Rule.success),
    "completion": make_check(is_boolean, Rule.completion),
    "response": make_check(is_text, Rule.response),
    "duration": check_duration,
    "extensions": check_extensions,
}
