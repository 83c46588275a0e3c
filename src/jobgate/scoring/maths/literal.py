"""equivLiteral: whether two expressions are the same as they stand.

The same are (Learnosity's author guide): any way of writing a multiplication, blanks, leading zeros, a plus in front of
a number, brackets that change nothing. The order of terms and factors, trailing zeros and factors of one differ unless
the author says to ignore them. A slash, a division sign and a fraction bar are the same to us.
"""

from __future__ import annotations

from jobgate.scoring.maths.nodes import (
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
    Relation,
    Root,
    Spread,
    Sum,
    Symbol,
    Unit,
)
from jobgate.scoring.maths.options import Options

ANY_ORDER = Options(ignore_order=True)


def normalise(node: Node, options: Options) -> Node:
    """The expression in a form that is equal for all that counts as the same."""

    def same(node: Node) -> Node:
        match node:
            case Number():
                return Number(_digits(node.digits, options))
            case Symbol() | Unit():
                return node
            case Sum():
                return _ordered(Sum(_flat(Sum, node.parts)), options)
            case Product():
                return factors(node)
            case Negation():
                inside = same(node.part)
                return inside.part if isinstance(inside, Negation) else Negation(inside)
            case Quotient():
                return Quotient(same(node.above), same(node.below))
            case Power():
                return Power(same(node.base), same(node.exponent))
            case Root():
                return Root(same(node.part), None if node.degree is None else same(node.degree))
            case Call():
                return Call(node.name, same(node.part), None if node.base is None else same(node.base))
            case Relation():
                return Relation(node.signs, tuple(map(same, node.sides)))
            case Spread():
                return Spread(same(node.middle), same(node.width))
            case Mixed():
                return Mixed(node.whole, node.fraction)
            case Percent():
                return Percent(same(node.part))
            case Absolute():
                return Absolute(same(node.part))

    def _flat(kind: type[Sum] | type[Product], parts: tuple[Node, ...]) -> tuple[Node, ...]:
        flat: list[Node] = []
        for part in map(same, parts):
            flat.extend(part.parts if isinstance(part, kind) else (part,))
        return tuple(flat)

    def factors(node: Product) -> Node:
        first, *others = _flat(Product, node.parts)
        is_negative = isinstance(first, Negation)
        parts = [first.part if isinstance(first, Negation) else first, *others]
        if options.ignore_coefficient_of_one:
            parts = [part for part in parts if part != Number("1")] or parts[:1]
        product = parts[0] if len(parts) == 1 else _ordered(Product(tuple(parts)), options)
        return Negation(product) if is_negative else product

    return same(node)


def _ordered(node: Sum | Product, options: Options) -> Sum | Product:
    return type(node)(tuple(sorted(node.parts, key=repr))) if options.ignore_order else node


def _digits(digits: str, options: Options) -> str:
    whole, point, decimals = digits.partition(".")
    if options.ignore_trailing_zeros:
        decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (point + decimals if decimals else "")
