"""Units of measurement: what each is worth in base units (metre, gram, second, ampere, mole, kelvin)."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

Dimensions = tuple[tuple[str, int], ...]
"""Base quantities with their powers, in alphabetical order; empty for plain numbers."""


class Measure(NamedTuple):
    """A unit as a multiple of base units."""

    factor: Fraction
    dimensions: Dimensions


def _dimensions(**powers: int) -> Dimensions:
    return tuple(sorted(powers.items()))


_PREFIXES = {
    "n": Fraction(1, 10**9),
    "µ": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "c": Fraction(1, 100),
    "d": Fraction(1, 10),
    "": Fraction(1),
    "k": Fraction(1000),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
}

_LENGTH = _dimensions(length=1)
_AREA = _dimensions(length=2)
_VOLUME = _dimensions(length=3)
_MASS = _dimensions(mass=1)
_TIME = _dimensions(time=1)

_LITRE = Measure(Fraction(1, 1000), _VOLUME)

_METRIC = (
    ("m", Measure(Fraction(1), _LENGTH), ("n", "µ", "m", "c", "d", "", "k")),
    ("g", Measure(Fraction(1), _MASS), ("n", "µ", "m", "c", "", "k")),
    ("s", Measure(Fraction(1), _TIME), ("n", "µ", "m", "")),
    ("L", _LITRE, ("m", "c", "d", "", "k")),
    ("l", _LITRE, ("m", "c", "d", "", "k")),
    ("A", Measure(Fraction(1), _dimensions(current=1)), ("m", "")),
    ("mol", Measure(Fraction(1), _dimensions(amount=1)), ("m", "")),
    ("K", Measure(Fraction(1), _dimensions(temperature=1)), ("",)),
    ("Hz", Measure(Fraction(1), _dimensions(time=-1)), ("", "k", "M", "G")),
    ("N", Measure(Fraction(1000), _dimensions(mass=1, length=1, time=-2)), ("", "k")),
    ("J", Measure(Fraction(1000), _dimensions(mass=1, length=2, time=-2)), ("", "k", "M")),
    ("W", Measure(Fraction(1000), _dimensions(mass=1, length=2, time=-3)), ("m", "", "k", "M")),
    ("V", Measure(Fraction(1000), _dimensions(mass=1, length=2, time=-3, current=-1)), ("m", "", "k")),
    ("Pa", Measure(Fraction(1000), _dimensions(mass=1, length=-1, time=-2)), ("", "k")),
)

_INCH = Fraction(254, 10_000)
_POUND = Fraction(45_359_237, 100_000)
_GALLON = 231 * _INCH**3

UNITS: dict[str, Measure] = {
    **{
        prefix + name: Measure(_PREFIXES[prefix] * measure.factor, measure.dimensions)
        for name, measure, prefixes in _METRIC
        for prefix in prefixes
    },
    "t": Measure(Fraction(10**6), _MASS),
    "in": Measure(_INCH, _LENGTH),
    "ft": Measure(12 * _INCH, _LENGTH),
    "yd": Measure(36 * _INCH, _LENGTH),
    "mi": Measure(63_360 * _INCH, _LENGTH),
    "oz": Measure(_POUND / 16, _MASS),
    "lb": Measure(_POUND, _MASS),
    "gal": Measure(_GALLON, _VOLUME),
    "qt": Measure(_GALLON / 4, _VOLUME),
    "pt": Measure(_GALLON / 8, _VOLUME),
    "cup": Measure(_GALLON / 16, _VOLUME),
    "ha": Measure(Fraction(10_000), _AREA),
    "min": Measure(Fraction(60), _TIME),
    "h": Measure(Fraction(3600), _TIME),
    "hr": Measure(Fraction(3600), _TIME),
    "d": Measure(Fraction(86_400), _TIME),
    "°": Measure(Fraction(1), _dimensions(angle=1)),
    "$": Measure(Fraction(1), _dimensions(dollar=1)),
    "€": Measure(Fraction(1), _dimensions(euro=1)),
    "£": Measure(Fraction(1), _dimensions(sterling=1)),
}
"""All factors are exact: inch 25.4 mm, pound 453.59237 g, US gallon 231 cubic inches."""
