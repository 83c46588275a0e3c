"""What an answer looks like: equivSyntax by the table of the author guide, units, and what is left to multiply out."""

from __future__ import annotations

import pytest

from jobgate.scoring.maths.checks import Verdict, decide
from tests.scoring.maths.judging import check


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        (r"\number", ["2", "0.5", ".5", ".500", "-3"], ["1/2", "x", "1+1"]),
        (r"\number{1}", ["0.5", ".5"], [".500", "2"]),
        (r"\integer", ["5", "-5"], ["0.50", r"1\div2", "50%"]),
        (r"\integer{3}", ["100"], ["1000"]),
        (r"\decimal", ["1.0", "1.23", "1."], ["1"]),
        (r"\decimal{3}", ["1.000", "1.234"], ["1.2"]),
        (r"\scientific", [r"2\times10^3", r"1.2\times 10^{-2}"], [r"10\times10^2", "2000", r"2\times10^{0.5}"]),
        (r"\scientific{2}", [r"2.34\times10^3"], [r"1.2\times10^{-2}"]),
        (r"\variable", ["x", "a"], ["foo", "2x", "2"]),
        (r"\fraction", [r"\frac{1}{2}", r"1\frac{1}{2}", "-1/2"], ["0.5", r"\frac{x}{2}"]),
        (r"\mixedFraction", [r"1\frac{1}{2}"], [r"\frac{3}{2}", "1.5"]),
        (r"\simpleFraction", [r"\frac{3}{2}"], [r"1\frac{1}{2}"]),
        (r"\nonMixedFraction", [r"\frac{3}{2}"], [r"1\frac{1}{2}"]),
        (r"\fractionOrDecimal", [r"\frac{3}{2}", "1.5"], ["1"]),
        (r"\format{\decimal{2}}", ["1.25"], ["1.2"]),
        (r"\format{\integer}", ["1"], ["1.2"]),
    ],
)
def test_a_pattern_tells_forms_apart(pattern: str, fitting: list[str], others: list[str]) -> None:
    assert {answer: decide(check("equivSyntax", pattern, answer)) for answer in fitting + others} == {
        answer: Verdict(answer in fitting) for answer in fitting + others
    }


@pytest.mark.parametrize("pattern", ["", "decimal", r"\decimals", r"\decimal{x}", r"\format{2}", r"\decimal{2}+1"])
def test_an_unknown_pattern_has_no_verdict(pattern: str) -> None:
    assert decide(check("equivSyntax", pattern, "1.2")) == Verdict(None, f"the pattern {pattern} is not supported")


@pytest.mark.parametrize(
    ("listed", "answer", "holds"),
    [
        ("cm", "5cm", True),
        ("cm, m", r"5\text{ m}", True),
        ("cm, m", "5km", False),
        ("cm, m", "5", False),
        ("cm", "5cm^2", False),
        (r"\text{L}, \text{mL}", "5mL", True),
        ("m/s", r"5\frac{m}{s}", True),
        ("m/s", "5m s^{-1}", True),
        ("m/s", "5km/h", False),
        ("cm", "2cm+3cm", True),
        ("cm", "2cm+3m", False),
    ],
)
def test_the_unit_is_one_of_those_listed(listed: str, answer: str, holds: bool) -> None:
    assert decide(check("isUnit", listed, answer)) == Verdict(holds)
    assert decide(check("isUnit", "", answer, allowedUnits=listed)) == Verdict(holds)


def test_no_list_of_units_has_no_verdict() -> None:
    assert decide(check("isUnit", "", "5cm")) == Verdict(None, "no units are listed")


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        ("x^2+2x+1", True),
        ("x", True),
        ("3xy", True),
        (r"\frac{x+1}{2}", True),
        (r"\sqrt{x+1}", True),
        ("(x+1)^2", False),
        ("x(x+1)", False),
        ("(x+1)(x-1)", False),
        ("-(x+1)", False),
        ("(2x)^2", False),
        ("1+2(x+1)", False),
        (r"\frac{x(x+1)}{2}", False),
    ],
)
def test_expanded_means_that_nothing_is_left_to_multiply_out(answer: str, holds: bool) -> None:
    assert decide(check("isExpanded", "", answer)) == Verdict(holds)
