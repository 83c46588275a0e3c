"""Specifications, the methods that need no maths, and what any answer may be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.scoring.maths.checks import UnusableSpecification, Verdict, decide, make_check
from tests.scoring.maths.judging import check


def test_equal_specifications_make_equal_checks_whatever_is_left_out_or_null() -> None:
    plain = make_check({"method": "equivValue", "value": "5"}, "6")

    assert make_check({"method": "equivValue", "value": 5, "options": None}, "6") == plain
    assert make_check({"method": "equivValue", "value": "5", "options": []}, "6") == plain
    assert make_check({"method": "equivValue", "value": "5", "options": {"decimalPlaces": "10"}}, "6") == plain
    assert make_check({"method": "equivValue", "value": "5", "options": {"unknown": [1], "field": None}}, "6") == plain
    assert len({plain, make_check({"method": "equivValue", "value": "5", "options": {"ignoreText": True}}, "6")}) == 2


@pytest.mark.parametrize(
    "specification",
    [
        *(None, 3, "equivValue", [], {}, {"method": 3}, {"method": None}, {"value": "5"}),
        {"method": "equivValue", "value": {"a": 1}},
        {"method": "equivValue", "value": 10**5000},
        {"method": "equivValue", "value": "\ud800"},
        {"method": "equivValue", "options": [1]},
        {"method": "equivValue", "options": {"decimalPlaces": 11}},
        {"method": "equivValue", "options": {"decimalPlaces": -1}},
        {"method": "equivValue", "options": {"setDecimalSeparator": "x"}},
        {"method": "equivValue", "options": {"setThousandsSeparator": [{}]}},
        {"method": "isFactorised", "options": {"field": "quaternion"}},
        {"method": "equivValue", "options": {3: 4}},
    ],
)  # fmt: skip
def test_a_specification_that_cannot_be_read_is_refused(specification: Any) -> None:
    with pytest.raises(UnusableSpecification):
        make_check(specification, "5")


@pytest.mark.parametrize("method", ["equivSomething", "validSyntax", "", "__class__", "x" * 1000])
def test_a_method_that_is_not_supported_has_no_verdict(method: str) -> None:
    assert decide(check(method, "5", "5")) == Verdict(None, f"the method {method[:40]} is not supported")


@pytest.mark.parametrize(
    ("key", "answer", "options", "holds"),
    [
        ("a b", "a b", {}, True),
        ("a b", "A b", {}, False),
        ("a b", "a  b", {}, False),
        ("a b", "a  b", {"treatMultipleSpacesAsOne": True}, True),
        ("a b", " a b", {"treatMultipleSpacesAsOne": True}, False),
        ("a b", " a b ", {"ignoreLeadingAndTrailingSpaces": True}, True),
        ("a b", "  a   b ", {"ignoreLeadingAndTrailingSpaces": True, "treatMultipleSpacesAsOne": True}, True),
        ("1/2", "0.5", {}, False),
        ("a", "a", {"inverseResult": True}, False),
    ],
)
def test_strings_match_character_by_character(key: str, answer: str, options: dict[str, Any], holds: bool) -> None:
    assert decide(check("stringMatch", key, answer, **options)) == Verdict(holds)


@pytest.mark.parametrize(
    ("key", "answer", "expected"),
    [
        ("x+1", "x+1", Verdict(True)),
        ("x+1", "1+x", Verdict(True)),
        ("6", "3+3", Verdict(True)),
        ("6", "7", Verdict(False)),
        ("x+1", "2+x", None),
        ("x+1", "(", Verdict(None, "the answer is not understood: it ends too early")),
        ("(", "x+1", Verdict(None, "the expected value is not understood: it ends too early")),
        (r"5\pm1", "5", Verdict(None, r"\pm belongs to equivValue")),
    ],
)
def test_symbolic_equality_is_decided_at_once_where_it_is_plain(
    key: str, answer: str, expected: Verdict | None
) -> None:
    assert decide(check("equivSymbolic", key, answer)) == expected


def test_what_is_unknown_stays_so_when_the_result_is_inverted() -> None:
    assert decide(check("equivValue", "5", "x", inverseResult=True)) == decide(check("equivValue", "5", "x"))


METHODS = (
    "equivSymbolic",
    "equivLiteral",
    "equivValue",
    "equivSyntax",
    "isUnit",
    "isExpanded",
    "stringMatch",
    "isTrue",
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    specification=JSON | st.fixed_dictionaries({"method": st.sampled_from(METHODS), "value": JSON}), answer=st.text()
)
def test_any_specification_and_any_answer_are_survived(specification: Any, answer: str) -> None:
    try:
        made = make_check(specification, answer)
    except UnusableSpecification:
        return

    verdict = decide(made)

    assert verdict is None or (verdict.holds is None) == (verdict.reason is not None)
