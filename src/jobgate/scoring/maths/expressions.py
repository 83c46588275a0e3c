"""From nodes to sympy expressions, bounded: no number and no exponent is worked out that nobody could write down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

from jobgate.scoring.maths.checks import Undecided
from jobgate.scoring.maths.nodes import (
    EULER,
    PI,
    Absolute,
    Call,
    Mixed,
    Negation,
    Node,
    Number,
    Percent,
    Power,
    Product,
    Quotient,
    Root,
    Sum,
    Symbol,
    Unit,
)

MAX_EXPONENT = 200
"""The largest exponent that is written out."""

MAX_BITS = 4096
"""How long a number may get when a power is worked out."""

IMAGINARY = Symbol("i")

Expression = Any
"""A sympy expression; sympy is published without types."""


class Builder:
    """Turns nodes into sympy expressions; equal names become the same variable."""

    def __init__(self, assumption: str = "real", *, has_imaginary: bool = False) -> None:
        self.assumption = assumption
        self.has_imaginary = has_imaginary

    def build(self, node: Node) -> Expression:
        """The expression. Raises `Undecided`."""
        built = self._build(node)
        if built.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise Undecided("it divides by zero")
        return built

    def _build(self, node: Node) -> Expression:
        build = self._build
        match node:
            case Number():
                return sympy.Rational(node.digits)
            case Symbol():
                return self._symbol(node)
            case Unit("°"):
                return sympy.pi / 180
            case Percent():
                return build(node.part) / 100
            case Negation():
                return -build(node.part)
            case Sum():
                return sympy.Add(*map(build, node.parts))
            case Product():
                return sympy.Mul(*map(build, node.parts))
            case Quotient():
                return build(node.above) / build(node.below)
            case Mixed():
                return build(node.whole) + build(node.fraction)
            case Power():
                return _power(build(node.base), build(node.exponent))
            case Root():
                return _root(build(node.part), sympy.Integer(2) if node.degree is None else build(node.degree))
            case Absolute():
                return sympy.Abs(build(node.part))
            case Call():
                return self._call(node)
            case _:
                raise Undecided("an equation or an inequality stands where an expression is expected")

    def _symbol(self, node: Symbol) -> Expression:
        if node == PI:
            return sympy.pi
        if node == EULER:
            return sympy.E
        if node == IMAGINARY and self.has_imaginary:
            return sympy.I
        return sympy.Symbol(node.name, **{self.assumption: True})

    def _call(self, node: Call) -> Expression:
        argument = self._build(node.part)
        if node.name == "log":
            return sympy.log(argument, sympy.Integer(10) if node.base is None else self._build(node.base))
        return _FUNCTIONS[node.name](argument)


_FUNCTIONS: Mapping[str, Callable[[Expression], Expression]] = {
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "csc": sympy.csc,
    "sec": sympy.sec,
    "cot": sympy.cot,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "ln": sympy.log,
    "exp": sympy.exp,
}


def _power(base: Expression, exponent: Expression) -> Expression:
    if exponent.is_Rational:
        if abs(exponent) > MAX_EXPONENT:
            raise Undecided(f"an exponent is larger than {MAX_EXPONENT}")
        if base.is_Rational and max(base.p.bit_length(), base.q.bit_length()) * abs(exponent) > MAX_BITS:
            raise Undecided("a number is too large")
    elif base.is_number and exponent.is_number:
        size = abs(sympy.N(exponent, 5)) * abs(sympy.log(abs(sympy.N(base, 5)) + 1, 2))
        if not size.is_comparable or size > MAX_BITS:
            raise Undecided("a number is too large")
    return sympy.Pow(base, exponent)


def _root(part: Expression, degree: Expression) -> Expression:
    if not (degree.is_Integer and 1 <= degree <= MAX_EXPONENT):
        raise Undecided("such a root is unknown")
    if part.is_Rational and part < 0 and degree % 2 == 1:
        return -sympy.root(-part, degree)
    return sympy.root(part, degree)
