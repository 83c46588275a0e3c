"""Scoring a question: what a response earns, from the question as the learner met it. Pure, linear, never raises.

    question -> Kind, Rules, Keys -> Marker
    response + Marker -> Comparisons, one for each solution; + Rules -> Award -> QuestionScore

Types, values and modes are those of the public Learnosity scoring documentation; the modules below say what is our
reading of it. Here that is: an unscored question gives 0 of 0; a question without an attempt has no score but counts
its maximum; what `match_all_possible_responses` accepts earns what the best solution does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from jobgate.scoring.awards import Keyed, award, find_maximum
from jobgate.scoring.cells import has_value
from jobgate.scoring.gaps import GapMarker, read_gap_marker
from jobgate.scoring.kinds import Kind, find_kind
from jobgate.scoring.maths.checks import MathCheck, Verdicts
from jobgate.scoring.solutions import CellMarker, read_cell_marker
from jobgate.scoring.validation import Key, Rules, Unusable, read_keys, read_rules, read_validation

Marker = CellMarker | GapMarker

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


@dataclass(frozen=True, slots=True)
class Question:
    """A question, read once for any number of responses."""

    max_score: float | None
    rules: Rules | None = None
    marker: Marker | None = None
    """None: nothing marks it but a person, if anybody."""
    is_automarkable: bool = True
    is_unscored: bool = False
    fault: str | None = None
    """Why it cannot be used."""

    def score(self, response: object, verdicts: Verdicts = NO_VERDICTS) -> QuestionScore:
        """Score a response, whatever JSON it is. `verdicts` answer the checks of `list_checks`."""
        value = _read_value(response)
        attempted = has_value(value)
        if self.rules is None or self.marker is None:
            practised = 0 if self.is_unscored and attempted else None
            return QuestionScore(practised, self.max_score, attempted, self.is_automarkable, self.fault, ())
        try:
            keyed = _compare(self.marker, value if attempted else None, verdicts)
        except Unusable as reason:
            return QuestionScore(None, self.max_score, attempted, True, str(reason), ())
        if not attempted:
            return QuestionScore(None, self.max_score, False, True, None, keyed[0].comparison.areas)
        score, areas, doubt = award(self.rules, keyed)
        return QuestionScore(score, self.max_score, True, True, doubt, areas)

    def list_checks(self, response: object) -> list[MathCheck]:
        """The checks of a response that only the evaluator can decide: what `score` wants verdicts for."""
        value = _read_value(response)
        if not isinstance(self.marker, GapMarker) or not has_value(value):
            return []
        try:
            return self.marker.list_checks(value)
        except Unusable:
            return []


def read_question(question: object) -> Question:
    """Read a question, whatever JSON it is."""
    if not isinstance(question, Mapping):
        return Question(None, fault="the question is not an object")
    try:
        validation = read_validation(question)
        kind = find_kind(question)
        if kind is not None and not validation:  # a survey: nothing is right
            return Question(None, is_automarkable=False)
        rules = read_rules(validation, kind.modes if kind else ())
        is_automarkable = kind is not None and rules.is_automarkable
        if rules.is_unscored:
            return Question(0, is_automarkable=is_automarkable, is_unscored=True)
        if kind is None or (not rules.is_automarkable and rules.max_score is not None):
            return Question(rules.max_score, is_automarkable=False)
        marker = _read_marker(kind, question, rules, read_keys(validation))
        max_score = find_maximum(rules, _compare(marker, None, NO_VERDICTS))
        return Question(max_score, rules, marker if is_automarkable else None, is_automarkable)
    except Unusable as reason:
        return Question(None, fault=str(reason))


def score_question(
    question: Mapping[str, Any], response: Mapping[str, Any] | None, verdicts: Verdicts = NO_VERDICTS
) -> QuestionScore:
    """Score one response to one question. Who has more of them reads the question once."""
    return read_question(question).score(response, verdicts)


def list_checks(question: Mapping[str, Any], response: Mapping[str, Any] | None) -> list[MathCheck]:
    """The checks of one response to one question that only the evaluator can decide."""
    return read_question(question).list_checks(response)


def _read_marker(kind: Kind, question: Mapping[str, Any], rules: Rules, keys: Sequence[Key]) -> Marker:
    if kind.is_mathematical:
        return read_gap_marker(kind, keys)
    return read_cell_marker(kind, question, rules.mode, keys)


def _compare(marker: Marker, value: Any, verdicts: Verdicts) -> list[Keyed]:
    return marker.compare(value, verdicts) if isinstance(marker, GapMarker) else marker.compare(value)


def _read_value(response: object) -> Any:
    return response.get("value") if isinstance(response, Mapping) else None
