"""Whether two expressions are equal, proven or refuted by sympy.

They are equal when their difference is proven to be zero, and different when both have real values at some point and
these differ; else nothing is said. If no point with a negative number suits both, the proof may take the variables as
positive: `ln(x^2)` is `2 ln x`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import sympy

from jobgate.scoring.maths.checks import Undecided
from jobgate.scoring.maths.expressions import IMAGINARY, Builder, Expression
from jobgate.scoring.maths.nodes import Node, Number, walk

POINTS = 12
"""How many points two expressions are compared at."""


def equal(answer: Node, key: Node, places: int) -> bool | None:
    """Whether two expressions are equal, in every reading that they have."""
    nodes = (*walk(answer), *walk(key))
    if IMAGINARY not in nodes:
        return _equal_in(answer, key, places, has_imaginary=False)
    as_letter = _equal_in(answer, key, places, has_imaginary=False)
    if as_letter is _equal_in(answer, key, places, has_imaginary=True):
        return as_letter
    raise Undecided("i can be read as a variable or as the imaginary unit")


def _equal_in(answer: Node, key: Node, places: int, *, has_imaginary: bool) -> bool | None:
    real = Builder("real", has_imaginary=has_imaginary)
    one, other = real.build(answer), real.build(key)
    difference = one - other
    if difference.is_number:
        return _is_zero_number(difference, places)
    has_decimals = any(isinstance(node, Number) and not node.is_integer for node in (*walk(answer), *walk(key)))
    if has_decimals and _is_negligible(difference, places):
        return True
    met = _compare(one, other)
    if met.differ:
        return False
    if is_zero(difference):
        return True
    if met.have_negatives:
        return None
    positive = Builder("positive", has_imaginary=has_imaginary)
    return True if is_zero(positive.build(answer) - positive.build(key)) else None


def _is_negligible(difference: Expression, places: int) -> bool:
    """Whether only numbers are left, once multiplied out, that vanish in the decimal places that count."""
    variables = difference.free_symbols
    terms = sympy.Add.make_args(sympy.expand(difference))
    return all(_is_zero_number(term.as_independent(*variables)[0], places) for term in terms if term != 0)


def _is_zero_number(number: Expression, places: int) -> bool | None:
    size = abs(sympy.N(number, 30))
    return bool(size <= sympy.Rational(1, 2 * 10**places)) if size.is_comparable else None


def is_zero(difference: Expression) -> bool:
    """Whether an expression is proven to be zero for all values of its variables."""
    if sympy.expand(difference) == 0:
        return True
    simplified = sympy.simplify(difference)
    rewritten = (simplified, sympy.expand(simplified), sympy.trigsimp(sympy.expand_log(simplified)))
    return any(form == 0 for form in rewritten)


class _Meeting(NamedTuple):
    """What came of comparing two expressions at some points."""

    differ: bool
    have_negatives: bool
    """Whether both had real values at a point with a negative number."""


def _compare(one: Expression, other: Expression) -> _Meeting:
    have_negatives = False
    for point in points_for(one.free_symbols | other.free_symbols):
        values = [sympy.N(each.subs(point), 30) for each in (one, other)]
        if not all(value.is_Number and value.is_finite for value in values):
            continue
        have_negatives = have_negatives or any(number < 0 for number in point.values())
        scale = max(abs(values[0]), abs(values[1]), 1)
        if abs(values[0] - values[1]) > scale * sympy.Float("1e-12"):
            return _Meeting(True, have_negatives)
    return _Meeting(False, have_negatives)


def points_for(variables: Collection[Expression]) -> Iterator[dict[Expression, Expression]]:
    """Values for the variables, the same every time: first positive ones, then such with negative numbers."""
    ordered = sorted(variables, key=str)
    for at in range(POINTS):
        yield {
            variable: sympy.Rational((7 * at + 5 * number + 3) % 23 + 1, 7 if (at + number) % 3 else -7)
            if at >= POINTS // 3
            else sympy.Rational((11 * at + 7 * number + 4) % 19 + 1, 9)
            for number, variable in enumerate(ordered)
        }
