"""Symbolic checks by hand; the algebra runs in this process."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobgate.scoring.maths.checks import Verdict
from tests.scoring.maths.judging import check, judge


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("x^2+2x+1", "(x+1)^2"),
        ("(x+1)(x-1)(x+2)", "x^3+2x^2-x-2"),
        (r"\frac{1}{x}+\frac{1}{y}", r"\frac{x+y}{xy}"),
        (r"\frac{x^2-1}{x-1}", "x+1"),
        (r"\sqrt{8}", r"2\sqrt{2}"),
        (r"\sqrt{x^2}", "|x|"),
        (r"\sqrt{x}\sqrt{y}", r"\sqrt{xy}"),
        (r"\sqrt[3]{-8}", "-2"),
        (r"\sin^2x+\cos^2x", "1"),
        (r"\sin 2x", r"2\sin x\cos x"),
        (r"\tan x", r"\frac{\sin x}{\cos x}"),
        (r"\sin 30^\circ", "0.5"),
        (r"e^{x+y}", r"e^x\cdot e^y"),
        (r"\exp(x)", "e^x"),
        ("2^{x}2^{y}", "2^{x+y}"),
        (r"2\ln x", r"\ln(x^2)"),
        (r"\log_2 8", "3"),
        (r"\log 100", "2"),
        ("50%", "0.5"),
        (r"2\frac{1}{2}", "2.5"),
        ("pi r^2", r"\pi r^2"),
        ("2i", "i+i"),
        ("5", "|-5|"),
        ("x", "x+0.00000000001"),
        (r"\frac{x}{3}", "0.3333333333x"),
        (r"\alpha_1\beta", r"\beta\alpha_1"),
    ],
)
def test_equal_expressions_are_equal(key: str, answer: str) -> None:
    assert judge(check("equivSymbolic", key, answer)) == Verdict(True)
    assert judge(check("equivSymbolic", answer, key)) == Verdict(True)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("x^2+2x+1", "(x+2)^2"),
        ("x^2+1", "x^2"),
        (r"\sqrt{x^2}", "x"),
        ("a+b", "a+c"),
        ("x", "X"),
        ("x^{100}", "x^{101}"),
        (r"\frac{x}{3}", "0.333x"),
        (r"\pi", "3.14"),
        (r"\pi", r"\frac{22}{7}"),
        (r"\sin x", "x"),
        ("e^x", "2.718^x"),
        ("x", "5"),
        ("x+1", "x=1"),
        ("x=1", "1"),
        (r"(a+b+c+d+f+g)^{99}", "(a+b+c+d+f-g)^{99}"),
    ],
)
def test_different_expressions_are_different(key: str, answer: str) -> None:
    assert judge(check("equivSymbolic", key, answer)) == Verdict(False)
    assert judge(check("equivSymbolic", answer, key)) == Verdict(False)


@pytest.mark.parametrize(
    ("key", "answer", "holds"),
    [
        ("y=2x+1", "2x-y+1=0", True),
        ("y=2x+1", "2y=4x+2", True),
        ("y=2x+1", "y=2x", False),
        ("x=2", "2=x", True),
        ("x=2", "y=2", False),
        ("x=2", "x^2=4", False),
        ("x=2", "x<2", False),
        ("x<3", "-x>-3", True),
        ("x<3", "3>x", True),
        ("x<3", "2x<6", True),
        ("x<3", "x>3", False),
        ("x<3", r"x\le3", False),
        ("0<x<1", "1>x>0", True),
        ("3+4=7", "5+2=7", True),
        ("3+4=7", "5+3=7", False),
    ],
)
def test_equations_are_equal_up_to_a_factor(key: str, answer: str, holds: bool) -> None:
    assert judge(check("equivSymbolic", key, answer)) == Verdict(holds)


@pytest.mark.parametrize(
    ("key", "answer", "options", "holds"),
    [
        (r"\frac{x}{3}", "0.333x", {"decimalPlaces": 3}, True),
        (r"\frac{x}{3}", "0.334x", {"decimalPlaces": 3}, False),
        ("5", "5.0001", {"decimalPlaces": 3}, True),
        (r"\pi", "3.14", {"decimalPlaces": 2}, True),
        ("3+4=7", "1+1=2", {"compareSides": True}, False),
        ("y=x", "2y=2x", {"compareSides": True}, False),
        ("x+1", "x+2", {"inverseResult": True}, True),
        ("x+1", "(x^2-1)/(x-1)", {"inverseResult": True}, False),
        ("x", r"x\text{ or so}", {"ignoreText": True}, True),
    ],
)
def test_options_of_symbolic_equality(key: str, answer: str, options: dict[str, Any], holds: bool) -> None:
    assert judge(check("equivSymbolic", key, answer, **options)) == Verdict(holds)


@pytest.mark.parametrize(
    ("key", "answer", "reason"),
    [
        ("i^2", "-1", "i can be read as a variable or as the imaginary unit"),
        ("x", "x/0", "it divides by zero"),
        ("x", "9^{9^9}x", "an exponent is larger than 200"),
        ("x", "(9^{99})^{99}x", "a number is too large"),
        ("x", r"\pi^{9^{9}}x", "an exponent is larger than 200"),
        ("x", "(x=1)+1", "the answer is not understood: = is not understood at character 3"),
        ("x=x", "y=y", "an equation that always holds is like any other that does"),
        ("x<y<z", "z>y-x>0", "it could be neither shown nor refuted"),
    ],
)
def test_what_cannot_be_told_has_a_reason(key: str, answer: str, reason: str) -> None:
    assert judge(check("equivSymbolic", key, answer)) == Verdict(None, reason)


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        ("5x", True),
        ("x^2+2x+1", True),
        ("2(x+1)", True),
        ("7", True),
        ("0.5", True),
        ("x^3", True),
        (r"\frac{1}{2}", True),
        (r"-\frac{3}{4}x", True),
        (r"\frac{x+1}{2}", True),
        (r"\frac{\sqrt{2}}{2}", True),
        (r"2\sqrt{2}", True),
        (r"1\frac{1}{2}", True),
        ("e^{2x}", True),
        (r"\ln x", True),
        ("y=2x+1", True),
        ("2x+3x", False),
        ("3+4", False),
        ("x+(x+1)", False),
        ("x-(x+1)", False),
        ("x+2(x+1)", False),
        ("(x+1)^2+x", False),
        ("x(xy)", False),
        (r"x\frac{2}{x}", False),
        (r"\frac{x}{2}\cdot2", False),
        (r"\frac{1}{2}\sqrt{2}", True),
        ("2xy+3x", True),
        ("x+0", False),
        ("x-x", False),
        ("1x", False),
        (r"2\cdot3", False),
        (r"x\cdot x", False),
        ("2^3", False),
        ("x^1", False),
        ("(x^2)^3", False),
        (r"\frac{2}{4}", False),
        (r"\frac{x}{1}", False),
        (r"\frac{6x}{3}", False),
        (r"\frac{2x+2}{2}", False),
        (r"\frac{x^2-1}{x-1}", False),
        (r"\sqrt{8}", False),
        (r"\sqrt{9}", False),
        (r"1\frac{2}{4}", False),
        (r"1\frac{3}{2}", False),
        (r"\sin^2x+\cos^2x", False),
        (r"\sin 0", False),
        ("|-3|", False),
        ("y=2+3", False),
    ],
)
def test_simplified_means_that_nothing_is_left_to_do(answer: str, holds: bool) -> None:
    assert judge(check("isSimplified", "", answer)) == Verdict(holds)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("(x+1)(x+2)", Verdict(True)),
        ("2(x+2)(x+1)", Verdict(True)),
        ("-(x+1)(x-1)", Verdict(True)),
        ("(x+1)^2", Verdict(True)),
        ("x(x+1)", Verdict(True)),
        ("3xy(x^2-3y^2)", Verdict(True)),
        ("x^2+1", Verdict(True)),
        ("x^2-2", Verdict(True)),
        (r"\frac{x(x+1)}{2}", Verdict(True)),
        (r"\frac{1}{2}x(x+1)", Verdict(True)),
        (r"\frac{1}{x}", Verdict(None, "only polynomials are factorised")),
        ("x^2+3x+2", Verdict(False)),
        ("x^2+x", Verdict(False)),
        ("(2x+4)(x+1)", Verdict(False)),
        ("(x^2-1)(x+3)", Verdict(False)),
        ("12", Verdict(None, "whether a number is factorised is not decided")),
        (r"\sin x", Verdict(None, "only polynomials are factorised")),
    ],
)
def test_factorised_means_that_every_factor_is_irreducible(answer: str, expected: Verdict) -> None:
    assert judge(check("isFactorised", "", answer)) == expected


def test_factors_over_other_numbers_are_not_known() -> None:
    verdict = judge(check("isFactorised", "", "x^2-2", field="realType"))

    assert verdict == Verdict(None, "factors are known over whole numbers only")


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        ("1+1=2", True),
        ("1+1=3", False),
        ("x+x=2x", True),
        ("x=2", False),
        ("2<3", True),
        ("3<2", False),
        (r"2\le2", True),
        (r"\sqrt{2}<1.5", True),
        (r"\pi>3", True),
        ("1<2<3", True),
        ("1<3<2", False),
        ("x<x+1", True),
        ("x<1", False),
        (r"2\ne3", True),
        (r"2\ne2", False),
        (r"x^2\ge0", None),
    ],
)
def test_true_is_what_holds_for_all_values(answer: str, holds: bool | None) -> None:
    assert judge(check("isTrue", "", answer)).holds is holds


def test_only_a_statement_can_be_true() -> None:
    assert judge(check("isTrue", "", "5")) == Verdict(None, "only an equation or an inequality can be true")


COEFFICIENTS = st.lists(st.integers(-9, 9), min_size=2, max_size=4)


@settings(max_examples=10, deadline=None)
@given(roots=COEFFICIENTS)
def test_a_polynomial_equals_its_factors_and_no_neighbour(roots: list[int]) -> None:
    factors = "".join(f"(x-({root}))" for root in roots)
    coefficients = [1]
    for root in roots:
        shifted, scaled = [*coefficients, 0], [0, *(-root * each for each in coefficients)]
        coefficients = [one + other for one, other in zip(shifted, scaled, strict=True)]
    expanded = "+".join(f"({each})x^{len(roots) - power}" for power, each in enumerate(coefficients))

    assert judge(check("equivSymbolic", expanded, factors)) == Verdict(True)
    assert judge(check("equivSymbolic", expanded + "+1", factors)) == Verdict(False)
