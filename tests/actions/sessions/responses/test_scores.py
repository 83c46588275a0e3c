"""`sessions/responses/scores` get and update: what responses earned, and the scores that people give them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.client import sign_form
from jobgate.testing import House
from tests.session_calls import entry, read, response, set_sessions
from tests.stored_sessions import age_jobs, read_responses, results, store
from tests.stored_sessions import read as read_row
from tests.tasks.test_session_updates import LONG_AGO, mark_written, submit
from tests.tasks.test_sessionrescore import SCORED, answer, rescore

ENDPOINT = "sessions/responses/scores"
ITEMS = [{"reference": "i-1", "response_ids": ["r-0"]}, {"reference": "i-2", "response_ids": ["r-1"]}]
RESPONSES = [{"score": 1, "max_score": 4}, {"score": None, "max_score": 5}]


def given(*scores: dict[str, Any], session_id: str = "s-1", user_id: str = "u-1") -> dict[str, Any]:
    """One session of a request."""
    return {"session_id": session_id, "user_id": user_id, "responses": list(scores)}


def points(response_id: str, score: float | None, **fields: Any) -> dict[str, Any]:
    """The score of one response."""
    return {"response_id": response_id, "score": score} | fields


async def give(house: House, *sessions: dict[str, Any]) -> Any:
    """Give scores; what the job says about each session."""
    reply = await house.call(ENDPOINT, "update", {"sessions": list(sessions)})
    await house.carry()
    return await results(house, reply.data["job_reference"])


async def manual_scores(house: House, session_id: str = "s-1") -> list[tuple[float | None, float | None]]:
    """Manual score and maximum of each response."""
    rows = await read_responses(house, session_id)
    return [(row["manual_score"], row["max_manual_score"]) for row in rows]


async def test_given_scores_count_instead_of_the_automatic_ones(house: House) -> None:
    await store(house, "s-1", items=ITEMS, responses=RESPONSES)

    (result,) = await give(house, given(points("r-1", 2.5), points("r-0", 6, max_score=8)))

    assert result == {"session_id": "s-1", "user_id": "u-1", "status": "ok"}
    assert await manual_scores(house) == [(6, 8), (2.5, None)]
    assert [row["score"] for row in await read_responses(house, "s-1")] == [1, None]
    session = await read_row(house, "s-1")
    assert (session["score"], session["max_score"]) == (8.5, 13)
    assert [(item["scoring"]["score"], item["scoring"]["max_score"]) for item in session["items"]] == [(6, 8), (2.5, 5)]
    assert session["updated_at"] > LONG_AGO
    assert all(row["dt_score_updated"] > SCORED for row in await read_responses(house, "s-1"))


async def test_subscores_follow(house: House) -> None:
    definitions = [{"id": "all", "items": ["i-1", "i-2"]}]
    await store(house, "s-1", items=ITEMS, definitions=definitions, responses=RESPONSES)

    (result,) = await give(house, given(points("r-1", 2)))

    assert [link["type"] for link in result["follow_ups"]] == ["subscorecalculation"]
    assert (await read_row(house, "s-1"))["subscores"][0]["score"] == 3


async def test_the_same_score_again_changes_nothing_and_starts_nothing(house: House) -> None:
    await store(house, "s-1", items=ITEMS, definitions=[{"id": "all"}], responses=RESPONSES)
    await give(house, given(points("r-0", 2)))
    session, responses = await read_row(house, "s-1"), await read_responses(house, "s-1")

    (result,) = await give(house, given(points("r-0", 2)))

    assert "follow_ups" not in result
    assert await read_row(house, "s-1") == session
    again = await read_responses(house, "s-1")
    assert [row["dt_score_updated"] for row in again] == [row["dt_score_updated"] for row in responses]


async def test_null_gives_the_automatic_score_back(house: House) -> None:
    await store(house, "s-1", items=ITEMS, responses=RESPONSES)
    await give(house, given(points("r-0", 6, max_score=8)))

    await give(house, given(points("r-0", None)))

    assert await manual_scores(house) == [(None, None), (None, None)]
    session = await read_row(house, "s-1")
    assert (session["score"], session["max_score"]) == (1, 9)


async def test_a_maximum_stays_until_it_is_given_or_taken_back(house: House) -> None:
    await store(house, "s-1", items=ITEMS, responses=RESPONSES)

    await give(house, given(points("r-0", 6, max_score=8)), given(points("r-0", 7)))
    kept = await manual_scores(house)
    await give(house, given(points("r-0", 3, max_score=None)))

    assert kept == [(7, 8), (None, None)]
    assert await manual_scores(house) == [(3, None), (None, None)]


async def test_given_scores_win_over_rescoring_until_the_session_is_set_anew(house: House) -> None:
    await store(house, "s-1", responses=[answer(["1"])])
    await give(house, given(points("r-0", 0.5)))

    await rescore(house, "s-1")
    rescored = await read_row(house, "s-1")
    await set_sessions(house, entry("s-1", responses=[response("r-0", score=1, max_score=1)]))

    assert rescored["score"] == 0.5
    assert await manual_scores(house) == [(None, None)]
    assert (await read_row(house, "s-1"))["score"] == 1


@pytest.mark.parametrize(
    ("score", "complaint"),
    [
        (points("r-9", 1), "the session has no response 'r-9'"),
        (points("r-0", 5), "the score of 'r-0' must not be more than its maximum of 4"),
        (points("r-0", 5, max_score=4.5), "the score of 'r-0' must not be more than its maximum of 4.5"),
        (points("r-0", -1), "the scores of 'r-0' must not be negative"),
        (points("r-0", 0, max_score=-1), "the scores of 'r-0' must not be negative"),
    ],
)
async def test_an_impossible_score_refuses_its_session_and_no_other(house: House, score: Any, complaint: str) -> None:
    await store(house, "s-1", items=ITEMS, responses=RESPONSES)
    await store(house, "s-2", items=ITEMS, responses=RESPONSES)

    first, second = await give(house, given(points("r-1", 3), score), given(points("r-1", 3), session_id="s-2"))

    assert first == {
        "session_id": "s-1",
        "user_id": "u-1",
        "status": "error",
        "code": 20004,
        "message": complaint,
    }
    assert second["status"] == "ok"
    assert await manual_scores(house) == [(None, None), (None, None)]
    assert (await read_row(house, "s-1"))["updated_at"] == LONG_AGO


async def test_unknown_sessions_and_wrong_users_are_refused_alone(house: House) -> None:
    await store(house, "s-1", responses=RESPONSES)
    await store(house, "theirs", organisation_id=2, responses=RESPONSES)

    told = await give(
        house,
        given(points("r-0", 1), session_id="nobody"),
        given(points("r-0", 1), session_id="theirs"),
        given(points("r-0", 2), user_id="u-2"),
        given(points("r-0", 3)),
    )

    assert [result.get("code") for result in told] == [20016, 20016, 20004, None]
    assert (await manual_scores(house))[0] == (3, None)


async def test_entries_for_one_session_apply_in_order(house: House) -> None:
    await store(house, "s-1", responses=RESPONSES)

    told = await give(
        house,
        given(points("r-0", 6, max_score=8)),
        given(points("r-0", 7)),
        given(points("r-0", 9)),
        given(points("r-1", 1)),
    )

    assert [result["status"] for result in told] == ["ok", "ok", "error", "ok"]
    assert await manual_scores(house) == [(7, 8), (1, None)]


async def test_an_older_job_that_comes_late_overwrites_nothing_newer(house: House) -> None:
    await store(house, "s-1", responses=RESPONSES)
    params = {"sessions": [given(points("r-0", 3)), given(points("r-1", 3))]}
    await give(house, given(points("r-0", 2)))
    late = await submit(house, "manualresponseupdate", params)
    await mark_responses_written(house, "r-0", await age_jobs(house))

    await house.carry()

    told = await results(house, late)
    assert [result.get("superseded", False) for result in told] == [True, False]
    assert await manual_scores(house) == [(2, None), (3, None)]


async def mark_responses_written(house: House, response_id: str, job_id: int) -> None:
    """Pretend that a job has given the response its manual scores."""
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update response set manual_by = $1 where response_id = $2", job_id, response_id)


async def test_a_session_that_a_newer_job_has_set_keeps_its_scores(house: House) -> None:
    await store(house, "s-1", responses=RESPONSES)
    late = await submit(house, "manualresponseupdate", {"sessions": [given(points("r-0", 3))]})
    await mark_written(house, "set_by", await age_jobs(house))

    await house.carry()

    assert (await results(house, late))[0]["superseded"] is True
    assert await manual_scores(house) == [(None, None), (None, None)]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, 20000),
        ({"sessions": []}, 20001),
        ({"sessions": [given()]}, 20001),
        ({"sessions": [given(points("r-0", 1))] * 1001}, 20002),
        ({"sessions": [given({"response_id": "r-0"})]}, 20000),
        ({"sessions": [given(points("r-0", "high"))]}, 20003),  # type: ignore[arg-type]  # what callers may send
        ({"sessions": [given(points("r-0", 1e7))]}, 20003),
        ({"sessions": [given(points("r-0", 1))], "organisation_id": 2}, 40003),
    ],
)
async def test_a_wrong_request_is_refused_and_starts_nothing(house: House, request_: Any, code: int) -> None:
    reply = await house.call(ENDPOINT, "update", request_)

    assert reply.code == code
    assert await house.unfinished() == 0


async def test_a_retry_starts_one_job(house: House) -> None:
    await store(house, "s-1", responses=RESPONSES)
    body = sign_form(house.home, {"sessions": [given(points("r-0", 1))]}, "update", now=datetime.now(UTC))

    first, again = [await house.post(f"/v2025.1.LTS/{ENDPOINT}", body) for _ in range(2)]

    assert again.data == first.data
    assert again.meta["replayed"] is True


# -- reading ---------------------------------------------------------------------------------------------------------


async def test_a_record_has_the_responses_without_items(house: House) -> None:
    scored = response(
        "r-1",
        item_reference="i-1",
        question_type="mcq",
        question_reference="q-1",
        score=1.5,
        max_score=2,
        manual_score=2,
        dt_score_updated="2019-10-21T23:48:31Z",
    )
    await set_sessions(house, entry(items=[{"reference": "i-1"}], responses=[scored]))

    (record,) = await read(house, ENDPOINT)

    assert record == {
        "user_id": "u-1",
        "activity_id": "a-1",
        "session_id": "s-1",
        "score": 2,
        "max_score": 2,
        "status": "Completed",
        "responses": [
            {
                "response_id": "r-1",
                "question_type": "mcq",
                "question_reference": "q-1",
                "automarkable": True,
                "attempted": True,
                "score": 1.5,
                "max_score": 2,
                "manual_score": 2,
                "max_manual_score": None,
                "dt_score_updated": "2019-10-21T23:48:31Z",
                "error": None,
                "response": {"value": ["x"], "type": "array"},
            }
        ],
    }
