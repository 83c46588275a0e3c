"""Rescoring: stored responses are scored anew from the questions that were stored with them."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import pytest

from jobgate import rescoring, wire
from jobgate.context import Batch, BatchJob, JobFacts
from jobgate.db import QUERIES
from jobgate.demo import School, store_bank
from jobgate.scoring.maths.evaluator import NO_TIME_LEFT, Evaluator
from jobgate.sessions import import_sessions
from jobgate.tasks import sessionrescore
from jobgate.testing import House
from tests.stored_sessions import age_jobs, read, read_responses, results, store
from tests.tasks.test_session_updates import LONG_AGO, mark_written, outcomes, submit

ITEMS = [{"reference": "i-1", "response_ids": [f"r-{number}" for number in range(200)]}]
SCORED = datetime(2020, 1, 2, tzinfo=UTC)


def choice(right: str = "1", score: float = 2, **validation: Any) -> dict[str, Any]:
    """A question with the options 0, 1 and 2."""
    return {
        "type": "mcq",
        "options": [{"value": value, "label": value} for value in "012"],
        "validation": {"scoring_type": "exactMatch", "valid_response": {"score": score, "value": [right]}} | validation,
    }


def answer(value: Any, **columns: Any) -> dict[str, Any]:
    """A response to `choice()` that was stored with the wrong scores."""
    return {"question": choice(), "response": {"value": value}, "score": 0, "max_score": 9} | columns


async def rescore(house: House, *session_ids: str) -> str:
    """Queue a rescoring and carry it out; its reference."""
    reference = await submit(house, "sessionrescore", {"session_id": list(session_ids)})
    await house.carry()
    return reference


async def test_wrong_scores_become_right_and_everything_is_added_up(house: House) -> None:
    items = [
        {"reference": "i-1", "response_ids": ["r-0", "r-1"]},
        {"reference": "i-2", "scoring": {"type": "per-dichotomous"}},
    ]
    responses = [
        answer(["1"]),
        answer(["0"], score=2),
        answer(["1"], item_reference="i-2"),
        answer(["2"], item_reference="i-2"),
        answer(["1"]),
    ]
    await store(house, "s-1", items=items, responses=responses)

    reference = await rescore(house, "s-1")

    assert [(row["score"], row["max_score"]) for row in await read_responses(house, "s-1")] == [
        (2, 2),
        (0, 2),
        (2, 2),
        (0, 2),
        (2, 2),
    ]
    session = await read(house, "s-1")
    assert (session["score"], session["max_score"], session["num_attempted"]) == (4, 10, 5)
    assert [item["scoring"] for item in session["items"]] == [
        {
            "type": "per-question",
            "score": 2,
            "max_score": 4,
            "max_score_of_attempted": 4,
            "max_score_of_unmarked": 0,
        },
        {
            "type": "per-dichotomous",
            "score": 0,
            "max_score": 4,
            "max_score_of_attempted": 4,
            "max_score_of_unmarked": 0,
        },
    ]
    assert session["updated_at"] > LONG_AGO
    assert await results(house, reference) == [{"session_id": "s-1", "user_id": "u-1", "status": "ok"}]


async def test_rescoring_twice_changes_nothing(house: House) -> None:
    await store(
        house, "s-1", items=[{"reference": "i-1", "response_ids": ["r-0"]}], responses=[answer(["1"]), answer(None)]
    )
    await rescore(house, "s-1")
    session, responses = await read(house, "s-1"), await read_responses(house, "s-1")

    await rescore(house, "s-1")

    again = await read(house, "s-1")
    assert again["scores_by"] > session["scores_by"]
    assert again | {"scores_by": 0} == session | {"scores_by": 0}
    assert await read_responses(house, "s-1") == responses


async def test_the_time_of_a_score_moves_only_with_the_score(house: House) -> None:
    right, almost, wrong = (
        answer(["1"], score=2, max_score=2),
        answer(["1"], score=2 + 1e-9, max_score=2),
        answer(["1"]),
    )
    await store(house, "s-1", responses=[right, almost, wrong])

    await rescore(house, "s-1")

    times = [row["dt_score_updated"] for row in await read_responses(house, "s-1")]
    assert times[:2] == [SCORED, SCORED]
    assert times[2] > SCORED


async def test_a_session_that_is_right_already_keeps_the_time_of_its_last_change(house: House) -> None:
    await store(house, "s-1", responses=[answer(["1"], score=2, max_score=2)])
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update session set score = 2, max_score = 2, num_attempted = 1")

    await rescore(house, "s-1")

    assert (await read(house, "s-1"))["updated_at"] == LONG_AGO


async def test_what_no_machine_can_mark_keeps_its_score(house: House) -> None:
    responses = [
        {"score": 3, "max_score": 4},  # without a question
        answer("An essay", question={"type": "longtext", "validation": {"max_score": 9}}, score=7),
        answer(["1"], question={"type": "mcq", "validation": 7}, score=1),
        answer(["1"], question=["no", "question"], score=1),
    ]
    items = [{"reference": "i-1", "response_ids": ["r-2"]}]
    await store(house, "s-1", items=items, responses=responses)

    reference = await rescore(house, "s-1")

    rows = await read_responses(house, "s-1")
    assert [(row["score"], row["max_score"]) for row in rows] == [(3, 4), (7, 9), (1, 9), (1, 9)]
    assert [row["automarkable"] for row in rows] == [True, False, True, True]
    assert [row["score_error"] is not None for row in rows] == [False, False, True, True]
    assert {row["dt_score_updated"] for row in rows} == {SCORED}
    session = await read(house, "s-1")
    assert session["items"][0]["scoring"]["error"] == rows[2]["score_error"]
    assert session["score"] == 12
    assert await outcomes(house, reference) == ["ok"]


async def test_an_essay_that_nobody_has_marked_waits_with_its_maximum(house: House) -> None:
    essay = {"type": "longtext", "validation": {"max_score": 9}}
    await store(
        house,
        "s-1",
        items=[{"reference": "i-1", "response_ids": ["r-0", "r-1"]}],
        responses=[answer("An essay", question=essay, score=None, max_score=None), answer(["1"])],
    )

    await rescore(house, "s-1")

    first, _ = await read_responses(house, "s-1")
    assert (first["score"], first["max_score"]) == (None, 9)
    session = await read(house, "s-1")
    assert (session["score"], session["max_score"]) == (2, 11)
    assert session["items"][0]["scoring"]["max_score_of_unmarked"] == 9


async def test_a_score_that_a_person_gave_wins(house: House) -> None:
    await store(house, "s-1", responses=[answer(["1"], manual_score=0.5, max_manual_score=3), answer(["1"])])

    await rescore(house, "s-1")

    first, _ = await read_responses(house, "s-1")
    assert (first["score"], first["manual_score"]) == (2, 0.5)
    session = await read(house, "s-1")
    assert (session["score"], session["max_score"]) == (2.5, 5)


async def test_what_was_not_attempted_has_no_score(house: House) -> None:
    await store(house, "s-1", responses=[answer([], score=2), answer(["1"])])

    await rescore(house, "s-1")

    first, _ = await read_responses(house, "s-1")
    assert (first["attempted"], first["score"], first["max_score"]) == (False, None, 2)
    session = await read(house, "s-1")
    assert (session["num_attempted"], session["score"], session["max_score"]) == (1, 2, 4)


async def test_a_session_without_responses_keeps_its_totals(house: House) -> None:
    await store(house, "s-1", items=[{"reference": "i-1", "scoring": {"score": 3}}])
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update session set score = 3, max_score = 4")

    await rescore(house, "s-1")

    session = await read(house, "s-1")
    assert (session["score"], session["max_score"], session["updated_at"]) == (3, 4, LONG_AGO)
    assert session["items"] == [{"reference": "i-1", "scoring": {"score": 3}}]


async def test_unknown_and_foreign_sessions_are_refused_alone(house: House) -> None:
    await store(house, "s-1", responses=[answer(["1"])])
    await store(house, "theirs", organisation_id=2, responses=[answer(["1"])])

    reference = await rescore(house, "nobody", "s-1", "theirs")

    assert await outcomes(house, reference) == ["error", "ok", "error"]
    assert (await read_responses(house, "theirs", 2))[0]["score"] == 0


@pytest.mark.parametrize("column", ["scores_by", "set_by"])
async def test_what_a_newer_job_scored_or_set_is_left_alone(house: House, column: str) -> None:
    await store(house, "s-1", responses=[answer(["1"])])
    reference = await submit(house, "sessionrescore", {"session_id": ["s-1"]})
    await mark_written(house, column, await age_jobs(house))

    await house.carry()

    assert await outcomes(house, reference) == ["superseded"]
    assert (await read_responses(house, "s-1"))[0]["score"] == 0


async def test_items_that_cannot_be_read_leave_the_totals_alone(house: House) -> None:
    await store(house, "s-1", items=[{"reference": 7}], responses=[answer(["1"])])

    reference = await rescore(house, "s-1")

    assert await outcomes(house, reference) == ["ok"]
    assert (await read_responses(house, "s-1"))[0]["score"] == 2
    assert (await read(house, "s-1"))["score"] is None


async def test_sessions_in_several_portions_are_all_scored(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessionrescore, "PORTION_BYTES", 2000)
    names = [f"s-{number}" for number in range(7)]
    for name in names:
        await store(house, name, responses=[answer(["1"])] * 3)

    reference = await rescore(house, *names)

    assert await outcomes(house, reference) == ["ok"] * 7
    assert [(await read(house, name))["score"] for name in names] == [6] * 7


async def test_a_session_that_no_memory_should_hold_is_refused_alone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessionrescore, "MAX_SESSION_BYTES", 5000)
    await store(house, "s-1", responses=[answer(["1"])] * 10)
    await store(house, "s-2", responses=[answer(["1"])])

    reference = await rescore(house, "s-1", "s-2")

    told = await results(house, reference)
    assert [result.get("message") for result in told] == [sessionrescore.TOO_LARGE, None]
    assert (await read_responses(house, "s-1"))[0]["score"] == 0
    assert (await read_responses(house, "s-2"))[0]["score"] == 2


async def test_many_sessions_are_scored_in_a_few_statements(house: House) -> None:
    names = [f"s-{number}" for number in range(50)]
    for name in names:
        await store(house, name, responses=[answer(["1"])] * 3)
    facts = JobFacts(1, uuid.uuid4(), 1, house.home.key, "sessionrescore", 1)
    job = BatchJob(facts, sessionrescore.RescoreParams(session_id=names))
    statements: list[str] = []

    async with Evaluator() as maths, house.db.transaction(1) as tx:
        with tx.connection.query_logger(lambda record: statements.append(record.query)):
            await sessionrescore.rescore_sessions(Batch(1, tx, [job], maths))

    run = [name for statement in statements for name, text in QUERIES.items() if text == statement]
    assert run == [
        "lock_sessions_to_rescore",
        "find_answered_questions",
        "update_response_scores",
        "find_session_totals",
        "update_session_totals",
    ]
    assert [(await read(house, name))["score"] for name in names] == [6] * 50


async def test_a_school_with_every_type_of_question_is_scored_once_and_for_all(house: House) -> None:
    await store_bank(house.db, 1)
    await import_sessions(house.db, 1, School("7", date(2026, 7, 1)).lines(60))
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update response set score = null, max_score = null")
        names = [row["session_id"] for row in await tx.connection.fetch("select session_id from session")]
    await rescore(house, *names)
    once = [(await read(house, name) | {"scores_by": 0}, await read_responses(house, name)) for name in names]

    await rescore(house, *names)

    assert [(await read(house, name) | {"scores_by": 0}, await read_responses(house, name)) for name in names] == once
    assert {row["score_error"] for _, rows in once for row in rows} == {None}
    assert all(session["max_score"] > 0 for session, _ in once)


NASTY: list[Any] = [
    None,
    True,
    "",
    "x" * 10_000,
    -1e308,
    10**18,
    [],
    {},
    [[]] * 500,
    [None, {"value": [None]}, "1"],
    {"value": {"value": {}}},
    {"score": "1", "value": ["1"]},
    [{"value": "1", "score": -5}],
]


async def test_nothing_that_can_be_stored_stops_a_job(house: House) -> None:
    """Every part of a question and a response is replaced by every nasty value."""
    deep = wire.decode(b"[" * 400 + b"]" * 400, Any)
    responses = [answer(["1"])]
    for nasty in [*NASTY, deep]:
        responses += [
            answer(nasty),
            answer(["1"], question=nasty),
            answer(["1"], response=nasty),
            answer(["1"], question=choice() | {"validation": nasty}),
            answer(["1"], question=choice(scoring_type=nasty, penalty=nasty, min_score_if_attempted=nasty)),
            answer(["1"], question=choice(valid_response=nasty, alt_responses=nasty)),
            formula(nasty),
            answer(nasty, question=choice() | {"type": "clozeassociation", "options": nasty}),
        ]
    await store(house, "s-1", items=ITEMS, responses=responses)

    reference = await rescore(house, "s-1")

    assert await outcomes(house, reference) == ["ok"]
    rows = await read_responses(house, "s-1")
    assert rows[0]["score"] == 2
    assert all(abs(row[name] or 0) <= 1_000_000 for row in rows for name in ("score", "max_score"))


# -- maths -----------------------------------------------------------------------------------------------------------


def formula(typed: str, **columns: Any) -> dict[str, Any]:
    """What was typed where 2x is right, which takes computer algebra to see."""
    validation = {"valid_response": {"score": 1, "value": [{"method": "equivSymbolic", "value": "2x"}]}}
    question = {"type": "formulaV2", "validation": validation}
    return {"question": question, "response": {"value": typed}, "max_score": 1} | columns


async def scores(house: House, *session_ids: str) -> list[float | None]:
    """The automatic scores of all responses of some sessions."""
    return [row["score"] for session_id in session_ids for row in await read_responses(house, session_id)]


async def test_typed_maths_is_judged_by_its_meaning(house: House) -> None:
    await store(house, "s-1", responses=[formula("x+x"), formula("3x"), formula("x+x")])
    await store(house, "s-2", responses=[formula("x+x"), formula("x\\cdot 2")])

    await rescore(house, "s-1", "s-2")

    assert await scores(house, "s-1", "s-2") == [1, 0, 1, 1, 1]


async def test_maths_that_nobody_understands_keeps_its_score_and_says_why(house: House) -> None:
    await store(house, "s-1", responses=[formula("\\frac{", score=0.5), formula("x+x")])

    await rescore(house, "s-1")

    first, second = await read_responses(house, "s-1")
    assert (first["score"], second["score"]) == (0.5, 1)
    assert first["score_error"]


async def test_sessions_that_a_batch_has_no_time_for_are_left_to_jobs_of_their_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "BATCH_S", 1e-9)  # enough for one
    names = ["s-1", "s-2", "s-3"]
    for name in names:
        await store(house, name, responses=[formula(f"x+x+{name[2:]}-{name[2:]}")])
    await store(house, "s-4", responses=[answer(["1"])])

    reference = await rescore(house, *names, "s-4")

    told = await results(house, reference)
    links = [[link["type"] for link in result.get("follow_ups", [])] for result in told]
    assert links == [[], ["sessionrescore"], ["sessionrescore"], []]
    assert await scores(house, *names, "s-4") == [1, 1, 1, 2]


async def test_what_takes_too_long_leaves_its_own_session_unmarked_and_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rescoring, "SESSION_S", 0.0)  # for nothing, once the first are under way
    monkeypatch.setattr(rescoring, "STAY_AWAKE_S", 0.01)
    await store(house, "s-1", responses=[formula(f"x+x+{number}-{number}") for number in range(1, 9)])
    await store(house, "s-2", responses=[formula("x+x")])

    reference = await rescore(house, "s-1", "s-2")

    assert await outcomes(house, reference) == ["ok", "ok"]
    errors = {row["score_error"] for row in await read_responses(house, "s-1")} - {None}
    assert errors == {NO_TIME_LEFT.reason}
    session = await read(house, "s-1")
    assert session["scores_by"] > 0
