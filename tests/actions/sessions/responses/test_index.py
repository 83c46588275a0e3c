"""`sessions/responses` get: sessions with everything that was answered and scored."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.session_calls import entry, read, response, set_sessions, settle
from tests.stored_sessions import store
from tests.tasks.test_session_updates import set_status, submit
from tests.tasks.test_sessionrescore import answer, rescore

ENDPOINT = "sessions/responses"

ITEM = {
    "reference": "i-1",
    "source": {"reference": "i-0", "organisation_id": 4, "item_pool_id": "p"},
    "response_ids": ["r-1"],
    "time": 12.5,
    "user_flagged": True,
    "scoring": {"type": "dependent", "score": 1.5, "max_score": 2},
    "tags": [{"type": "subject", "name": "maths"}],
    "irt": {"a": 1, "b": -0.5, "c": 0.25},
}


async def test_a_record_has_the_documented_fields(house: House) -> None:
    answered = response(
        "r-1",
        question_type="mcq",
        question_reference="q-1",
        item_reference="i-1",
        score=1.5,
        max_score=2,
        manual_score=2,
        dt_score_updated="2019-10-21T23:48:31Z",
        response={"value": ["ö", "\\"], "type": "array", "apiVersion": "v2.1.0", "revision": 3},
    )
    essay = response("r-2", automarkable=False, response=None)
    await set_sessions(
        house,
        entry(
            dt_saved="2019-10-21T23:48:31Z",
            dt_started="2019-10-21T23:00:00Z",
            dt_completed="2019-10-21T23:50:00Z",
            session_duration=77,
            metadata={"a": 1, "b": None},
            items=[ITEM, {"reference": "i-2"}],
            responses=[answered, essay],
        ),
    )

    (record,) = await read(house, ENDPOINT)

    assert record == {
        "user_id": "u-1",
        "activity_id": "a-1",
        "session_id": "s-1",
        "num_attempted": 1,
        "num_questions": 2,
        "score": 2,
        "max_score": 2,
        "session_duration": 77,
        "status": "Completed",
        "dt_saved": "2019-10-21T23:48:31Z",
        "dt_started": "2019-10-21T23:00:00Z",
        "dt_completed": "2019-10-21T23:50:00Z",
        "subscores": [],
        "metadata": {"a": 1, "b": None},
        "items": [
            ITEM
            | {
                "scoring": {
                    "type": "dependent",
                    "score": 1.5,
                    "max_score": 2,
                    "max_score_of_attempted": None,
                    "max_score_of_unmarked": None,
                    "error": None,
                }
            },
            {
                "reference": "i-2",
                "source": None,
                "response_ids": [],
                "time": 0,
                "user_flagged": False,
                "scoring": None,
                "tags": [],
            },
        ],
        "responses": [
            {
                "response_id": "r-1",
                "question_type": "mcq",
                "question_reference": "q-1",
                "item_reference": "i-1",
                "automarkable": True,
                "attempted": True,
                "score": 1.5,
                "max_score": 2,
                "manual_score": 2,
                "max_manual_score": None,
                "dt_score_updated": "2019-10-21T23:48:31Z",
                "error": None,
                "response": {"value": ["ö", "\\"], "type": "array", "apiVersion": "v2.1.0", "revision": 3},
            },
            {
                "response_id": "r-2",
                "question_type": "",
                "question_reference": "",
                "item_reference": "",
                "automarkable": False,
                "attempted": False,
                "score": None,
                "max_score": None,
                "manual_score": None,
                "max_manual_score": None,
                "dt_score_updated": None,
                "error": None,
                "response": None,
            },
        ],
    }
    assert [type(each) for each in (record["score"], record["items"][0]["time"])] == [int, float]


async def test_what_was_read_can_be_set_again(house: House) -> None:
    await set_sessions(house, entry(items=[ITEM], metadata={"a": 1}, responses=[response("r-1", score=1, max_score=2)]))
    (before,) = await read(house, ENDPOINT)

    (result,) = await set_sessions(house, before)

    assert result["status"] == "ok"
    assert await read(house, ENDPOINT) == [before]


async def test_a_rescored_session_shows_why_a_response_could_not_be_marked(house: House) -> None:
    broken = answer(["1"], question={"type": "mcq", "validation": 7}, score=1)
    await store(house, "s-1", items=[{"reference": "i-1", "response_ids": ["r-0"]}], responses=[broken])
    await rescore(house, "s-1")
    await settle(house)

    (record,) = await read(house, ENDPOINT)

    error = record["responses"][0]["error"]
    assert isinstance(error, str)
    assert record["items"][0]["scoring"] == {
        "type": "per-question",
        "score": 1,
        "max_score": 9,
        "max_score_of_attempted": 9,
        "max_score_of_unmarked": 0,
        "error": error,
    }


async def test_included_metadata_restrict_what_is_shown(house: House) -> None:
    await set_sessions(house, entry(metadata={"a": 1, "b": 2}))

    (some,) = await read(house, ENDPOINT, include={"sessions.session_metadata": ["b", "c"]})
    (none,) = await read(house, ENDPOINT, include={"sessions.session_metadata": []})
    (everything,) = await read(house, ENDPOINT, include={})

    assert (some["metadata"], none["metadata"], everything["metadata"]) == ({"b": 2}, {}, {"a": 1, "b": 2})


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"session_id": ["s-2", "s-9"]}, ["s-2"]),
    ({"user_id": ["u-2"]}, ["s-2"]),
    ({"activity_id": ["a-2"]}, ["s-3"]),
    ({"status": ["Incomplete", "Discarded"]}, ["s-2"]),
    ({"mintime_started": "2020-01-02T00:00:00Z"}, ["s-2", "s-3"]),
    ({"maxtime_started": "2020-01-02T00:00:00Z"}, ["s-1", "s-2"]),
    ({"mintime_completed": "2020-01-04T00:00:00Z"}, ["s-3"]),
    ({"maxtime_completed": "2020-01-03T00:00:00Z"}, ["s-1"]),
    ({"mintime": "2100-01-01"}, []),
    ({"maxtime": "2000-01-01"}, []),
    ({"sort": "desc", "limit": 2}, ["s-3", "s-2"]),
    ({"user_id": ["u-1"], "activity_id": ["a-1"], "status": ["Completed"]}, ["s-1"]),
]


@pytest.mark.parametrize("endpoint", [ENDPOINT, "sessions/responses/scores", "sessions/scores"])
async def test_all_common_filters_hold(house: House, endpoint: str) -> None:
    times = [{"dt_started": f"2020-01-0{day}", "dt_completed": f"2020-01-0{day + 1}"} for day in (1, 2, 3)]
    await set_sessions(
        house,
        entry("s-1", **times[0]),
        entry("s-2", user_id="u-2", status="Discarded", dt_started="2020-01-02"),
        entry("s-3", activity_id="a-2", **times[2]),
    )

    found = [[record["session_id"] for record in await read(house, endpoint, **filters)] for filters, _ in FILTERS]

    assert found == [expected for _, expected in FILTERS]


@pytest.mark.parametrize("endpoint", [ENDPOINT, "sessions/responses/scores"])
async def test_what_no_answer_can_carry_is_refused(make_house: MakeHouse, endpoint: str) -> None:
    async with make_house(max_answer=40_000) as house:
        responses = [response(f"r-{number}") for number in range(100)]
        await set_sessions(house, entry(responses=responses), entry("s-2", responses=responses))

        both = await house.call(endpoint, "get")

        assert (both.status, both.code) == (400, 20027)
        assert "ask for less" in both.meta["message"]
        assert len(await read(house, endpoint, limit=1)) == 1


async def test_a_crawler_among_working_jobs_misses_nothing_and_is_told_nothing_twice(house: House) -> None:
    """Jobs create, complete, rescore and mark sessions by hand while pages are read, each with the token before it."""
    names = [f"s-{number:02}" for number in range(24)]
    responses = [{"response_id": f"r-{number}"} | answer(["1"]) for number in range(2)]
    seen: list[dict[str, Any]] = []

    async def follow(token: str | None) -> str:
        reply = await house.call(ENDPOINT, "get", {"limit": 3} | ({} if token is None else {"next": token}))
        seen.extend(reply.data)
        following = reply.meta["next"]
        assert isinstance(following, str)
        return following

    async def work() -> None:
        for start in range(0, len(names), 6):
            some = names[start : start + 6]
            taken = [entry(name, status="Incomplete", responses=responses) for name in some]
            await house.call("sessions", "set", {"data_format": "from_template", "data": taken})
            await house.carry()
            await set_status(house, *((name, "Completed") for name in some))
            given = [{"response_id": "r-1", "score": 0.5}]
            sessions = [{"session_id": name, "user_id": "u-1", "responses": given} for name in some[::2]]
            await submit(house, "manualresponseupdate", {"sessions": sessions})
            await house.carry()

    working = asyncio.create_task(work())
    token = await follow(None)
    while not working.done():
        token = await follow(token)
    await working
    await settle(house)
    while (following := await follow(token)) != token:
        token = following

    last = {record["session_id"]: record for record in seen}
    assert sorted(last) == names
    assert {name: last[name]["score"] for name in names} == {
        name: 2.5 if number % 2 == 0 else 4 for number, name in enumerate(names)
    }
    for name in names:
        states = [record for record in seen if record["session_id"] == name]
        assert all(one != other for one, other in pairwise(states))
