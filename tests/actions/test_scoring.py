"""`scoring` get: stateless scores, one for each question, and what is refused."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from jobgate.registry import load_actions
from jobgate.scoring.maths.evaluator import Evaluator
from jobgate.testing import House

Json = dict[str, Any]

STALL_S = 0.5
"""How much arithmetic may come between two looks at the event loop. The mark is 0.1; the rest is for a busy machine."""


def mcq(response_id: str, *right: str, **validation: Any) -> Json:
    """A multiple choice question of 2 points."""
    return {
        "response_id": response_id,
        "type": "mcq",
        "stimulus": "Which?",
        "options": [{"label": "A", "value": "0"}, {"label": "B", "value": "1"}, {"label": "C", "value": "2"}],
        "multiple_responses": len(right) > 1,
        "validation": {"valid_response": {"score": 2, "value": list(right)}, **validation},
    }


def chosen(*values: str) -> Json:
    """A response as sessions have it."""
    return {"value": list(values), "type": "array", "apiVersion": "v2.100.0", "revision": 1}


async def score(house: House, questions: list[Any], responses: Any = None, **more: Any) -> list[Json]:
    """What the endpoint answers."""
    reply = await house.call("scoring", "get", {"questions": questions, "responses": responses or {}, **more})
    scores: list[Json] = reply.data
    assert reply.meta["records"] == len(questions)
    return scores


async def test_a_response_is_scored_by_the_question_that_comes_with_it(house: House) -> None:
    assert await score(house, [mcq("r-1", "1")], {"r-1": chosen("1")}) == [
        {
            "response_id": "r-1",
            "type": "mcq",
            "is_valid": True,
            "score": 2,
            "max_score": 2,
            "attempted": True,
            "error": None,
        }
    ]


async def test_scores_come_in_the_order_of_the_questions(house: House) -> None:
    questions = [mcq("c", "1"), mcq("a", "1"), mcq("b", "1"), {"response_id": "d", "type": "longtext"}]

    scores = await score(house, questions, {"a": chosen("1"), "b": chosen("0"), "d": {"value": "Dear"}, "z": None})

    assert [each["response_id"] for each in scores] == ["c", "a", "b", "d"]
    assert [each["attempted"] for each in scores] == [False, True, True, True]
    assert [each["score"] for each in scores] == [None, 2, 0, None]
    assert [each["max_score"] for each in scores] == [2, 2, 2, None]
    assert [each["is_valid"] for each in scores] == [False, True, False, False]
    assert [each["error"] for each in scores] == [None] * 4


async def test_a_response_is_valid_if_it_earns_everything(house: House) -> None:
    better = {"alt_responses": [{"score": 3, "value": ["2"]}]}
    cases: list[tuple[Json, list[str], bool]] = [
        ({}, ["0", "1"], True),
        ({}, ["0"], False),
        ({"scoring_type": "partialMatchV2"}, ["0"], False),
        (better, ["0", "1"], False),
        (better, ["2"], True),
        ({"unscored": True}, ["0", "1"], False),
    ]

    scores = await score(
        house,
        [mcq(str(at), "0", "1", **validation) for at, (validation, _, _) in enumerate(cases)],
        {str(at): chosen(*value) for at, (_, value, _) in enumerate(cases)},
    )

    assert [each["is_valid"] for each in scores] == [is_valid for _, _, is_valid in cases]


async def test_partial_scores_tell_of_areas_and_change_no_score(house: House) -> None:
    questions = [mcq("r-1", "0", "1", scoring_type="partialMatchV2"), mcq("r-2", "1"), {"response_id": "r-3"}]
    responses = {"r-1": chosen("1", "2")}

    plain = await score(house, questions, responses)
    told = await score(house, questions, responses, partial_scores=True)

    assert [each.pop("areas") for each in told] == [[False, True], [None], []]
    assert told == plain


async def test_what_takes_algebra_is_judged_too(house: House) -> None:
    sums = {"method": "equivSymbolic", "value": "(x+1)^2"}
    number = {"method": "equivValue", "value": "10\\pm1.5"}
    asked = {
        "response_id": "r",
        "type": "clozeformula",
        "validation": {"scoring_type": "partialMatchV2", "valid_response": {"score": 2, "value": [[sums], [number]]}},
    }
    values = {
        "all": ["x^2+2x+1", "11.2"],
        "first": ["x^2+2x+1", "12"],
        "second": ["x^2+1", "9"],
        "odd": ["\\foo(", "9"],
    }

    scores = await score(
        house,
        [asked | {"response_id": name} for name in values],
        {name: {"value": value} for name, value in values.items()},
        partial_scores=True,
    )

    assert [each["score"] for each in scores] == [2, 1, 1, None]
    assert [each["areas"] for each in scores] == [[True, True], [True, False], [False, True], [None, True]]
    assert [each["error"] is None for each in scores] == [True, True, True, False]


async def test_an_unusable_question_spoils_no_other(house: House) -> None:
    questions = [{"response_id": "r-1", "type": "crossword"}, mcq("r-2", "1"), {"response_id": "r-3", "type": 7}]

    first, second, third = await score(house, questions, {name: chosen("1") for name in ("r-1", "r-2", "r-3")})

    assert (first["type"], first["score"], first["max_score"]) == ("crossword", None, None)
    assert first["error"] == "questions of the type 'crossword' are not supported"
    assert (second["score"], second["error"]) == (2, None)
    assert (third["type"], third["error"]) == (None, "the question has no `type`")


async def test_the_type_of_a_response_is_not_compared_with_its_form(house: House) -> None:
    values: list[Any] = ["1", ["1"], [1], 1]

    scores = await score(
        house,
        [mcq(str(at), "1") for at in range(len(values))],
        {str(at): {"value": value, "type": "object"} for at, value in enumerate(values)},
    )

    assert [each["score"] for each in scores] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({}, 20000, "`questions` must have a non-null value"),
        ({"questions": []}, 20001, "`questions` must contain 1 or more entries"),
        ({"questions": [{}] * 1001}, 20002, "`questions` must contain at most 1000 entries"),
        ({"questions": ["mcq"]}, 20003, "`questions[0]` must be an object, not a string"),
        ({"questions": [{"type": "mcq"}]}, 20000, "`questions[0].response_id` must have a non-null value"),
        (
            {"questions": [{"response_id": "a"}, {"response_id": 5}]},
            20003,
            "`questions[1].response_id` must be a string",
        ),
        (
            {"questions": [{"response_id": "a"}], "responses": ["a"]},
            20003,
            "`responses` must be an object, not an array",
        ),
        (
            {"questions": [{"response_id": "a"}], "responses": {"a": "1"}},
            20003,
            "`responses[...]` must be an object, not a string",
        ),
    ],
)
async def test_a_request_that_cannot_be_read_is_refused(house: House, request_: Json, code: int, message: str) -> None:
    reply = await house.call("scoring", "get", request_)

    assert (reply.status, reply.code, reply.meta["message"]) == (400, code, message)


async def test_nothing_is_stored(house: House) -> None:
    await score(house, [mcq("r", "1")], {"r": chosen("1")})

    assert await house.unfinished() == 0
    assert (await house.call("sessions/statuses", "get")).data == []


async def test_p7_the_largest_request_lets_others_in() -> None:
    right = [str(n) for n in range(200)]
    action = load_actions()["scoring"]["get"]
    questions = [mcq(str(n), *right) for n in range(1000)]
    responses = {str(n): chosen(*right) for n in range(1000)}
    request = msgspec.convert({"questions": questions, "responses": responses}, action.request)
    pauses_s: list[float] = []

    async def watch() -> None:
        while True:
            started = time.process_time()
            await asyncio.sleep(0)
            pauses_s.append(time.process_time() - started)

    watching = asyncio.create_task(watch())
    async with Evaluator() as maths:
        await asyncio.sleep(0)
        scores = await action.handle(SimpleNamespace(maths=maths), request)  # type: ignore[arg-type]  # all it asks for
        await asyncio.sleep(0)
    watching.cancel()

    assert all(each.score == 2 for each in scores)
    assert max(pauses_s) < STALL_S
