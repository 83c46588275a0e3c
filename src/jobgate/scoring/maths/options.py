"""What an author may say besides method and value; the names on the wire are those of the question JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

MAX_PLACES = 10
"""The most decimal places that can be asked for, and how many count when nothing is said."""


class Options(msgspec.Struct, frozen=True, rename="camel"):
    """The options that some method knows; hashable, so that equal checks are one check."""

    inverse_result: bool = False
    """The check holds when it otherwise would not."""
    decimal_places: Annotated[int, msgspec.Meta(ge=0, le=MAX_PLACES)] = MAX_PLACES
    set_decimal_separator: Literal[".", ","] = "."
    set_thousands_separator: tuple[Literal[".", ",", " "], ...] = ()
    allow_thousands_separator: bool = True
    """False: both separators are those of nobody having said anything."""
    ignore_text: bool = False
    ignore_order: bool = False
    ignore_coefficient_of_one: bool = False
    ignore_trailing_zeros: bool = False
    ignore_leading_and_trailing_spaces: bool = False
    treat_multiple_spaces_as_one: bool = False
    compare_sides: bool = False
    allowed_units: tuple[str, ...] = ()
    field: Literal["integer", "integerType", "real", "realType", "complex", "complexType"] = "integer"
    """The numbers that a factorisation may use."""

    @property
    def decimal(self) -> str:
        """The character between units and tenths."""
        return self.set_decimal_separator if self.allow_thousands_separator else "."

    @property
    def thousands(self) -> tuple[str, ...]:
        """The characters that may stand between groups of three digits."""
        return self.set_thousands_separator if self.allow_thousands_separator else ()


def tidy(options: Mapping[Any, Any]) -> dict[Any, Any]:
    """The same options without those that are null, and with lists where editors write one or many."""
    tidied = {name: value for name, value in options.items() if value is not None}
    match tidied.get("setDecimalSeparator"):
        case [one]:
            tidied["setDecimalSeparator"] = one
    for name in ("setThousandsSeparator", "allowedUnits"):
        match tidied.get(name):
            case str() as text:
                tidied[name] = [text]
            case [*several]:
                tidied[name] = [one for one in several if one != ""]
    if "ignoreCoefficientOne" in tidied:
        tidied.setdefault("ignoreCoefficientOfOne", tidied["ignoreCoefficientOne"])
    return tidied
