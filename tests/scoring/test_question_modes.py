"""Modes, penalties, alternatives, clamps and older names by hand."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.scoring.questions import score_question
from tests.scoring.samples import Json, answer, marks, question

EACH: Json = {"scoring_type": "partialMatch"}
SHARED: Json = {"scoring_type": "partialMatchV2"}
THREE = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("value", "score"),
    [(["a", "x", "x"], 0.3333), (["a", "b", "x"], 0.6667), (["a", "b", "c"], 1), (["x", "x", "x"], 0)],
)
def test_a_share_has_four_decimals(value: list[str], score: float) -> None:
    assert marks(question("clozetext", THREE, **SHARED), value) == (score, 1)


def test_whole_points_are_integers() -> None:
    scored = answer(question("clozetext", THREE, score=3.0, **SHARED), ["a", "x", "x"])

    assert (type(scored.score), type(scored.max_score)) == (int, int)


@pytest.mark.parametrize(
    ("value", "score"), [(["a", "b", "c"], 2), (["a", "b", "x"], 1), (["a", "x", "x"], 0), (["x", "x", "x"], 0)]
)
def test_a_share_may_be_rounded_down(value: list[str], score: float) -> None:
    assert marks(question("clozetext", THREE, score=2, rounding="floor", **SHARED), value) == (score, 2)


def test_only_a_share_is_rounded_down() -> None:
    assert marks(question("clozetext", THREE, score=0.5, rounding="floor", **EACH), ["a", "b", "x"]) == (1, 1.5)
    assert marks(question("clozetext", THREE, score=0.5, rounding="floor"), THREE) == (0.5, 0.5)
    assert marks(question("clozetext", THREE, score=2, rounding="none", **SHARED), ["a", "x", "x"]) == (0.6667, 2)


@pytest.mark.parametrize(
    ("rules", "value", "clamped", "negative"),
    [
        ({}, ["0", "1"], 3, 3),
        ({}, ["0"], 0, -0.5),  # once, however much is wrong
        ({}, ["0", "2", "3"], 0, -0.5),
        (EACH, ["0", "1"], 6, 6),
        (EACH, ["0"], 3, 3),  # what is missing costs nothing
        (EACH, ["0", "2"], 2.5, 2.5),
        (EACH, ["0", "1", "2", "3"], 5, 5),
        (EACH, ["2", "3"], 0, -1),
        (SHARED, ["0", "2"], 1, 1),
        (SHARED, ["2"], 0, -0.5),
    ],
)
def test_a_penalty_is_taken_off(rules: Json, value: list[str], clamped: float, negative: float) -> None:
    asked = question("mcq", ["0", "1"], score=3, penalty=0.5, **rules)

    assert answer(asked, value).score == clamped
    asked["validation"]["allow_negative_scores"] = True
    assert answer(asked, value).score == negative


def test_a_gap_left_empty_is_not_penalised() -> None:
    asked = question("clozetext", THREE, score=2, penalty=1, **EACH)

    assert marks(asked, ["a", None, "x"]) == (1, 6)


@pytest.mark.parametrize(
    ("floor", "value", "expected"),
    [
        (0.5, ["x"], (0.5, 2)),
        (0.5, ["a"], (2, 2)),
        (0.5, [""], (None, 2)),
        (3, ["x"], (3, 3)),
        (3, [], (None, 3)),
        (0, ["x"], (0, 2)),
    ],
)
def test_an_attempt_earns_its_floor(floor: float, value: list[str], expected: tuple[float | None, float]) -> None:
    asked = question("clozetext", ["a"], score=2, penalty=1, allow_negative_scores=True, min_score_if_attempted=floor)

    assert marks(asked, value) == expected


def test_rounding_comes_before_the_floor_and_the_clamp() -> None:
    asked = question("clozetext", THREE, penalty=0.1, rounding="floor", allow_negative_scores=True, **SHARED)

    assert marks(asked, ["x", None, None]) == (-1, 1)


@pytest.mark.parametrize(
    ("rules", "value", "expected"),
    [
        ({}, ["x", "y"], (2, 3)),
        ({}, ["p", "q"], (3, 3)),
        ({}, ["x", "q"], (0, 3)),
        (EACH, ["x", "q"], (3, 6)),  # one area of the alternative is worth more
        (EACH, ["x", "y"], (4, 6)),
        (SHARED, ["x", "q"], (1.5, 3)),
        (SHARED, ["x", "z"], (1, 3)),
    ],
)
def test_the_solution_that_earns_most_counts(rules: Json, value: list[str], expected: tuple[float, float]) -> None:
    assert marks(question("clozetext", ["x", "y"], score=2, alt=[(3, ["p", "q"])], **rules), value) == expected


def test_the_principal_solution_counts_where_others_earn_the_same() -> None:
    asked = question("clozetext", ["x", "y"], alt=[(1, ["p", "y"])], **SHARED)

    assert answer(asked, ["p", "z"]).areas == (True, False)
    assert answer(asked, ["z", "y"]).areas == (False, True)
    assert answer(asked, ["z", "z"]).areas == (False, False)


def test_alternatives_that_an_editor_left_empty_are_no_solutions() -> None:
    asked = question("clozetext", ["x"], alt=[(9, []), (9, [""]), (9, None)])

    assert marks(asked, ["x"]) == (1, 1)


def test_practice_neither_earns_nor_counts() -> None:
    asked = question("mcq", ["1"], score=5, unscored=True)

    assert marks(asked, ["1"]) == (0, 0)
    assert marks(asked, []) == (None, 0)
    assert marks({"type": "longtext", "validation": {"unscored": True, "max_score": 5}}, "text") == (0, 0)


@pytest.mark.parametrize("value", [None, "", [], [None, ""], [[], [None, [""]]]])
def test_without_an_attempt_there_is_no_score_but_a_maximum(value: Any) -> None:
    for type, key in (("mcq", ["1"]), ("clozetext", ["a"]), ("shorttext", "a"), ("classification", [[0]])):
        scored = answer(question(type, key, score=2, penalty=1, min_score_if_attempted=1), value)

        assert (scored.score, scored.max_score, scored.attempted, scored.error) == (None, 2, False, None)


def test_without_a_response_there_is_no_attempt() -> None:
    for response in (None, {}, {"type": "array"}):
        scored = score_question(question("mcq", ["1"]), response)

        assert (scored.score, scored.max_score, scored.attempted) == (None, 1, False)


@pytest.mark.parametrize("value", [0, False, " ", [0], {}])
def test_what_is_not_empty_is_an_attempt(value: Any) -> None:
    assert answer(question("mcq", ["1"]), value)[:3] == (0, 1, True)


OLD_ORDER = {"valid_response": [4, 0, 2, 1, 3], "valid_score": 1, "partial_scoring": True, "penalty_score": 0}


@pytest.mark.parametrize(
    ("type", "validation", "value", "expected"),
    [
        ("orderlist", OLD_ORDER, [4, 0, 2, 1, 3], (5, 5)),
        ("orderlist", OLD_ORDER, [4, 0, 2, 3, 1], (3, 5)),
        ("orderlist", OLD_ORDER | {"penalty_score": -1}, [4, 0, 2, 3, 1], (1, 5)),
        ("orderlist", OLD_ORDER | {"pairwise": True}, [4, 0, 2, 3, 1], (0.9, 1)),
        ("orderlist", OLD_ORDER | {"pairwise": False, "partial_scoring": False}, [4, 0, 2, 3, 1], (0, 1)),
        ("orderlist", OLD_ORDER | {"scoring_type": "exactMatch"}, [4, 0, 2, 3, 1], (0, 1)),
        ("association", {"valid_responses": [["England"], ["Ireland"]]}, ["England", "Ireland"], (1, 1)),
        ("association", {"valid_responses": [["England", "UK"], ["Ireland"]]}, ["UK", "Ireland"], (1, 1)),
        ("association", {"valid_responses": [["England", "UK"], ["Ireland"]]}, ["Ireland", "UK"], (0, 1)),
        ("association", {"valid_responses": ["England", "Ireland"]}, ["England", "Ireland"], (1, 1)),
        ("shorttext", {"valid_responses": ["Bern", "Berne"], "valid_score": 2}, "berne", (2, 2)),
        ("shorttext", {"valid_responses": [{"value": "a", "score": 3}, {"value": "b"}]}, "b", (1, 3)),
        ("mcq", {"valid_responses": ["1", "2"], "valid_score": 2}, ["2", "1"], (2, 2)),
        ("mcq", {"valid_responses": [["1"], ["2"]], "partial_scoring": True}, ["2"], (1, 2)),
        ("mcq", {"valid_responses": [{"score": 1, "value": ["2"]}]}, ["2"], (1, 1)),
    ],
)
def test_older_names_mean_what_they_meant(
    type: str, validation: Json, value: Any, expected: tuple[float, float]
) -> None:
    assert marks({"type": type, "validation": validation}, value) == expected
