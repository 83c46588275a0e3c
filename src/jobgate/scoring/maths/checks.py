"""Maths checks: one question about one typed answer, and what came of it. Pure.

    specification of the author + answer -> make_check -> MathCheck -> decide, or else evaluator.judge -> Verdict

`decide` settles at once what needs no computer algebra; for the rest it gives None, and the evaluator has the say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

MAX_PLACES = 10
"""The most decimal places that can be asked for, and how many count when nothing is said."""


class Options(msgspec.Struct, frozen=True, rename="camel"):
    """What an author may say besides method and value; names on the wire are those of the question JSON."""

    inverse_result: bool = False
    """The check holds when it otherwise would not."""
    decimal_places: Annotated[int, msgspec.Meta(ge=0, le=MAX_PLACES)] = MAX_PLACES
    set_decimal_separator: Literal[".", ","] = "."
    set_thousands_separator: tuple[Literal[".", ",", " ", "'", ""], ...] = ()
    ignore_text: bool = False
    ignore_order: bool = False
    ignore_coefficient_of_one: bool = False
    ignore_trailing_zeros: bool = False
    ignore_leading_and_trailing_spaces: bool = False
    treat_multiple_spaces_as_one: bool = False
    compare_sides: bool = False
    allow_eulers_number: bool = False
    allowed_units: tuple[str, ...] = ()
    rule: str = ""
    argument: str = ""


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


class _Specification(msgspec.Struct, frozen=True):
    method: str
    value: str | int | float = ""
    options: Options = Options()


def make_check(specification: object, answer: str) -> MathCheck:
    """The check that `{"method", "value", "options"}` asks for. Raises `UnusableSpecification`, whatever it is given."""
    try:
        read = msgspec.convert(_tidy(specification), _Specification, strict=False)
        return MathCheck(read.method, str(read.value), read.options, answer)
    except (ValueError, RecursionError) as error:
        raise UnusableSpecification(str(error)) from None


def decide(check: MathCheck) -> Verdict | None:
    """What can be said without computer algebra; None: ask the evaluator."""
    return Verdict(None, f"the method {check.method[:40]} is not supported")


def _tidy(specification: object) -> object:
    """Leave out what is null, and make lists of lone separators and of no options none."""
    if not isinstance(specification, dict):
        return specification
    options: Any = specification.get("options") or {}
    if isinstance(options, dict):
        options = {name: value for name, value in options.items() if value is not None}
        if isinstance(options.get("setThousandsSeparator"), str):
            options["setThousandsSeparator"] = [options["setThousandsSeparator"]]
    kept = {name: value for name, value in specification.items() if value is not None}
    return {**kept, "options": options}
