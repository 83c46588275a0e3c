"""Every question type by hand: the forms of its values, what is compared with what, and what counts as an area."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.scoring.kinds import AUTOMATIC, MANUAL
from jobgate.scoring.questions import score_question
from tests.scoring.samples import Json, answer, marks, question

EACH: Json = {"scoring_type": "partialMatch"}
SHARED: Json = {"scoring_type": "partialMatchV2"}


@pytest.mark.parametrize(
    ("type", "key", "value", "exact", "each", "shared"),
    [  # 12 points: exactMatch gives 12, partialMatch 12 for each area, partialMatchV2 12 in all
        ("mcq", ["1"], ["1"], 12, 12, 12),
        ("mcq", ["1"], ["2"], 0, 0, 0),
        ("mcq", ["1"], "1", 12, 12, 12),
        ("mcq", ["1"], [1], 12, 12, 12),
        ("mcq", ["0", "2", "3"], ["3", "0", "2"], 12, 36, 12),
        ("mcq", ["0", "2", "3"], ["3", "0"], 0, 24, 8),
        ("mcq", ["0", "2", "3"], ["3", "1"], 0, 12, 4),
        ("mcq", ["0", "2", "3"], ["0", "1", "2", "3"], 0, 36, 12),
        ("mcq", ["0", "2", "3"], ["0", "0", "0"], 0, 12, 4),
        ("hotspot", ["0", "1"], ["1", "0"], 12, 24, 12),
        ("hotspot", [0, 1], ["1"], 0, 12, 6),
        ("tokenhighlight", [4, 9, 11, 30], [9, 30, 31], 0, 24, 6),
        ("choicematrix", [0, 1, 1], [0, 1, 1], 12, 36, 12),
        ("choicematrix", [[0], [1], [1]], [0, 1, 0], 0, 24, 8),
        ("choicematrix", ["0", "1", "1"], [[0], None, [1]], 0, 24, 8),
        ("choicematrix", [[0, 1], [1]], [[1, 0], [1]], 12, 36, 12),
        ("choicematrix", [[0, 1], [1]], [[0], [1]], 0, 24, 8),
        ("choicematrix", [[0, 1], [1]], [[0], [0, 1]], 0, 24, 8),
        ("clozetext", ["Bern", "Oslo"], ["bern", " OSLO "], 12, 24, 12),
        ("clozetext", ["Bern", "Oslo"], ["Oslo", "Bern"], 0, 0, 0),
        ("clozetext", ["Bern", "Oslo"], ["Bern"], 0, 12, 6),
        ("clozetext", ["7"], [7], 12, 12, 12),
        ("clozetext", ["1.5"], ["1.50"], 0, 0, 0),
        ("imageclozetext", ["a", "b", "c"], ["a", "", "C"], 0, 24, 8),
        ("clozedropdown", ["Bern", "Oslo"], ["Bern", "oslo"], 0, 12, 6),
        ("imageclozedropdown", ["a", "b"], ["a", "b"], 12, 24, 12),
        ("clozeassociation", ["x", "y", "z"], [None, "y", "z"], 0, 24, 8),
        ("clozeassociation", ["x", None, "z"], ["x", None, "z"], 12, 24, 12),
        ("clozeassociation", ["x", None, "z"], ["x", "y", "z"], 0, 24, 12),
        ("imageclozeassociation", ["x", "y"], ["x", "y"], 12, 24, 12),
        ("imageclozeassociation", ["x", "y"], [["x"], ["y"]], 12, 24, 12),
        ("association", ["London", "Dublin"], ["London", "Paris"], 0, 12, 6),
        ("association", ["London", "Dublin"], ["London", "Dublin", "Paris"], 0, 24, 12),
        ("orderlist", [2, 0, 1], [2, 0, 1], 12, 36, 12),
        ("orderlist", [2, 0, 1], [0, 2, 1], 0, 12, 4),
        ("sortlist", [2, 0, 1], [2, None, 1], 0, 24, 8),
        ("classification", [[0, 1], [2]], [[1, 0], [2]], 12, 24, 12),
        ("classification", [[0, 1], [2]], [[0], [2]], 0, 12, 6),
        ("classification", [[0, 1], [2], []], [[0, 1], [2], [3]], 0, 24, 12),
        ("classification", [[0, 1], [2], []], [[0, 1], [2]], 12, 24, 12),
        ("shorttext", "Bern", "  bern", 12, 12, 12),
        ("shorttext", "Bern", "Berne", 0, 0, 0),
        ("shorttext", 7, "7", 12, 12, 12),
    ],
)
def test_a_value_earns_in_every_common_mode(
    type: str, key: Any, value: Any, exact: float, each: float, shared: float
) -> None:
    assert answer(question(type, key, score=12), value).score == exact
    assert answer(question(type, key, score=12, **EACH), value).score == each
    assert answer(question(type, key, score=12, **SHARED), value).score == shared


@pytest.mark.parametrize(
    ("type", "key", "size"),
    [
        ("mcq", ["0", "2"], 2),
        ("choicematrix", [0, 1, 1], 3),
        ("choicematrix", [[0, 1], [1]], 3),
        ("clozetext", ["a", "b", ""], 2),
        ("classification", [[0, 1], [2], []], 2),
        ("shorttext", "a", 1),
        ("orderlist", [2, 0, 1], 3),
    ],
)
def test_the_maximum_counts_the_areas_of_the_solution(type: str, key: Any, size: int) -> None:
    assert answer(question(type, key, score=2), "x").max_score == 2
    assert answer(question(type, key, score=2, **SHARED), "x").max_score == 2
    assert answer(question(type, key, score=2, **EACH), "x").max_score == 2 * size


@pytest.mark.parametrize(
    ("value", "each", "shared"),
    [
        ([[0, 1], [2]], 36, 12),
        ([[0], [2]], 24, 8),
        ([[0, 2], []], 12, 4),
        ([[0, 1, 2], [2]], 36, 12),
    ],
)
def test_a_classification_may_earn_entry_by_entry(value: Any, each: float, shared: float) -> None:
    asked = question("classification", [[0, 1], [2]], score=12, scoring_type="partialMatchElement")
    assert marks(asked, value) == (each, 36)

    asked = question("classification", [[0, 1], [2]], score=12, scoring_type="partialMatchElementV2")
    assert marks(asked, value) == (shared, 12)


@pytest.mark.parametrize(
    ("value", "score"),
    [
        ([0, 1, 2, 3], 12),
        ([3, 2, 1, 0], 0),
        ([1, 0, 2, 3], 10),  # one of six pairs is the wrong way round
        ([3, 0, 1, 2], 6),
        ([0, 1], 2),  # only the pair 0, 1 is there
        ([0, 0, 0, 0], 0),
        ([9, 8, 7], 0),
    ],
)
def test_an_order_may_earn_by_the_pairs_that_are_right(value: Any, score: float) -> None:
    asked = question("orderlist", [0, 1, 2, 3], score=12, scoring_type="partialMatchPairwise")

    assert marks(asked, value) == (score, 12)


def test_an_order_of_one_has_no_pairs_and_is_right_or_wrong() -> None:
    asked = question("orderlist", [0], scoring_type="partialMatchPairwise")

    assert (marks(asked, [0]), marks(asked, [1])) == ((1, 1), (0, 1))


def test_several_choices_in_a_row_are_said_by_the_question_too() -> None:
    asked = question("choicematrix", [[0], [1]], score=12, **SHARED)

    assert marks(asked, [[0, 1], [1]]) == (6, 12)
    assert marks(asked | {"multiple_responses": True}, [[0, 1], [1]]) == (12, 12)


@pytest.mark.parametrize("type", ["clozetext", "shorttext"])
@pytest.mark.parametrize(
    ("options", "given", "is_right"),
    [
        ({}, "bern ", True),
        ({"case_sensitive": True}, "bern", False),
        ({"case_sensitive": True}, " Bern", True),
        ({"ignore_leading_and_trailing_spaces": False}, " Bern", False),
        ({"ignore_leading_and_trailing_spaces": False}, "BERN", True),
        ({"ignore_leading_and_trailing_spaces": False, "case_sensitive": True}, "Bern", True),
        ({"ignore_leading_and_trailing_spaces": False, "case_sensitive": True}, "BERN", False),
    ],
)
def test_case_and_blanks_matter_as_the_question_says(type: str, options: Json, given: str, is_right: bool) -> None:
    key, value = ("Bern", given) if type == "shorttext" else (["Bern"], [given])

    assert marks(question(type, key) | options, value)[0] == is_right
    assert marks(question(type, key, **options), value)[0] == is_right


def test_gaps_may_take_their_answers_from_any_solution() -> None:
    asked = question("clozetext", ["grey", "car"], score=2, alt=[(1, ["gray", "auto"])])
    mixed = asked | {"match_all_possible_responses": True}

    assert marks(asked, ["gray", "car"]) == (0, 2)
    assert marks(mixed, ["gray", "car"]) == (2, 2)
    assert marks(mixed, ["gray", "auto"]) == (2, 2)
    assert marks(mixed, ["gray", "gray"]) == (0, 2)
    assert marks(mixed, ["car", "gray"]) == (0, 2)


def test_a_gap_that_a_solution_leaves_out_is_filled_as_the_others_say() -> None:
    asked = question("clozetext", ["grey", ""], alt=[(1, ["", "car"])]) | {"match_all_possible_responses": True}

    assert marks(asked, ["grey", "car"]) == (1, 1)
    assert marks(asked, ["grey", ""]) == (0, 1)


def test_each_alternative_of_a_short_text_has_its_own_score() -> None:
    asked = question("shorttext", "Washington", score=1, alt=[(4, "Washington, D.C."), (2, "Los Angeles")])

    assert marks(asked, "washington") == (1, 4)
    assert marks(asked, "Washington, D.C.") == (4, 4)
    assert marks(asked, "los angeles") == (2, 4)
    assert marks(asked, "Paris") == (0, 4)


def test_words_that_are_to_be_found_in_a_text_are_not_guessed_at() -> None:
    asked = question("shorttext", "Bern")
    asked["validation"]["valid_response"]["matching_rule"] = "contains"

    assert answer(asked, "It is Bern").error == "`matching_rule` is not supported"


def test_areas_say_what_was_right_wrong_and_not_answered() -> None:
    assert answer(question("mcq", ["0", "2", "3"]), ["2", "1"]).areas == (False, True, None)
    assert answer(question("mcq", ["0"]), ["1"]).areas == (False,)
    assert answer(question("clozetext", ["a", "b", "c"]), ["a", "x"]).areas == (True, False, None)
    assert answer(question("clozetext", ["a", "b", "c"]), None).areas == (None, None, None)


@pytest.mark.parametrize("type", sorted(MANUAL))
def test_a_person_marks_what_is_free(type: str) -> None:
    scored = score_question({"type": type, "validation": {"max_score": 5}}, {"value": "An essay."})

    assert (scored.score, scored.max_score, scored.attempted, scored.automarkable) == (None, 5, True, False)
    assert scored.error is None
    assert score_question({"type": type}, None).max_score is None


@pytest.mark.parametrize("type", sorted(AUTOMATIC))
def test_a_person_marks_what_is_not_to_be_marked_automatically(type: str) -> None:
    asked = {"type": type, "validation": {"automarkable": False, "max_score": 3}}

    scored = score_question(asked, {"value": ["1"]})

    assert (scored.score, scored.max_score, scored.automarkable, scored.error) == (None, 3, False, None)


def test_a_question_left_to_a_person_has_the_maximum_of_its_solutions_if_it_names_none() -> None:
    scored = answer(question("mcq", ["1"], score=2, automarkable=False), ["1"])

    assert (scored.score, scored.max_score) == (None, 2)


@pytest.mark.parametrize("validation", [{}, {"validation": None}, {"validation": {}}, {"validation": []}])
def test_a_survey_asks_without_a_right_answer(validation: dict[str, Any]) -> None:
    scored = score_question({"type": "mcq"} | validation, {"value": ["1"]})

    assert scored == (None, None, True, False, None, ())
