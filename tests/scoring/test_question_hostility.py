"""Questions and responses that nobody should write, and what no JSON can make of scoring."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.scoring.kinds import AUTOMATIC
from jobgate.scoring.questions import list_checks, score_question
from jobgate.scoring.validation import MAX_POINTS, MODES
from tests.scoring.samples import Json, answer, question

HUGE = 10**400
DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]

SLOW_S = 0.5
"""How long the worst response may take on a busy machine; measured: a twentieth of it."""


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (None, "the question is not an object"),
        ([], "the question is not an object"),
        ("mcq", "the question is not an object"),
        ({}, "the question has no `type`"),
        ({"type": 5}, "the question has no `type`"),
        ({"type": ["mcq"]}, "the question has no `type`"),
        ({"type": "numberline"}, "questions of the type 'numberline' are not supported"),
        ({"type": "mcq", "validation": {"penalty": 1}}, "`validation` has no `valid_response`"),
        ({"type": "mcq", "validation": "x"}, "`validation` is not an object"),
        ({"type": "mcq", "validation": {"valid_response": {}}}, "`valid_response` has no `value`"),
        ({"type": "mcq", "validation": {"valid_response": []}}, "`valid_response` has no `value`"),
        ({"type": "mcq", "validation": {"valid_response": {"value": [{}]}}}, "a solution holds what is no answer"),
        ({"type": "mcq", "validation": {"valid_response": {"value": [True]}}}, "a solution holds what is no answer"),
        ({"type": "mcq", "validation": {"valid_response": {"value": [HUGE]}}}, "a solution holds what is no answer"),
        ({"type": "shorttext", "validation": {"valid_responses": [""]}}, "`valid_response` has no `value`"),
        ({"type": "formula", "validation": {"valid_responses": [[]]}}, "`valid_response` has no `value`"),
        ({"type": "mcq", "validation": {"valid_responses": {}}}, "`valid_responses` is not an array of solutions"),
        (question("mcq", ["1"]) | {"type": "x" * 1000}, f"questions of the type '{'x' * 198}… are not supported"),
        (question("mcq", ["1"], scoring_type="best"), "`scoring_type` is not supported"),
        (question("mcq", ["1"], scoring_type=["exactMatch"]), "`scoring_type` is not supported"),
        (
            question("mcq", ["1"], scoring_type="partialMatchPairwise"),
            "`scoring_type` is not supported for this type of question",
        ),
        (question("mcq", ["1"], alt_responses={"a": 1}), "`alt_responses` is not an array"),
        (question("mcq", ["1"], alt_responses=[{}] * 1000), "there are more than 1000 solutions"),
        (question("mcq", list(range(5001))), "there are more than 5000 entries"),
        (question("formula", [{"method": "isTrue"}] * 101), "the solutions have more than 100 specifications"),
        (question("clozetext", ["a"] * 3000, alt=[(1, ["b"] * 3000)]), "the solutions have more than 5000 entries"),
        (
            question("mcq", ["1", "2"], score=MAX_POINTS, scoring_type="partialMatch"),
            "it gives more than 1000000 points",
        ),
    ],
)
def test_an_unusable_question_gives_a_reason_and_no_score(asked: Any, error: str) -> None:
    scored = score_question(asked, {"value": ["1"]})

    assert (scored.score, scored.max_score, scored.error) == (None, None, error)
    assert list_checks(asked, {"value": ["1"]}) == []


@pytest.mark.parametrize("points", [True, -1, HUGE, -HUGE, float("nan"), float("inf"), "1", [], {}])
def test_points_that_no_question_can_give_make_it_unusable(points: Any) -> None:
    unusable = "is not a number that a question can give"
    asked = question("mcq", ["1"])
    asked["validation"]["valid_response"]["score"] = points
    assert answer(asked, ["1"]).error == f"`score` {unusable}"

    for name in ("min_score_if_attempted", "max_score", "valid_score"):
        assert answer(question("mcq", ["1"], **{name: points}), ["1"]).error == f"`{name}` {unusable}"


@pytest.mark.parametrize("points", [True, HUGE, -HUGE, float("nan"), float("-inf"), "1", [], {}])
def test_a_penalty_that_is_no_number_makes_a_question_unusable(points: Any) -> None:
    assert answer(question("mcq", ["1"], penalty=points), ["1"]).score is None


@pytest.mark.parametrize(
    "value",
    [
        5,
        True,
        "x",
        {"a": 1},
        [{}],
        [[["1"]]],
        [True],
        [HUGE],
        [-HUGE],
        [float("nan")],
        [float("inf")],
        ["\ud800"],
        DEEP,
    ],
)
@pytest.mark.parametrize("type", sorted(AUTOMATIC.keys() - {"formula", "formulaV2", "clozeformula", "clozeformulaV2"}))
def test_an_odd_answer_is_wrong(type: str, value: Any) -> None:
    key = "1" if type == "shorttext" else ["1"]

    for mode in ("exactMatch", "partialMatch", "partialMatchV2"):
        assert answer(question(type, key, scoring_type=mode), value).score == (None if value is DEEP else 0)


def test_a_truth_value_is_no_index() -> None:
    assert answer(question("mcq", ["1"]), [True]).score == 0
    assert answer(question("choicematrix", [0]), [False]).score == 0


@pytest.mark.parametrize("type", ["mcq", "choicematrix", "clozetext", "classification", "shorttext", "clozeformula"])
@pytest.mark.parametrize(
    "value",
    [
        ["x"] * 500_000,
        [["x"] * 1000] * 500,
        [None] * 500_000,
        [[]] * 500_000,
        "x" * 1_000_000,
        ["é" * 100_000] * 5,
        [str(n) for n in range(5000)],
        [[str(n)] for n in range(5000)],
    ],
    ids=["long", "wide", "nulls", "empties", "text", "accents", "entries", "cells"],
)
def test_p7_no_response_takes_long(type: str, value: Any) -> None:
    asked = question(type, [str(n) for n in range(2500)], alt=[(1, [str(n)]) for n in range(999)])
    if AUTOMATIC[type].is_mathematical:
        asked = question(type, [[{"method": "stringMatch", "value": str(n)}] for n in range(100)])
    started = time.process_time()

    answer(asked, value)
    list_checks(asked, {"value": value})

    assert time.process_time() - started < SLOW_S


@pytest.mark.parametrize("type", ["orderlist", "sortlist"])
@pytest.mark.parametrize("mode", MODES)
def test_p7_no_order_takes_long(type: str, mode: str) -> None:
    asked = question(type, list(range(5000)), scoring_type=mode)
    started = time.process_time()

    answer(asked, list(range(4999, -1, -1)))

    assert time.process_time() - started < SLOW_S


@pytest.mark.parametrize(
    ("asked", "response"),
    [
        (DEEP, DEEP),
        (question("mcq", ["1"]), {"value": DEEP}),
        (question("mcq", DEEP), {"value": ["x"]}),
        (question("classification", DEEP), {"value": [["x"]]}),
        (question("clozeformula", DEEP), {"value": ["x"]}),
        (question("clozeformula", [[{"method": "stringMatch", "value": DEEP, "options": DEEP}]]), {"value": ["x"]}),
    ],
    ids=["all", "response", "choice", "cells", "gaps", "specification"],
)
def test_no_depth_makes_scoring_raise(asked: Any, response: Any) -> None:
    assert score_question(asked, response).score is None
    assert list_checks(asked, response) == []


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([HUGE, -HUGE, 0, 1])
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["0", "1", "a", "", " ", *MODES, *AUTOMATIC])
)
NAMES = st.sampled_from(["value", "score", "method", "options", "type", "matching_rule"]) | st.text(max_size=3)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4))
SOLUTION = st.fixed_dictionaries({}, optional={"score": JSON, "value": JSON, "matching_rule": JSON}) | JSON
VALIDATION = st.fixed_dictionaries(
    {},
    optional={
        "valid_response": SOLUTION,
        "scoring_type": st.sampled_from([*MODES, None]) | JSON,
        "alt_responses": st.lists(SOLUTION, max_size=3) | JSON,
        "valid_responses": JSON,
        "valid_score": JSON,
        "penalty": JSON,
        "penalty_score": JSON,
        "partial_scoring": JSON,
        "pairwise": JSON,
        "min_score_if_attempted": JSON,
        "max_score": JSON,
        "rounding": st.sampled_from(["none", "floor"]) | JSON,
        "allow_negative_scores": JSON,
        "unscored": JSON,
        "automarkable": JSON,
        "match_all_possible_responses": JSON,
    },
)
QUESTION = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(AUTOMATIC)), "validation": VALIDATION},
    optional={
        "multiple_responses": JSON,
        "case_sensitive": JSON,
        "match_all_possible_responses": JSON,
        "ignore_leading_and_trailing_spaces": JSON,
    },
)


@given(QUESTION | JSON, st.fixed_dictionaries({"value": JSON}) | JSON)
def test_no_json_makes_scoring_raise(asked: Any, response: Any) -> None:
    scored = score_question(asked, response)

    assert all(hash(check) for check in list_checks(asked, response))
    assert scored == score_question(asked, response)
    assert scored.max_score is None or 0 <= scored.max_score <= MAX_POINTS
    assert scored.score is None or (scored.max_score is not None and scored.attempted and scored.error is None)
    if scored.score is not None and scored.max_score is not None:
        assert -MAX_POINTS <= scored.score <= scored.max_score
        assert scored.score >= 0 or _allows_negative(asked)
    assert scored.error is None or len(scored.error) < 400


def _allows_negative(asked: Json) -> bool:
    return asked["validation"]["allow_negative_scores"] is True
