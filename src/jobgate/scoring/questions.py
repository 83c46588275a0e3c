"""Scoring a question: what a response earns, from the question as the learner met it. Pure, linear, never raises.

    question.type -> Kind, question.validation -> Rules, Keys
    response.value + Key -> Comparison, one for each solution -> Award -> QuestionScore

Types, values and modes are those of the public Learnosity scoring documentation; the modules below say what is our
reading of it. Here that is: an unscored question gives 0 of 0; a question without an attempt has no score but counts
its maximum; what `match_all_possible_responses` accepts earns what the best solution does.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from jobgate.scoring.awards import Keyed, award, find_maximum
from jobgate.scoring.cells import has_value
from jobgate.scoring.gaps import compare_gaps, list_open_checks
from jobgate.scoring.kinds import Kind, find_kind
from jobgate.scoring.maths.checks import MathCheck, Verdicts
from jobgate.scoring.solutions import compare_solutions
from jobgate.scoring.validation import Rules, Unusable, read_keys, read_rules, read_validation

NO_VERDICTS: Verdicts = MappingProxyType({})


class QuestionScore(NamedTuple):
    """What a response earned."""

    score: float | None
    """None: not attempted, left to a person, or `error` says why."""
    max_score: float | None
    attempted: bool
    automarkable: bool
    """False: a person marks."""
    error: str | None
    """Why it could not be marked."""
    areas: tuple[bool | None, ...]
    """Right, wrong or unanswered, for each area of the solution that counts."""


def score_question(
    question: Mapping[str, Any], response: Mapping[str, Any] | None, verdicts: Verdicts = NO_VERDICTS
) -> QuestionScore:
    """Score a response, whatever JSON it and the question are. `verdicts` answer the checks of `list_checks`."""
    value = _read_value(response)
    attempted = has_value(value)
    try:
        validation = read_validation(question)
        kind = find_kind(question)
        rules = read_rules(validation, kind.modes if kind else ())
        is_automatic = kind is not None and rules.is_automarkable
        if rules.is_unscored:
            return QuestionScore(0 if attempted else None, 0, attempted, is_automatic, None, ())
        if kind is None or (not rules.is_automarkable and rules.max_score is not None):
            return QuestionScore(None, rules.max_score, attempted, False, None, ())
        keyed = _compare(kind, question, validation, rules, value, verdicts)
        maximum = find_maximum(rules, keyed)
    except Unusable as reason:
        return QuestionScore(None, None, attempted, True, str(reason), ())
    if not is_automatic:
        return QuestionScore(None, maximum, attempted, False, None, ())
    if not attempted:
        return QuestionScore(None, maximum, False, True, None, keyed[0].comparison.areas)
    score, areas, doubt = award(rules, keyed)
    return QuestionScore(score, maximum, True, True, doubt, areas)


def list_checks(question: Mapping[str, Any], response: Mapping[str, Any] | None) -> list[MathCheck]:
    """The checks of a response that only the evaluator can decide: what `score_question` wants verdicts for."""
    value = _read_value(response)
    if not has_value(value):
        return []
    try:
        validation = read_validation(question)
        kind = find_kind(question)
        if kind is None or not kind.is_mathematical:
            return []
        return list_open_checks(kind, read_keys(validation), value)
    except Unusable:
        return []


def _read_value(response: object) -> Any:
    return response.get("value") if isinstance(response, Mapping) else None


def _compare(
    kind: Kind,
    question: Mapping[str, Any],
    validation: Mapping[str, Any],
    rules: Rules,
    value: Any,
    verdicts: Verdicts,
) -> list[Keyed]:
    keys = read_keys(validation)
    if kind.is_mathematical:
        return compare_gaps(kind, keys, value, verdicts)
    return compare_solutions(kind, question, rules, keys, value)
