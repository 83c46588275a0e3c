"""What a typed expression consists of, in the form in which it was typed."""

from __future__ import annotations

import msgspec


class Number(msgspec.Struct, frozen=True):
    """Digits as typed, with a dot before the decimals and without separators: `0.50`, `.5`, `5.`."""

    digits: str

    @property
    def is_integer(self) -> bool:
        """Whether no decimal separator was typed."""
        return "." not in self.digits


class Symbol(msgspec.Struct, frozen=True):
    r"""A letter, a Greek letter (`\alpha`), a letter with an index (`x_1`), or words (`\text{...}`)."""

    name: str


class Unit(msgspec.Struct, frozen=True):
    """A unit of measurement."""

    name: str


class Percent(msgspec.Struct, frozen=True):
    """A hundredth of something."""

    part: Node


class Negation(msgspec.Struct, frozen=True):
    """A minus sign and what it applies to."""

    part: Node


class Sum(msgspec.Struct, frozen=True):
    """Two or more terms; what is taken away is a `Negation`."""

    parts: tuple[Node, ...]


class Product(msgspec.Struct, frozen=True):
    """Two or more factors, whatever sign was typed between them, if any."""

    parts: tuple[Node, ...]


class Quotient(msgspec.Struct, frozen=True):
    """A fraction or a division."""

    above: Node
    below: Node


class Mixed(msgspec.Struct, frozen=True):
    """A whole number and a fraction beside it, to be added."""

    whole: Number
    fraction: Quotient


class Power(msgspec.Struct, frozen=True):
    """A base with an exponent."""

    base: Node
    exponent: Node


class Root(msgspec.Struct, frozen=True):
    """A root; without a degree, the square root."""

    part: Node
    degree: Node | None = None


class Call(msgspec.Struct, frozen=True):
    """A function and its argument; `base` is that of a logarithm."""

    name: str
    part: Node
    base: Node | None = None


class Absolute(msgspec.Struct, frozen=True):
    """Bars around something."""

    part: Node


class Spread(msgspec.Struct, frozen=True):
    """A value and how far from it one may be: a plus-minus sign between them."""

    middle: Node
    width: Node


class Relation(msgspec.Struct, frozen=True):
    """Sides, and between each two of them one of `= != < > <= >=`."""

    signs: tuple[str, ...]
    sides: tuple[Node, ...]


Node = (
    Number
    | Symbol
    | Unit
    | Percent
    | Negation
    | Sum
    | Product
    | Quotient
    | Mixed
    | Power
    | Root
    | Call
    | Absolute
    | Spread
    | Relation
)

PI = Symbol("\\pi")
EULER = Symbol("e")


def parts(node: Node) -> tuple[Node, ...]:
    """What a node is made of, in reading order."""
    match node:
        case Number() | Symbol() | Unit():
            return ()
        case Sum() | Product():
            return node.parts
        case Quotient():
            return (node.above, node.below)
        case Mixed():
            return (node.whole, node.fraction)
        case Power():
            return (node.base, node.exponent)
        case Root():
            return (node.part,) if node.degree is None else (node.degree, node.part)
        case Call():
            return (node.part,) if node.base is None else (node.base, node.part)
        case Spread():
            return (node.middle, node.width)
        case Relation():
            return node.sides
        case _:
            return (node.part,)


def walk(node: Node) -> list[Node]:
    """The node and everything in it."""
    found = [node]
    for each in found:
        found.extend(parts(each))
    return found
