"""What analyses say of questions, against values written out and against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from jobgate.testing import House
from tests.datasets import measures
from tests.datasets.samples import (
    ANALYSIS,
    BANK,
    Answered,
    add_attempt,
    compile_dataset,
    finish,
    line,
    read,
    set_dataset,
    upload,
)


def right(question: str, score: float | None = 1, max_score: float = 1, **more: Any) -> Answered:
    """A response to a question of the bank."""
    return Answered(max_score, score, question=question, **more)


async def add_test(house: House, user_id: str, *marks: float | None, activity_id: str = "maths", **more: Any) -> str:
    """An attempt at questions q0, q1, ... of one point each."""
    responses = [right(f"q{index}", mark) for index, mark in enumerate(marks)]
    return await add_attempt(
        house, user_id, activity_id, sum(filter(None, marks)), len(marks), responses=responses, **more
    )


async def analyse(house: House, dataset_type: str = ANALYSIS, **request: Any) -> Any:
    """Analyse everybody's attempts; what there is at the root."""
    answer = await set_dataset(house, dataset_type=dataset_type, file_count=0, **request)
    record = await finish(house, answer["job_reference"])
    assert record["status"] == "completed", record
    assert record["progress"]["done"] == record["progress"]["total"]
    return await read(house, answer["dataset_id"])


async def test_a_question_has_its_textbook_statistics(house: House) -> None:
    """Four learners, three questions; worked out by hand below."""
    await add_test(house, "ann", 1, 1, 1)
    await add_test(house, "bob", 1, 1, 0)
    await add_test(house, "cid", 1, 0, 0)
    await add_test(house, "dee", 0, 0, 0)

    found = await analyse(house, options={"default_sort_field": "question_reference", "default_sort_order": "asc"})

    first, second, third = found["questions"]
    assert first == {
        "activity_id": "maths",
        "question_reference": "q0",
        "item_reference": "",
        "question_type": "",
        "responses": 4,
        "attempts": 4,
        "unmarked": 0,
        "max_score": 1,
        "mean_score": 0.75,
        "stddev_score": 0.433,  # sqrt(0.75 * 0.25)
        "p_value": 0.75,
        "point_biserial": 0.7746,  # totals 3 2 1 0: covariance 0.375 by 0.4330 and 1.1180
        "corrected_point_biserial": 0.5222,  # rests 2 1 0 0: covariance 0.1875 by 0.4330 and 0.8292
    }
    assert (second["p_value"], second["point_biserial"]) == (0.5, 0.8944)
    assert (third["p_value"], third["point_biserial"]) == (0.25, 0.7746)
    assert found["activities"] == [
        {
            "activity_id": "maths",
            "sessions": 4,
            "marked_sessions": 4,
            "questions": 3,
            "mean_score": 1.5,
            "stddev_score": 1.118,  # sqrt(1.25)
            "cronbach_alpha": 0.75,  # 3 / 2 * (1 - (0.1875 + 0.25 + 0.1875) / 1.25)
        }
    ]
    assert "users" not in found
    assert (found["group"]["population"], found["group"]["mean_score"]) == (4, 1.5)


async def test_what_was_not_attempted_is_wrong_and_what_waits_for_a_mark_does_not_count(house: House) -> None:
    for user, essay in (
        ("ann", Answered(4, None, question="essay")),
        ("bob", Answered(4, None, attempted=False, question="essay")),
        ("cid", Answered(4, 1, manual_score=6, max_manual_score=8, question="essay")),
        ("dee", Answered(4, 4, question="essay")),
    ):
        await add_attempt(house, user, "maths", 1, 5, responses=[right("q0"), essay])

    found = await analyse(house)

    essay_found = next(question for question in found["questions"] if question["question_reference"] == "essay")
    assert (essay_found["responses"], essay_found["attempts"], essay_found["unmarked"]) == (4, 3, 1)
    assert essay_found["mean_score"] == 3.3333  # 0, 6, 4
    assert essay_found["p_value"] == 0.5833  # 0, 6/8, 4/4
    assert essay_found["max_score"] == 8
    (activity,) = found["activities"]
    assert (activity["sessions"], activity["marked_sessions"]) == (4, 3)


async def test_what_cannot_be_said_is_null(house: House) -> None:
    """Everybody alike, nothing to win, nobody marked, one question only."""
    for user in ("ann", "bob", "cid"):
        responses = [right("same", 1, 3), right("practice", 0, 0), right("open", None), right("third", 1 / 3, 1)]
        await add_attempt(house, user, "maths", 1, 4, responses=responses)
        await add_test(house, user, 1, activity_id="single")

    found = await analyse(house)

    by_name = {question["question_reference"]: question for question in found["questions"]}
    assert (by_name["same"]["p_value"], by_name["same"]["point_biserial"]) == (0.3333, None)
    assert by_name["third"]["corrected_point_biserial"] is None
    assert (by_name["practice"]["p_value"], by_name["practice"]["mean_score"]) == (None, None)
    assert (by_name["open"]["p_value"], by_name["open"]["unmarked"]) == (None, 3)
    assert by_name["q0"]["corrected_point_biserial"] is None
    assert [activity["cronbach_alpha"] for activity in found["activities"]] == [None, None]


async def test_alpha_needs_everybody_to_have_had_every_question(house: House) -> None:
    for user, marks in (("ann", (1, 1)), ("bob", (0, 0)), ("cid", (1, 0, 1))):
        await add_test(house, user, *marks)

    (activity,) = (await analyse(house))["activities"]

    assert (activity["questions"], activity["cronbach_alpha"]) == (3, None)


async def test_alternatives_are_counted(house: House) -> None:
    gaps: Any = {"question": "gaps", "question_type": "clozedropdown"}
    matrix: Any = {"question": "matrix", "question_type": "choicematrix"}
    for user, choices, words, cells in (
        ("ann", ["a"], ["red", "blue"], [[0, 1], None]),
        ("bob", ["a", "b", "b"], ["red", ""], [0, 1]),
        ("cid", ["b"], ["green", None], []),
        ("dee", [], [], None),
    ):
        responses = [
            right("choice", 1, question_type="mcq", value=choices, attempted=bool(choices)),
            Answered(1, 1, value=words, **gaps),
            Answered(1, 1, value=cells, **matrix),
            right("text", 1, question_type="shorttext", value="secret"),
        ]
        await add_attempt(house, user, "maths", 1, 3, responses=responses)

    questions = {question["question_reference"]: question for question in (await analyse(house))["questions"]}

    assert questions["choice"]["options"] == [
        {"area": None, "value": "a", "count": 2, "share": 0.6667},
        {"area": None, "value": "b", "count": 2, "share": 0.6667},
    ]
    assert [(option["area"], option["value"], option["count"]) for option in questions["gaps"]["options"]] == [
        (0, "red", 2),
        (0, "green", 1),
        (1, "blue", 1),
    ]
    assert [(option["area"], option["value"], option["count"]) for option in questions["matrix"]["options"]] == [
        (0, "0", 2),
        (0, "1", 1),
        (1, "1", 1),
    ]
    assert "options" not in questions["text"]


@pytest.mark.parametrize(
    "value", ["a", 7, {"a": 1}, [{"a": 1}], [[["a"]]], [[]], ["x" * 5000], ["\ud7ff"], [1e300], True]
)
async def test_odd_answers_do_no_harm(house: House, value: Any) -> None:
    await add_attempt(house, "ann", "maths", 1, 1, responses=[right("q", 1, question_type="mcq", value=value)])

    (question,) = (await analyse(house))["questions"]

    assert all(len(option["value"]) <= 100 for option in question.get("options", []))


async def test_at_most_100_alternatives_are_told(house: House) -> None:
    for user in range(3):
        value = [f"{user}-{number}" for number in range(90)]
        await add_attempt(
            house, f"user-{user}", "maths", 1, 1, responses=[right("q", 1, question_type="mcq", value=value)]
        )

    (question,) = (await analyse(house))["questions"]

    assert len(question["options"]) == 100


async def test_the_latest_attempt_at_each_activity_counts(house: House) -> None:
    await add_test(house, "ann", 0, completed="2026-01-01")
    await add_test(house, "ann", 1, completed="2026-01-02")
    await add_test(house, "ann", 0, activity_id="reading")

    found = await analyse(house)

    assert [(q["activity_id"], q["responses"], q["p_value"]) for q in found["questions"]] == [
        ("maths", 1, 1),
        ("reading", 1, 0),
    ]


async def test_the_bank_looks_at_a_question_across_activities(house: House) -> None:
    """However many activities there are; a response without a reference belongs to no question of the bank."""
    for number in range(11):
        await add_test(house, "ann", number % 2, activity_id=f"activity-{number}")
    await add_attempt(house, "bob", "maths", 1, 1, responses=[Answered(1, 1)])

    found = await analyse(house, BANK)

    (question,) = found["questions"]
    assert (question["activity_id"], question["question_reference"]) == (None, "q0")
    assert (question["responses"], question["p_value"]) == (11, 0.4545)
    assert "activities" not in found
    assert found["group"]["population"] == 2


async def test_the_bank_can_be_filtered(house: House) -> None:
    await add_test(house, "ann", 1, activity_id="maths", completed="2026-01-01")
    await add_test(house, "bob", 0, activity_id="maths", completed="2026-02-01")
    await add_test(house, "bob", 1, activity_id="reading", completed="2026-02-01")

    found = await analyse(house, BANK, filters={"activity_id": ["maths"], "mintime": "2026-01-15"})

    assert [(question["responses"], question["p_value"]) for question in found["questions"]] == [(1, 0)]


async def test_within_an_activity_a_question_without_reference_goes_by_its_response_id(house: House) -> None:
    await add_attempt(house, "ann", "maths", 1, 2, responses=[Answered(1, 1), Answered(1, 0)])

    found = await analyse(house)

    assert [question["question_reference"] for question in found["questions"]] == ["response-0", "response-1"]


async def test_groups_have_questions_of_their_own_and_a_user_in_two_counts_once_above(house: House) -> None:
    await add_test(house, "ann", 1)
    await add_test(house, "bob", 0)
    await add_test(house, "cid", 1)
    dataset_id = await upload(
        house,
        line("ann", "north", "a"),
        line("ann", "north", "b"),
        line("bob", "north", "b"),
        line("cid", "south"),
        line("ann", "south"),
        line("dee", "south"),
        dataset_type=ANALYSIS,
    )

    record = await compile_dataset(house, dataset_id, ANALYSIS)

    told = {}
    for path in ((), ("north",), ("north", "a"), ("north", "b"), ("south",)):
        (question,) = (await read(house, dataset_id, *path))["questions"]
        told[path] = (question["responses"], question["p_value"])
    assert told == {
        (): (3, 0.6667),
        ("north",): (2, 0.5),
        ("north", "a"): (1, 1),
        ("north", "b"): (2, 0.5),
        ("south",): (2, 1),
    }
    assert record["progress"] == {"done": 15, "total": 15}  # 4 users, 5 groups, 6 places
    root = await read(house, dataset_id)
    assert [(child["key"], child["population"]) for child in root["children"]] == [("north", 2), ("south", 3)]


async def test_lines_may_name_the_sessions_to_analyse(house: House) -> None:
    first = await add_test(house, "ann", 0, completed="2026-01-01")
    await add_test(house, "ann", 1, completed="2026-01-02")
    for number in range(11):
        await add_test(house, "bob", 1, activity_id=f"activity-{number}")
    dataset_id = await upload(house, line("ann", sessions=[first]), line("bob"), dataset_type=ANALYSIS)

    await compile_dataset(house, dataset_id, ANALYSIS)

    (question,) = (await read(house, dataset_id))["questions"]
    assert (question["responses"], question["p_value"]) == (1, 0)


async def test_questions_are_sorted_and_paged(house: House) -> None:
    for user, marks in (("ann", (1, 1, 0, 0)), ("bob", (1, 0, 0, 1)), ("cid", (1, 1, 0, 1))):
        await add_test(house, user, *marks)
    options = {"fields": ["p_value"], "default_sort_field": "p_value", "default_sort_order": "asc"}
    answer = await set_dataset(house, dataset_type=ANALYSIS, file_count=0, options=options)
    await finish(house, answer["job_reference"])

    pages: list[Any] = []
    token = None
    while not pages or token:
        request = {"dataset_id": answer["dataset_id"], "limit": 3} | ({"next": token} if token else {})
        reply = await house.call("reports/datasets", "get", request)
        pages.append(reply)
        token = reply.meta.get("next")

    questions = [question for page in pages for question in page.data["questions"]]
    assert [(question["question_reference"], question["p_value"]) for question in questions] == [
        ("q2", 0),
        ("q1", 0.6667),
        ("q3", 0.6667),
        ("q0", 1),
    ]
    assert set(questions[0]) == {"activity_id", "question_reference", "item_reference", "question_type", "p_value"}
    assert [page.meta["records"] for page in pages] == [3, 1]
    assert ["activities" in page.data for page in pages] == [True, False]


@pytest.mark.parametrize("field", ["responses", "stddev_score", "corrected_point_biserial", "question_reference"])
async def test_questions_can_be_sorted_by_what_they_have(house: House, field: str) -> None:
    for user, marks in (("ann", (1, 1, 0)), ("bob", (1, 0, 0, 1)), ("cid", (0, 0.5, 0, 0))):
        await add_test(house, user, *marks)

    questions = (await analyse(house, options={"default_sort_field": field}))["questions"]

    known = [question[field] for question in questions if question[field] is not None]
    assert known == sorted(known, reverse=True)
    assert all(question[field] is None for question in questions[len(known) :])


async def test_all_statistics_are_those_of_numpy(house: House) -> None:
    """A few hundred learners with an ability, answering questions of different weight, in two activities."""
    dice = np.random.default_rng(11)
    weights = np.array([1, 2, 1, 5, 3, 0.5])
    marks: dict[str, Any] = {}
    for activity_id in ("maths", "reading"):
        ability = dice.normal(size=(300, 1))
        chance = 1 / (1 + np.exp(-(ability - np.linspace(-2, 2, 6))))
        marks[activity_id] = np.round(weights * np.minimum(1, chance * dice.uniform(0.4, 1.6, (300, 6))), 4)
        for user, row in enumerate(marks[activity_id]):
            responses = [right(f"q{n}", float(row[n]), float(weights[n])) for n in range(6)]
            await add_attempt(house, f"user-{user}", activity_id, float(row.sum()), 12.5, responses=responses)

    found = await analyse(house)
    bank = await analyse(house, BANK)

    assert len(found["questions"]) == 12
    for question in found["questions"]:
        column = int(question["question_reference"][1:])
        mine, totals = marks[question["activity_id"]][:, column], marks[question["activity_id"]].sum(axis=1)
        assert question["mean_score"] == pytest.approx(mine.mean(), abs=6e-5)
        assert question["stddev_score"] == pytest.approx(mine.std(), abs=6e-5)
        assert question["p_value"] == pytest.approx(mine.mean() / weights[column], abs=6e-5)
        assert question["point_biserial"] == pytest.approx(measures.correlate(mine, totals), abs=6e-5)
        rest = measures.correlate(mine, totals - mine)
        assert question["corrected_point_biserial"] == pytest.approx(rest, abs=6e-5)
    for activity in found["activities"]:
        table = marks[activity["activity_id"]]
        assert activity["cronbach_alpha"] == pytest.approx(measures.alpha(table), abs=6e-5)
        assert activity["mean_score"] == pytest.approx(table.sum(axis=1).mean(), abs=6e-5)
        assert activity["stddev_score"] == pytest.approx(table.sum(axis=1).std(), abs=6e-5)
    both = np.concatenate([marks["maths"], marks["reading"]])
    for question in bank["questions"]:
        mine = both[:, int(question["question_reference"][1:])]
        assert question["point_biserial"] == pytest.approx(measures.correlate(mine, both.sum(axis=1)), abs=6e-5)
