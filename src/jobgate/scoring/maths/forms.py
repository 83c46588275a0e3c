r"""What an answer looks like, whatever it is worth: equivSyntax, isUnit, isExpanded.

equivSyntax takes a pattern, `\decimal{2}` or `\format{\decimal{2}}`; the table of Learnosity's author guide says what
each accepts. isUnit: the answer's unit is one of those listed. isExpanded, our reading: nothing is left to be
multiplied out, so no factor and no base of a whole power is a sum.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from jobgate.scoring.maths.nodes import (
    Mixed,
    Negation,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Unit,
    parts,
    walk,
)

_PATTERN = re.compile(r"\\format\{\\([A-Za-z]+)(?:\{(\d{1,2})\})?\}|\\([A-Za-z]+)(?:\{(\d{1,2})\})?", re.ASCII)


def read_pattern(text: str) -> tuple[str, int | None] | None:
    """The name and the argument of a pattern of equivSyntax; None: it is none that we know."""
    found = _PATTERN.fullmatch(text.strip())
    if found is None:
        return None
    name, argument = found[1] or found[3], found[2] or found[4]
    return (name, None if argument is None else int(argument)) if name in PATTERNS else None


def fits(node: Node, name: str, argument: int | None) -> bool:
    """Whether an expression has the form that the pattern names; a minus in front changes nothing."""
    return PATTERNS[name](node.part if isinstance(node, Negation) else node, argument)


def is_measured_in(node: Node, allowed: Sequence[Node]) -> bool:
    """Whether an expression has a unit, and the same as one of the others."""
    unit = _unit_of(node)
    return bool(unit) and any(unit == _unit_of(each) for each in allowed)


def is_expanded(node: Node) -> bool:
    """Whether nothing is left to be multiplied out."""
    for each in walk(node):
        if isinstance(each, Product) and any(isinstance(_bare(part), Sum) for part in each.parts):
            return False
        match each:
            case Power(base=Sum() | Product(), exponent=Number() as exponent) if exponent.is_integer:
                return False
            case Negation(part=Sum()):
                return False
    return True


def _bare(node: Node) -> Node:
    return node.part if isinstance(node, Negation) else node


def _unit_of(node: Node) -> dict[str, int]:
    """Each unit in an expression with its power."""
    match node:
        case Unit():
            return {node.name: 1}
        case Product():
            return _together([(part, 1) for part in node.parts])
        case Quotient():
            return _together([(node.above, 1), (node.below, -1)])
        case Power(base=base, exponent=Number(digits)) if len(digits) == 1 and digits.isdecimal():
            return {name: power * int(digits) for name, power in _unit_of(base).items()}
        case Power(base=base, exponent=Negation(part=Number(digits))) if len(digits) == 1 and digits.isdecimal():
            return {name: -power * int(digits) for name, power in _unit_of(base).items()}
        case Sum() | Negation():
            units = [_unit_of(part) for part in parts(node)]
            return units[0] if all(unit == units[0] for unit in units) else {}
        case _:
            return {}


def _together(factors: Sequence[tuple[Node, int]]) -> dict[str, int]:
    unit: dict[str, int] = {}
    for factor, sign in factors:
        for name, power in _unit_of(factor).items():
            unit[name] = unit.get(name, 0) + sign * power
    return {name: power for name, power in unit.items() if power}


def _places(digits: str) -> int:
    return len(digits.partition(".")[2])


def _is_number(node: Node, places: int | None) -> bool:
    return isinstance(node, Number) and (places is None or _places(node.digits) == places)


def _is_integer(node: Node, figures: int | None) -> bool:
    return isinstance(node, Number) and node.is_integer and (figures is None or len(node.digits) == figures)


def _is_decimal(node: Node, places: int | None) -> bool:
    return isinstance(node, Number) and not node.is_integer and (places is None or _places(node.digits) == places)


def _is_scientific(node: Node, places: int | None) -> bool:
    """One digit other than 0 before the decimals, times a power of ten."""
    match node:
        case Product(parts=(Number(digits), Power(base=Number("10"), exponent=exponent))):
            whole = digits.partition(".")[0]
            is_ten_to_whole = _is_integer(_bare(exponent), None)
            return len(whole) == 1 and whole != "0" and is_ten_to_whole and _is_number(Number(digits), places)
        case _:
            return False


def _is_variable(node: Node, _: int | None) -> bool:
    return isinstance(node, Symbol)


def _is_simple_fraction(node: Node, _: int | None) -> bool:
    return isinstance(node, Quotient) and _is_integer(_bare(node.above), None) and _is_integer(_bare(node.below), None)


def _is_mixed_fraction(node: Node, _: int | None) -> bool:
    return isinstance(node, Mixed)


def _is_fraction(node: Node, _: int | None) -> bool:
    return _is_simple_fraction(node, None) or _is_mixed_fraction(node, None)


def _is_fraction_or_decimal(node: Node, _: int | None) -> bool:
    return _is_fraction(node, None) or _is_decimal(node, None)


PATTERNS: dict[str, Callable[[Node, int | None], bool]] = {
    "number": _is_number,
    "integer": _is_integer,
    "decimal": _is_decimal,
    "scientific": _is_scientific,
    "variable": _is_variable,
    "fraction": _is_fraction,
    "simpleFraction": _is_simple_fraction,
    "nonMixedFraction": _is_simple_fraction,
    "mixedFraction": _is_mixed_fraction,
    "fractionOrDecimal": _is_fraction_or_decimal,
}
