"""The `validation` of a question: what is right, what it earns, and how it is marked. Pure.

Names, meanings and defaults are those of the public Learnosity scoring documentation. Stored questions may still use
older names: `valid_responses`, `valid_score`, `penalty_score`, `partial_scoring`, `pairwise`. That `partial_scoring`
means `partialMatch`, and that a negative penalty means its amount, is our reading of such questions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, TypeVar

Default = TypeVar("Default", float, None)

MAX_POINTS = 1_000_000
"""What one question may give at most."""

MAX_KEYS = 1000
"""How many complete solutions a question may have."""


class Unusable(ValueError):
    """A question or a response that cannot be marked; the message says why."""


class Mode(NamedTuple):
    """How marks are distributed."""

    by_area: bool = False
    """Every right area earns; otherwise all must be right."""
    is_divided: bool = False
    """The score of the solution is divided between its areas; otherwise each area earns it."""
    by_element: bool = False
    """Each entry of a cell is an area; otherwise the cell is."""
    by_pair: bool = False
    """What earns is the relative order of each pair of entries."""


EXACT = Mode()
MODES = {
    "exactMatch": EXACT,
    "partialMatch": Mode(by_area=True),
    "partialMatchV2": Mode(by_area=True, is_divided=True),
    "partialMatchElement": Mode(by_area=True, by_element=True),
    "partialMatchElementV2": Mode(by_area=True, is_divided=True, by_element=True),
    "partialMatchPairwise": Mode(by_area=True, is_divided=True, by_pair=True),
}


class Rules(NamedTuple):
    """How a question is marked, apart from what is right."""

    mode: Mode
    penalty: float
    """Taken off for a wrong response; in partial modes for every wrong area."""
    allows_negative: bool
    floor: float | None
    """What an attempt earns at least."""
    rounds_down: bool
    is_unscored: bool
    """Practice: it neither earns nor counts."""
    is_automarkable: bool
    max_score: float | None
    """What a person may give."""


class Key(NamedTuple):
    """A complete solution and what it earns. `value` is as the question has it."""

    score: float
    value: Any
    matching_rule: Any = None
    """How typed text is matched; only whole texts are supported."""
    lists_choices: bool = False
    """Older form: instead of the right answer, each area lists all right answers."""


def read_validation(question: Mapping[str, Any]) -> Mapping[str, Any]:
    """The `validation` of a question; empty if it has none. Raises `Unusable`."""
    validation = question.get("validation")
    if validation is None or validation == []:  # PHP writes an empty object so
        return {}
    if not isinstance(validation, Mapping):
        raise Unusable("`validation` is not an object")
    return validation


def read_rules(validation: Mapping[str, Any], modes: Collection[Mode]) -> Rules:
    """The rules of a question that may use these modes; none: a person marks it. Raises `Unusable`."""
    mode = _read_mode(validation) if modes else EXACT
    if modes and mode not in modes:
        raise Unusable("`scoring_type` is not supported for this type of question")
    return Rules(
        mode,
        penalty=_read_penalty(validation),
        allows_negative=validation.get("allow_negative_scores") is True,
        floor=_read_points(validation, "min_score_if_attempted", None),
        rounds_down=validation.get("rounding") == "floor" and mode.is_divided and not mode.by_pair,
        is_unscored=validation.get("unscored") is True,
        is_automarkable=validation.get("automarkable") is not False,
        max_score=_read_points(validation, "max_score", None),
    )


def read_keys(validation: Mapping[str, Any]) -> list[Key]:
    """The solutions of a question, the principal one first. Raises `Unusable`."""
    score = _read_points(validation, "valid_score", 1.0)
    first = validation.get("valid_response")
    if first is None and "valid_responses" in validation:
        return _read_older_keys(validation["valid_responses"], score)
    if first is None:
        raise Unusable("`validation` has no `valid_response`")
    others = validation.get("alt_responses") or []
    if not isinstance(others, list):
        raise Unusable("`alt_responses` is not an array")
    if len(others) >= MAX_KEYS:
        raise Unusable(f"there are more than {MAX_KEYS} solutions")
    return [_read_key(first, score), *(_read_key(other, score) for other in others)]


def _read_mode(validation: Mapping[str, Any]) -> Mode:
    name = validation.get("scoring_type")
    if name is None:
        if validation.get("pairwise") is True:
            return MODES["partialMatchPairwise"]
        return MODES["partialMatch"] if validation.get("partial_scoring") is True else EXACT
    mode = MODES.get(name) if isinstance(name, str) else None
    if mode is None:
        raise Unusable("`scoring_type` is not supported")
    return mode


def _read_penalty(validation: Mapping[str, Any]) -> float:
    for name in ("penalty", "penalty_score"):
        value = validation.get(name)
        if value is not None:
            amount = -value if isinstance(value, int | float) and value < 0 else value
            return _check_points(amount, name)
    return 0.0


def _read_points(validation: Mapping[str, Any], name: str, default: Default) -> float | Default:
    value = validation.get(name)
    return default if value is None else _check_points(value, name)


def _check_points(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_POINTS:
        raise Unusable(f"`{name}` is not a number that a question can give")
    return float(value)


def _read_key(key: Any, score: float) -> Key:
    if not isinstance(key, Mapping):
        return Key(score, key)
    return Key(_read_points(key, "score", score), key.get("value"), key.get("matching_rule"))


def _read_older_keys(keys: Any, score: float) -> list[Key]:
    if not isinstance(keys, list) or not keys or len(keys) > MAX_KEYS:
        raise Unusable("`valid_responses` is not an array of solutions")
    if all(isinstance(key, Mapping) for key in keys):
        return [_read_key(key, score) for key in keys]
    return [Key(score, keys, lists_choices=True)]
