"""equivLiteral: what is the same as it stands, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.scoring.maths.checks import Verdict, decide
from tests.scoring.maths.judging import check


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("x+1", " x + 1 "),
        ("2x", r"2\times x"),
        ("2x", r"2\cdot x"),
        ("2x", "2*x"),
        ("x+1", "(x+1)"),
        ("x+1+y", "(x+1)+y"),
        ("0.5", ".5"),
        ("5", "005"),
        ("5", "+5"),
        ("-2x", "(-2)x"),
        (r"\frac{1}{2}", "1/2"),
        (r"1\frac{1}{2}", r"1\frac12"),
        (r"\left(x\right)^2", "(x)^2"),
        ("x-1", "x+(-1)"),
    ],
)
def test_trivial_differences_do_not_count(key: str, answer: str) -> None:
    assert decide(check("equivLiteral", key, answer)) == Verdict(True)


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("x+1", "1+x"),
        ("2x", "x*2"),
        ("0.5", "0.50"),
        ("x", "1x"),
        ("0.5", r"\frac{1}{2}"),
        ("2", "1+1"),
        ("x^2", "xx"),
        (r"1\frac{1}{2}", r"\frac{3}{2}"),
        (r"1\frac{1}{2}", r"1\cdot\frac{1}{2}"),
        (r"\frac{-1}{2}", r"-\frac{1}{2}"),
        ("x=2", "2=x"),
        ("(x+1)^2", "x+1^2"),
        ("x", "y"),
    ],
)
def test_all_else_does(key: str, answer: str) -> None:
    assert decide(check("equivLiteral", key, answer)) == Verdict(False)


@pytest.mark.parametrize(
    ("key", "answer", "options"),
    [
        ("x+1", "1+x", {"ignoreOrder": True}),
        ("2xy+1", "1+yx*2", {"ignoreOrder": True}),
        ("a(b+c)", "(c+b)a", {"ignoreOrder": True}),
        ("0.5", "0.500", {"ignoreTrailingZeros": True}),
        ("5", "5.0", {"ignoreTrailingZeros": True}),
        ("x", "1x", {"ignoreCoefficientOfOne": True}),
        ("1x+1", "x+1", {"ignoreCoefficientOfOne": True}),
        ("x", "1x", {"ignoreCoefficientOne": True}),
        ("1000", "1,000", {"setThousandsSeparator": [","]}),
        ("1000,5", "1.000,5", {"setThousandsSeparator": ["."], "setDecimalSeparator": ","}),
        ("5", r"5\text{ apples}", {"ignoreText": True}),
    ],
)
def test_options_make_it_milder(key: str, answer: str, options: dict[str, Any]) -> None:
    assert decide(check("equivLiteral", key, answer, **options)) == Verdict(True)


def test_order_still_counts_where_it_changes_the_value() -> None:
    assert decide(check("equivLiteral", "x-1", "1-x", ignoreOrder=True)) == Verdict(False)
    assert decide(check("equivLiteral", "x/2", "2/x", ignoreOrder=True)) == Verdict(False)
    assert decide(check("equivLiteral", "x^2", "2^x", ignoreOrder=True)) == Verdict(False)
