"""Mathematics: what verdicts on single checks make of a response. What checks mean is tested beside the checks."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.scoring.maths.checks import MathCheck, Verdict, Verdicts
from jobgate.scoring.questions import list_checks, score_question
from tests.scoring.samples import Json, question

HOLDS = Verdict(True)
FAILS = Verdict(False)
UNKNOWN = Verdict(None, "time is up")


def same(key: str) -> Json:
    """A specification that only an evaluator can decide."""
    return {"method": "equivSymbolic", "value": key}


def check_all(asked: Json, value: Any, verdicts: dict[tuple[str, str], Verdict]) -> Verdicts:
    """Verdicts for the checks of a response, by the author's value and the answer."""
    checks = list_checks(asked, {"value": value})
    assert {(check.key, check.answer) for check in checks} == verdicts.keys()
    return {check: verdicts[check.key, check.answer] for check in checks}


def test_only_what_needs_an_evaluator_and_has_an_answer_is_asked_once() -> None:
    literal = {"method": "stringMatch", "value": "1"}
    asked = question("clozeformula", [[same("x"), literal], [same("y")], [same("x")]], alt=[(1, [[same("x")]])])

    checks = list_checks(asked, {"value": ["a", None, "a"]})

    assert [(check.method, check.key, check.answer) for check in checks] == [("equivSymbolic", "x", "a")]
    assert list_checks(asked, {"value": ["", None]}) == []
    assert list_checks(question("mcq", ["1"]), {"value": ["1"]}) == []
    assert list_checks(question("formula", [{"method": 1}]), {"value": "x"}) == []


@pytest.mark.parametrize(
    ("type", "key", "value"),
    [
        ("formula", [same("x")], "a"),
        ("formulaV2", [[same("x")]], ["a"]),
        ("formula", same("x"), "a"),
        ("clozeformula", [[same("x")]], ["a"]),
        ("clozeformulaV2", [same("x")], ["a"]),
        ("clozeformula", [[same("x")]], "a"),
    ],
)
def test_a_formula_is_one_gap_and_a_cloze_has_many(type: str, key: Any, value: Any) -> None:
    asked = question(type, key, score=2)

    for verdict, score in ((HOLDS, 2), (FAILS, 0), (UNKNOWN, None)):
        verdicts = check_all(asked, value, {("x", "a"): verdict})
        scored = score_question(asked, {"value": value}, verdicts)
        assert (scored.score, scored.max_score) == (score, 2)


@pytest.mark.parametrize(
    ("first", "second", "score"),
    [(HOLDS, HOLDS, 1), (HOLDS, FAILS, 0), (FAILS, UNKNOWN, 0), (UNKNOWN, FAILS, 0), (HOLDS, UNKNOWN, None)],
)
def test_all_specifications_of_an_answer_must_hold(first: Verdict, second: Verdict, score: float | None) -> None:
    asked = question("formula", [same("x"), same("y")])

    scored = score_question(asked, {"value": "a"}, check_all(asked, "a", {("x", "a"): first, ("y", "a"): second}))

    assert scored.score == score
    assert scored.error == (None if score is not None else "time is up")


@pytest.mark.parametrize(
    ("mode", "verdicts", "score"),
    [
        ("exactMatch", (HOLDS, HOLDS), 2),
        ("exactMatch", (HOLDS, FAILS), 0),
        ("exactMatch", (FAILS, UNKNOWN), 0),  # whatever is unknown, not all is right
        ("exactMatch", (HOLDS, UNKNOWN), None),
        ("partialMatch", (HOLDS, FAILS), 2),
        ("partialMatch", (FAILS, UNKNOWN), None),
        ("partialMatchV2", (HOLDS, FAILS), 1),
        ("partialMatchV2", (HOLDS, UNKNOWN), None),
    ],
)
def test_gaps_are_areas_and_what_is_unknown_is_not_guessed(
    mode: str, verdicts: tuple[Verdict, Verdict], score: float | None
) -> None:
    asked = question("clozeformula", [[same("x")], [same("y")]], score=2, scoring_type=mode)
    known = check_all(asked, ["a", "b"], {("x", "a"): verdicts[0], ("y", "b"): verdicts[1]})

    scored = score_question(asked, {"value": ["a", "b"]}, known)

    assert scored.score == score
    assert scored.max_score == (4 if mode == "partialMatch" else 2)
    assert (scored.error is None) == (score is not None)


def test_an_unknown_alternative_matters_only_if_it_would_earn_more() -> None:
    asked = question("formula", [same("x")], score=2, alt=[(1, [same("y")]), (3, [same("z")])])

    def score(x: Verdict, y: Verdict, z: Verdict) -> float | None:
        known = check_all(asked, "a", {("x", "a"): x, ("y", "a"): y, ("z", "a"): z})
        return score_question(asked, {"value": "a"}, known).score

    assert score(HOLDS, UNKNOWN, FAILS) == 2
    assert score(HOLDS, FAILS, UNKNOWN) is None
    assert score(FAILS, UNKNOWN, FAILS) is None
    assert score(FAILS, FAILS, HOLDS) == 3


def test_gaps_left_empty_are_not_answered_and_not_penalised() -> None:
    asked = question("clozeformula", [[same("x")], [same("y")]], score=2, penalty=1, scoring_type="partialMatch")

    scored = score_question(asked, {"value": ["a"]}, check_all(asked, ["a"], {("x", "a"): HOLDS}))

    assert (scored.score, scored.areas) == (2, (True, None))
    assert list_checks(asked, {"value": [" ", ""]}) == []
    assert score_question(asked, {"value": [" ", ""]})[:3] == (0, 4, True)


@pytest.mark.parametrize("surplus", ["c", 3, {"a": 1}, ["p", "q"]])
def test_an_answer_where_none_is_wanted_is_wrong(surplus: Any) -> None:
    asked = question("clozeformula", [[same("x")], []])
    value = ["a", surplus]

    assert score_question(asked, {"value": value}, check_all(asked, value, {("x", "a"): HOLDS})).score == 0


def test_without_a_verdict_there_is_no_score_but_a_reason() -> None:
    scored = score_question(question("formula", [same("x")]), {"value": "a"})

    assert (scored.score, scored.max_score, scored.attempted) == (None, 1, True)
    assert scored.error == "symbolic marking was not asked"


def test_what_is_no_text_is_no_formula() -> None:
    asked = question("formula", [same("x")])

    assert list_checks(asked, {"value": {"x": 1}}) == []
    assert score_question(asked, {"value": {"x": 1}}).score == 0


def test_a_specification_that_cannot_be_read_leaves_the_response_unmarked() -> None:
    for broken in ({"value": "x"}, {"method": 5, "value": {}}, "x", 5, None):
        scored = score_question(question("clozeformula", [[same("x")], [broken]]), {"value": ["a"]})

        assert scored.score is None
        assert scored.error is not None


def test_checks_are_equal_where_their_parts_are() -> None:
    (first,) = list_checks(question("formula", [same("x")]), {"value": "a"})
    (second,) = list_checks(question("formula", [same("x")]), {"value": "a"})

    assert isinstance(first, MathCheck)
    assert hash(first) == hash(second)
