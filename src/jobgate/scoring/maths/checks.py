"""Maths checks: one question about one typed answer, and what came of it. Pure.

    specification of the author + answer -> make_check -> MathCheck -> decide, or else evaluator.judge -> Verdict

`decide` settles at once what needs no computer algebra; for the rest it gives None, and the evaluator has the say.
Nothing is guessed: what is not understood, or can be read in two ways, has no verdict but a reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from jobgate.scoring.maths import forms, values
from jobgate.scoring.maths.literal import ANY_ORDER, normalise
from jobgate.scoring.maths.nodes import Node, Relation, Spread
from jobgate.scoring.maths.options import Options, tidy
from jobgate.scoring.maths.parser import parse
from jobgate.scoring.maths.tokens import Notation, NotUnderstood

MAX_KEY_CHARS = 10_000


class MathCheck(NamedTuple):
    """One specification of the author, put to one answer."""

    method: str
    key: str
    """The author's value; empty for methods that compare with none."""
    options: Options
    answer: str


class Verdict(NamedTuple):
    """Whether a check holds; None: it could not be decided, and `reason` says why."""

    holds: bool | None
    reason: str | None = None


Verdicts = Mapping[MathCheck, Verdict]


class UnusableSpecification(ValueError):
    """The author's specification cannot be read; the message says why."""


class Undecided(Exception):
    """No verdict can be given; the message says why."""


class _Specification(msgspec.Struct, frozen=True):
    method: str
    value: str | int | float = ""
    options: Options = Options()


def make_check(specification: object, answer: str) -> MathCheck:
    """The check that `{"method", "value", "options"}` asks for. Raises `UnusableSpecification`, whatever it gets."""
    if isinstance(specification, dict):
        specification = {name: value for name, value in specification.items() if value is not None}
        options = specification.get("options")
        if isinstance(options, dict):
            specification["options"] = tidy(options)
        elif options == []:
            specification["options"] = {}
    try:
        read = msgspec.convert(specification, _Specification, strict=False)
        msgspec.json.encode(read)  # refuses half characters, which no other process could be told
        return MathCheck(read.method, str(read.value), read.options, answer)
    except (ValueError, RecursionError) as error:
        raise UnusableSpecification(str(error)) from None


def decide(check: MathCheck) -> Verdict | None:
    """What can be said without computer algebra, in milliseconds; None: ask the evaluator. Never raises."""
    rule = _RULES.get(check.method)
    if rule is None:
        return Verdict(None, f"the method {check.method[:40]} is not supported")
    try:
        return conclude(check, rule(check))
    except Undecided as error:
        return Verdict(None, str(error))


def conclude(check: MathCheck, holds: bool | None) -> Verdict | None:
    """The verdict on a check whose method holds or does not, turned round if the author asked for that."""
    return None if holds is None else Verdict(holds is not check.options.inverse_result)


def read_answer(check: MathCheck, *, has_units: bool = False) -> Node:
    """What the learner typed. Raises `Undecided`."""
    return _read("the answer", check.answer, check.options, has_units)


def read_key(check: MathCheck, *, has_units: bool = False) -> Node:
    """What the author expects. Raises `Undecided`."""
    return _read("the expected value", check.key, check.options, has_units)


def _read(what: str, text: str, options: Options, has_units: bool) -> Node:
    try:
        return parse(text, Notation(options.decimal, options.thousands, has_units, options.ignore_text))
    except NotUnderstood as error:
        raise Undecided(f"{what} is not understood: {error}") from None


# -- the methods; each says whether it holds, or None when that takes computer algebra -------------------------------


def _string_match(check: MathCheck) -> bool:
    """Character by character."""

    def tidied(text: str) -> str:
        if check.options.ignore_leading_and_trailing_spaces:
            text = text.strip(" ")
        if check.options.treat_multiple_spaces_as_one:
            text = re.sub(" +", " ", text)
        return text

    return tidied(check.answer) == tidied(check.key)


def _literal(check: MathCheck) -> bool:
    return normalise(read_answer(check), check.options) == normalise(read_key(check), check.options)


def _value(check: MathCheck) -> bool:
    """A value that is an equation asks whether the answer's equation is true, or the same side by side."""
    answer, key = read_answer(check, has_units=True), read_key(check, has_units=True)
    places = check.options.decimal_places
    try:
        if not isinstance(key, Relation):
            return not isinstance(answer, Relation) and values.stands_for(answer, key, places)
        if not isinstance(answer, Relation) or answer.signs != key.signs:
            return False
        if set(key.signs) != {"="}:
            raise Undecided("numbers are compared with =, not with other signs")
        expected = key.sides if check.options.compare_sides else answer.sides[1:]
        return all(values.stands_for(*pair, places) for pair in zip(answer.sides, expected, strict=False))
    except values.NoValue as error:
        raise Undecided(f"no value can be told: {error}") from None


def _syntax(check: MathCheck) -> bool:
    pattern = forms.read_pattern(check.key)
    if pattern is None:
        raise Undecided(f"the pattern {check.key[:40]} is not supported")
    return forms.fits(read_answer(check), *pattern)


def _unit(check: MathCheck) -> bool:
    listed = [name for text in (check.key, *check.options.allowed_units) for name in text.split(",") if name.strip()]
    if not listed or len(check.key) > MAX_KEY_CHARS:
        raise Undecided("no units are listed")
    allowed = [_read("a listed unit", name, check.options, has_units=True) for name in listed]
    return forms.is_measured_in(read_answer(check, has_units=True), allowed)


def _expanded(check: MathCheck) -> bool:
    return forms.is_expanded(read_answer(check))


def _symbolic(check: MathCheck) -> bool | None:
    """Equal as they stand, or two rational numbers; all else takes algebra."""
    answer, key = read_answer(check), read_key(check)
    if isinstance(key, Spread) or isinstance(answer, Spread):
        raise Undecided("\\pm belongs to equivValue")
    if normalise(answer, ANY_ORDER) == normalise(key, ANY_ORDER):
        return True
    if values.is_exact(answer) and values.is_exact(key):
        return values.stands_for(answer, key, check.options.decimal_places)
    return None


def _by_algebra(check: MathCheck) -> None:
    """Refuse at once what would not be understood there either."""
    read_answer(check)


_RULES: Mapping[str, Callable[[MathCheck], bool | None]] = {
    "stringMatch": _string_match,
    "equivLiteral": _literal,
    "equivValue": _value,
    "equivSyntax": _syntax,
    "isUnit": _unit,
    "isExpanded": _expanded,
    "equivSymbolic": _symbolic,
    "isSimplified": _by_algebra,
    "isFactorised": _by_algebra,
    "isTrue": _by_algebra,
}
