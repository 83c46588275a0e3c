"""The demo's item bank: every question type is asked, and every question can be marked."""

from __future__ import annotations

import pytest

from jobgate.demo.answers import Repertoire
from jobgate.demo.bank import KnownQuestion, read_activities
from jobgate.itembank.drafts import draft_question
from jobgate.itembank.entries import QuestionEntry

ACTIVITIES = read_activities()
ITEMS = [item for activity in ACTIVITIES for item in activity.items]
QUESTIONS = {known.reference: known for item in ITEMS for known in item.questions}

TYPES = {
    "association",
    "audio",
    "choicematrix",
    "classification",
    "clozeassociation",
    "clozedropdown",
    "clozeformula",
    "clozetext",
    "drawing",
    "formula",
    "hotspot",
    "imageclozeassociation",
    "longtext",
    "mcq",
    "orderlist",
    "plaintext",
    "shorttext",
    "sortlist",
    "tokenhighlight",
}


def test_every_type_of_question_is_asked() -> None:
    assert {known.type for known in QUESTIONS.values()} == TYPES


def test_every_rule_of_items_and_mode_of_scoring_is_used() -> None:
    rules = {item.scoring_type for item in ITEMS}
    modes = {known.question["validation"].get("scoring_type") for known in QUESTIONS.values()}

    assert rules == {None, "per-dichotomous", "dependent"}
    assert modes >= {"exactMatch", "partialMatch", "partialMatchV2", "partialMatchPairwise", "partialMatchElementV2"}


def test_one_activity_is_adaptive_from_very_easy_to_very_hard() -> None:
    (adaptive,) = (activity for activity in ACTIVITIES if activity.administered is not None)
    difficulties = [item.irt.b for item in adaptive.items if item.irt is not None]

    assert len(difficulties) == len(adaptive.items)
    assert (min(difficulties), max(difficulties)) == (-2.4, 2.4)


@pytest.mark.parametrize("known", QUESTIONS.values(), ids=QUESTIONS)
def test_the_first_answer_is_right_and_another_is_not(known: KnownQuestion) -> None:
    repertoire = Repertoire(known)
    answers = [*repertoire.right, *repertoire.partly, *repertoire.wrong]

    assert repertoire.right[0].response is not None
    assert repertoire.right[0].response["value"] == known.answers[0].value
    assert len(answers) == len(known.answers) > len(repertoire.right)
    assert all((answer.score is None) == (answer.points is not None) for answer in answers)
    assert repertoire.blank.score is None
    assert repertoire.blank.max_score == answers[0].max_score


@pytest.mark.parametrize("known", QUESTIONS.values(), ids=QUESTIONS)
def test_the_item_bank_takes_the_question(known: KnownQuestion) -> None:
    assert draft_question(QuestionEntry(reference=known.reference, data=known.question))
