"""Equations and inequalities: whether two are the same, and whether one holds.

Two are the same when one is the other multiplied by a constant other than zero; a constant below zero turns the sign
round. One holds when it does for all values of its variables, and does not when it fails at some point.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import sympy

from jobgate.scoring.maths.checks import Undecided
from jobgate.scoring.maths.equality import equal, is_zero, points_for
from jobgate.scoring.maths.expressions import Builder, Expression
from jobgate.scoring.maths.nodes import Node, Relation
from jobgate.scoring.maths.options import MAX_PLACES

TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}
"""What a sign becomes when its sides are swapped, or multiplied by something below zero."""


def same_relations(answer: Relation, key: Relation) -> bool | None:
    """Whether two chains of as many signs are the same, link by link."""
    pairs = zip(answer.signs, pairwise(answer.sides), key.signs, pairwise(key.sides), strict=True)
    return all_known(_same_relation(*pair) for pair in pairs)


def all_known(verdicts: Iterator[bool | None]) -> bool | None:
    """False if one is; else None if one is."""
    known: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        known = known and verdict
    return known


def _same_relation(answer_sign: str, answer: tuple[Node, Node], key_sign: str, key: tuple[Node, Node]) -> bool | None:
    real = Builder("real")
    one = real.build(answer[0]) - real.build(answer[1])
    other = real.build(key[0]) - real.build(key[1])
    if one.free_symbols != other.free_symbols:
        return False
    if is_zero(other) or is_zero(one):
        raise Undecided("an equation that always holds is like any other that does")
    ratio = sympy.simplify(one / other)
    if ratio.free_symbols:
        met = [sympy.N(ratio.subs(point), 30) for point in points_for(ratio.free_symbols)]
        finite = [value for value in met if value.is_Number and value.is_finite]
        if not finite:
            return None
        is_constant = all(abs(value - finite[0]) <= abs(finite[0]) * sympy.Float("1e-12") for value in finite)
        return None if is_constant else False
    if not ratio.is_comparable:
        return None
    return answer_sign == (key_sign if ratio > 0 else TURNED[key_sign])


def holds(relation: Relation) -> bool | None:
    """Whether every link of a chain holds for all values of the variables."""
    return all_known(
        _holds_between(sign, *sides) for sign, sides in zip(relation.signs, pairwise(relation.sides), strict=True)
    )


def _holds_between(sign: str, left: Node, right: Node) -> bool | None:
    if sign == "=":
        return equal(left, right, MAX_PLACES)
    real = Builder("real")
    difference = real.build(left) - real.build(right)
    if not difference.is_number:
        if sign == "!=":
            raise Undecided("whether two sides always differ is not decided")
        return _refuted_somewhere(sign, difference)
    number = sympy.N(difference, 30)
    if not number.is_comparable:
        return None
    if abs(number) < sympy.Float("1e-20"):
        return sign in ("<=", ">=")
    return sign == "!=" or bool(number < 0) == (sign in ("<", "<="))


def _refuted_somewhere(sign: str, difference: Expression) -> bool | None:
    for point in points_for(difference.free_symbols):
        number = sympy.N(difference.subs(point), 30)
        if number.is_Number and number.is_finite and bool(number > 0) == (sign in ("<", "<=")) and number != 0:
            return False
    return None
