r"""equivValue: numbers, with units or without, and whether one may stand for another.

Rational numbers stay exact; roots, powers and functions that leave them are floats. Without `\pm` both sides are
rounded to the decimal places that count, halves away from zero, and must then be equal; the unit of the author's value
says which places these are. With `a\pm b` the answer must not be farther from `a` than `b`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

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
    Spread,
    Sum,
    Symbol,
    Unit,
)
from jobgate.scoring.maths.units import UNITS, Dimensions

MAX_BITS = 4096
"""How long numerators and denominators may get: arithmetic on them stays in microseconds."""

CLOSE = 1e-12
"""Floats that differ by less than this part of the larger are equal."""


class NoValue(ValueError):
    """The expression has no value that we can tell; the message says why."""


class Quantity(NamedTuple):
    """A number of base units."""

    number: Fraction | float
    dimensions: Dimensions = ()


def value(node: Node) -> Quantity:
    """What an expression without variables is worth. Raises `NoValue`."""
    try:
        quantity = _value(node)
    except ZeroDivisionError:
        raise NoValue("it divides by zero") from None
    except (OverflowError, ValueError) as error:
        raise error if isinstance(error, NoValue) else NoValue("it has no real value") from None
    return quantity


def stands_for(answer: Node, key: Node, places: int) -> bool:
    """Whether the answer has the author's value. Raises `NoValue`."""
    given = value(answer)
    if isinstance(key, Spread):
        middle, width = value(key.middle), value(key.width)
        if not middle.dimensions and width.dimensions:
            middle = Quantity(middle.number * _scale(key.width), width.dimensions)
        if isinstance(key.width, Percent) and not isinstance(key.middle, Percent):
            raise NoValue("a percentage behind \\pm can be read in two ways")
        if middle.dimensions != width.dimensions:
            raise NoValue("the two sides of \\pm have different units")
        return given.dimensions == middle.dimensions and _is_within(given.number, middle.number, width.number)
    expected = value(key)
    if given.dimensions != expected.dimensions:
        return False
    scale = _scale(key)
    return same_number(given.number / scale, expected.number / scale, places)


def same_number(one: Fraction | float, other: Fraction | float, places: int) -> bool:
    """Whether two numbers are equal once rounded to `places` decimals."""
    if not (isinstance(one, Fraction) and isinstance(other, Fraction)) and math.isclose(one, other, rel_tol=CLOSE):
        return True
    return _round(one, places) == _round(other, places)


def is_exact(node: Node) -> bool:
    """Whether an expression is a rational number without a unit."""
    try:
        quantity = value(node)
    except NoValue:
        return False
    return isinstance(quantity.number, Fraction) and not quantity.dimensions


def _is_within(number: Fraction | float, middle: Fraction | float, width: Fraction | float) -> bool:
    distance, most = _size(number - middle), _size(width)
    is_exact = isinstance(distance, Fraction) and isinstance(most, Fraction)
    return distance <= most or (not is_exact and math.isclose(distance, most, rel_tol=CLOSE))


def _size(number: Fraction | float) -> Fraction | float:
    return number if number >= 0 else -number


def _round(number: Fraction | float, places: int) -> int:
    """The number in units of its last place, halves away from zero."""
    rounded = int(abs(Fraction(number)) * 10**places + Fraction(1, 2))
    return rounded if number >= 0 else -rounded


def _scale(node: Node) -> Fraction:
    """How many base units are one unit of this expression."""
    match node:
        case Unit():
            return UNITS[node.name].factor
        case Product():
            return math.prod(map(_scale, node.parts), start=Fraction(1))
        case Quotient():
            return _scale(node.above) / _scale(node.below)
        case Power(exponent=Number(digits)) if len(digits) == 1:
            return _scale(node.base) ** int(digits)
        case Negation() | Percent() | Absolute():
            return _scale(node.part)
        case Sum():
            return _scale(node.parts[0])
        case _:
            return Fraction(1)


def _value(node: Node) -> Quantity:
    match node:
        case Number():
            return Quantity(Fraction(node.digits))
        case Unit():
            return Quantity(*UNITS[node.name])
        case Symbol():
            if node == PI:
                return Quantity(math.pi)
            if node == EULER:
                return Quantity(math.e)
            raise NoValue(f"{node.name} has no value")
        case Percent():
            quantity = _value(node.part)
            return Quantity(quantity.number / 100, quantity.dimensions)
        case Negation():
            quantity = _value(node.part)
            return Quantity(-quantity.number, quantity.dimensions)
        case Sum():
            return _add([_value(part) for part in node.parts])
        case Mixed():
            return _add([_value(node.whole), _value(node.fraction)])
        case Product():
            product = Quantity(Fraction(1))
            for part in node.parts:
                product = _multiply(product, _value(part), 1)
            return product
        case Quotient():
            return _multiply(_value(node.above), _value(node.below), -1)
        case Power():
            return _raise(_value(node.base), _plain(node.exponent))
        case Root():
            degree = Fraction(2) if node.degree is None else _plain(node.degree)
            return Quantity(_root(_plain(node.part), degree))
        case Absolute():
            quantity = _value(node.part)
            return Quantity(_size(quantity.number), quantity.dimensions)
        case Call():
            return Quantity(_call(node))
        case _:
            raise NoValue("it is no number")


def _bounded(number: Fraction | float) -> Fraction | float:
    if isinstance(number, Fraction):
        if max(number.numerator.bit_length(), number.denominator.bit_length()) > MAX_BITS:
            raise NoValue("a number is too large")
    elif not math.isfinite(number):
        raise NoValue("a number is too large")
    return number


def _plain(node: Node) -> Fraction | float:
    quantity = _value(node)
    if quantity.dimensions:
        raise NoValue("a unit stands where a plain number is expected")
    return quantity.number


def _add(quantities: list[Quantity]) -> Quantity:
    number, dimensions = quantities[0]
    for other in quantities[1:]:
        if other.dimensions != dimensions:
            raise NoValue("it adds different units")
        number = _bounded(number + other.number)
    return Quantity(number, dimensions)


def _multiply(one: Quantity, other: Quantity, sign: int) -> Quantity:
    number = _bounded(one.number * other.number if sign > 0 else one.number / other.number)
    powers = dict(one.dimensions)
    for name, power in other.dimensions:
        powers[name] = powers.get(name, 0) + sign * power
    return Quantity(number, tuple(sorted((name, power) for name, power in powers.items() if power)))


def _raise(base: Quantity, exponent: Fraction | float) -> Quantity:
    is_whole = isinstance(exponent, Fraction) and exponent.denominator == 1
    if base.dimensions and not (is_whole and _size(exponent) < 10):
        raise NoValue("such a power of a unit is unknown")
    dimensions = tuple((name, power * int(exponent)) for name, power in base.dimensions) if is_whole else ()
    return Quantity(_power(base.number, exponent), dimensions if exponent else ())


def _power(base: Fraction | float, exponent: Fraction | float) -> Fraction | float:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction):
        if exponent.denominator == 1:
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            if bits > 1 and (bits - 1) * abs(exponent.numerator) > MAX_BITS:
                raise NoValue("a number is too large")
            return Fraction(base**exponent.numerator)
        if exponent.denominator < 100:
            return _power(_root(base, Fraction(exponent.denominator)), Fraction(exponent.numerator))
    if base < 0:
        raise NoValue("it has no real value")
    return _bounded(float(base) ** float(exponent))


def _root(number: Fraction | float, degree: Fraction | float) -> Fraction | float:
    """The real root; exact where it is rational."""
    if not isinstance(degree, Fraction) or degree.denominator != 1 or not 1 <= degree < 100:
        raise NoValue("such a root is unknown")
    whole = int(degree)
    if number < 0:
        if whole % 2 == 0:
            raise NoValue("it has no real value")
        return -_root(-number, degree)
    if isinstance(number, Fraction):
        above, below = _whole_root(number.numerator, whole), _whole_root(number.denominator, whole)
        if above is not None and below is not None:
            return Fraction(above, below)
    return _bounded(float(number) ** (1 / whole))


def _whole_root(number: int, degree: int) -> int | None:
    if degree == 2:
        guess = math.isqrt(number)
    else:
        if number.bit_length() > 900:
            return None
        guess = round(number ** (1 / degree))
    return guess if guess**degree == number else None


def _call(node: Call) -> Fraction | float:
    argument = _value(node.part)
    if argument.dimensions == (("angle", 1),) and node.name in ("sin", "cos", "tan", "csc", "sec", "cot"):
        angle = math.radians(float(argument.number))
    else:
        angle = float(_plain(node.part))
    if node.base is not None:
        return _bounded(math.log(angle) / math.log(float(_plain(node.base))))
    return _bounded(_FUNCTIONS[node.name](angle))


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "csc": lambda angle: 1 / math.sin(angle),
    "sec": lambda angle: 1 / math.cos(angle),
    "cot": lambda angle: math.cos(angle) / math.sin(angle),
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "ln": math.log,
    "log": math.log10,
    "exp": math.exp,
}
