r"""equivValue: numbers, units and tolerance, by hand."""

from __future__ import annotations

import time
from typing import Any

import pytest

from jobgate.scoring.maths.checks import Verdict, decide
from tests.scoring.maths.judging import check


@pytest.mark.parametrize(
    ("key", "answer", "holds"),
    [
        ("0.5", r"\frac{1}{2}", True),
        ("0.5", "50%", True),
        ("1.5", r"1\frac{1}{2}", True),
        ("6", "3+3", True),
        ("6", "12/2", True),
        ("2", r"\sqrt{4}", True),
        ("2", r"\sqrt[3]{8}", True),
        ("-2", r"\sqrt[3]{-8}", True),
        ("8", "2^3", True),
        ("0.25", "2^{-2}", True),
        ("2", "4^{0.5}", True),
        ("5000", r"5\times10^3", True),
        ("3", "|-3|", True),
        ("3.1415926536", r"\pi", True),
        ("3.14159", r"\pi", False),
        ("1", r"\ln e", True),
        ("2", r"\log 100", True),
        ("3", r"\log_2 8", True),
        ("0.5", r"\sin 30^\circ", True),
        ("0.5", r"\cos\frac{\pi}{3}", True),
        ("0.1+0.2", "0.3", True),
        ("1/3", "0.3333333333", True),
        ("1/3", "0.333333333", False),
        ("0", r"\sin\pi", True),
        ("5", "-5", False),
        ("5", "6", False),
        ("3+4=7", "5+2=7", True),
        ("3+4=7", "5+3=7", False),
        ("3+4=7", "7", False),
        ("7", "3+4=7", False),
    ],
)
def test_numbers_are_equal_however_they_are_written(key: str, answer: str, holds: bool) -> None:
    assert decide(check("equivValue", key, answer)) == Verdict(holds)


@pytest.mark.parametrize(
    ("key", "answer", "holds"),
    [
        (r"10\pm1.5", "8.5", True),
        (r"10\pm1.5", "11.5", True),
        (r"10\pm1.5", "8.49", False),
        (r"10\pm1.5", "11.500001", False),
        ("10±1.5", "10", True),
        (r"16.67\pm0.002", "16.672", True),
        (r"16.67\pm0.002", "16.673", False),
        (r"0.3\pm0.1", "0.2", True),
        (r"10\pm1.5cm", "115mm", True),
        (r"10cm\pm1.5cm", "0.12m", False),
        (r"10cm\pm5mm", "10.5cm", True),
        (r"10\pm1.5cm", "10", False),
        (r"\pi\pm0.01", "3.14", True),
        (r"50\%\pm1\%", "0.51", True),
    ],
)
def test_an_answer_may_be_as_far_off_as_the_tolerance(key: str, answer: str, holds: bool) -> None:
    assert decide(check("equivValue", key, answer)) == Verdict(holds)


@pytest.mark.parametrize(
    ("key", "answer", "holds"),
    [
        (r"16.67\text{g}", r"16.67\text{g}", True),
        (r"16.67\text{g}", r"0.01667\text{kg}", True),
        (r"16.67\text{g}", r"16670\text{mg}", True),
        (r"16.67\text{g}", "16.67", False),
        (r"16.67\text{g}", r"16.7\text{g}", False),
        ("1m", "100cm", True),
        ("1L", "1000mL", True),
        ("1L", "1000cm^3", True),
        ("12in", "1ft", True),
        ("1in", "2.54cm", True),
        ("1h", "3600s", True),
        ("36km/h", r"10\frac{m}{s}", True),
        ("1N", "1kg m/s^2", True),
        ("1J", "1N m", True),
        ("1ha", "10000m^2", True),
        ("5m", "5s", False),
        ("5m", "5m^2", False),
        (r"\$5", "5€", False),
        (r"\$5", r"\$5.00", True),
        ("2m+30cm", "2.3m", True),
    ],
)
def test_units_are_brought_together(key: str, answer: str, holds: bool) -> None:
    assert decide(check("equivValue", key, answer)) == Verdict(holds)


@pytest.mark.parametrize(
    ("key", "answer", "options", "holds"),
    [
        ("1/3", "0.33", {"decimalPlaces": 2}, True),
        ("1/3", "0.34", {"decimalPlaces": 2}, False),
        ("2.5", "3", {"decimalPlaces": 0}, True),
        ("-2.5", "-3", {"decimalPlaces": 0}, True),
        ("2.4", "3", {"decimalPlaces": 0}, False),
        ("1.234g", "1.2341g", {"decimalPlaces": 3}, True),
        ("1.234kg", "1.2341kg", {"decimalPlaces": 3}, True),
        ("1.234kg", "1235g", {"decimalPlaces": 3}, False),
        ("1000,5", "1.000,5", {"setThousandsSeparator": ["."], "setDecimalSeparator": [","]}, True),
        ("1000", "1 000", {"setThousandsSeparator": [",", " "]}, True),
        ("5", r"5\text{ apples}", {"ignoreText": True}, True),
        ("5", "6", {"inverseResult": True}, True),
        ("5", "5", {"inverseResult": True}, False),
        ("3+4=7", "5+2=7", {"compareSides": True}, True),
        ("3+4=7", "1+1=2", {"compareSides": True}, False),
    ],
)
def test_options_say_what_counts(key: str, answer: str, options: dict[str, Any], holds: bool) -> None:
    assert decide(check("equivValue", key, answer, **options)) == Verdict(holds)


@pytest.mark.parametrize(
    ("key", "answer", "reason"),
    [
        ("5", "x", "the answer is not understood: x is no unit that we know"),
        ("x", "5", "the expected value is not understood: x is no unit that we know"),
        ("5", "1,000", "the answer is not understood: , is not understood at character 2"),
        ("5", "1/0", "no value can be told: it divides by zero"),
        ("5", r"\sqrt{-1}", "no value can be told: it has no real value"),
        ("5", r"\ln 0", "no value can be told: it has no real value"),
        ("5", "5m+3", "no value can be told: it adds different units"),
        ("5", "2^{5m}", "no value can be told: a unit stands where a plain number is expected"),
        (r"10\pm5\%", "10", r"no value can be told: a percentage behind \pm can be read in two ways"),
        (r"10m\pm1s", "10m", r"no value can be told: the two sides of \pm have different units"),
        ("2<3", "2<4", "numbers are compared with =, not with other signs"),
    ],
)
def test_what_has_no_value_has_no_verdict_but_a_reason(key: str, answer: str, reason: str) -> None:
    assert decide(check("equivValue", key, answer)) == Verdict(None, reason)


@pytest.mark.parametrize(
    "answer",
    [
        "9^{9^{9^9}}",
        "10^{10^{10}}",
        "10^{-10^{10}}",
        "2^{4097}",
        "0.5^{5000}",
        "9" * 60 + "^{" + "9" * 60 + "}",
        "(" * 20 + "9" + ")^{9}" * 20,
        r"\exp(10^6)",
        r"10^{400}+\pi",
        r"\frac{1}{10^{999}}" * 4,
        "*".join(["10^{99}"] * 90),
        r"\sqrt[10^9]{2}",
        "+".join(f"\\frac{{1}}{{{number}}}" for number in range(1001, 1060)),
    ],
)
def test_large_numbers_cost_nothing(answer: str) -> None:
    started = time.perf_counter()

    verdict = decide(check("equivValue", "5", answer))

    assert verdict is not None
    assert verdict.holds is not True
    assert time.perf_counter() - started < 0.1
