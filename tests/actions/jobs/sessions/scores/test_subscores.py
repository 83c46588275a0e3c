"""`jobs/sessions/scores/subscores` get: which sessions it takes, and what its job stores with them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.client import sign_form
from jobgate.testing import House
from tests.stored_sessions import read, results, store

ENDPOINT = "jobs/sessions/scores/subscores"
DEFINITIONS = [
    {"id": "half", "title": "First half", "items": ["i-1"]},
    {"id": "maths", "title": "Maths", "tags": [{"type": "subject", "name": "maths"}]},
]
ITEMS = [
    {"reference": "i-1", "tags": [{"type": "subject", "name": "maths"}], "response_ids": ["r-0"]},
    {"reference": "i-2", "tags": [{"type": "subject", "name": "maths"}, {"type": "level", "name": "2"}]},
    {"reference": "i-3", "tags": []},
]
RESPONSES = [
    {"item_reference": "i-1", "score": 1.5, "max_score": 2},
    {"item_reference": "i-2", "score": 3, "max_score": 4, "manual_score": 4},
    {"item_reference": "i-2", "max_score": 5},
    {"item_reference": "i-3", "score": 7, "max_score": 7},
]


async def take(house: House, *session_ids: str, **options: Any) -> None:
    """Store sessions that were taken with definitions."""
    for session_id in session_ids:
        await store(house, session_id, items=ITEMS, definitions=DEFINITIONS, responses=RESPONSES, **options)


async def test_subscores_are_calculated_and_stored_with_the_session(house: House) -> None:
    await take(house, "s-1")

    reply = await house.call(ENDPOINT, "get", {"session_id": ["s-1"]})
    await house.carry()

    assert reply.data["ignored_sessions"] == []
    assert reply.meta["records"] == 1
    assert (await read(house, "s-1"))["subscores"] == [
        {
            "id": "half",
            "title": "First half",
            "num_questions": 1,
            "num_attempted": 1,
            "num_unmarked": 0,
            "score": 1.5,
            "max_score": 2,
            "attempted_max_score": 2,
            "unmarked_max_score": 0,
            "items": ["i-1"],
        },
        {
            "id": "maths",
            "title": "Maths",
            "num_questions": 3,
            "num_attempted": 3,
            "num_unmarked": 1,
            "score": 5.5,
            "max_score": 11,
            "attempted_max_score": 11,
            "unmarked_max_score": 5,
            "items": ["i-1", "i-2"],
        },
    ]
    assert await results(house, reply.data["job_reference"]) == [
        {"session_id": "s-1", "user_id": "u-1", "status": "ok"}
    ]


async def test_sessions_without_definitions_and_unknown_ones_are_ignored_by_name(house: House) -> None:
    await take(house, "s-1", "s-2")
    await store(house, "plain")
    await take(house, "theirs", organisation_id=2)

    reply = await house.call(ENDPOINT, "get", {"session_id": ["plain", "s-2", "nobody", "s-1", "theirs", "s-2"]})

    assert reply.data["ignored_sessions"] == ["plain", "nobody", "theirs"]
    assert reply.meta["records"] == 2
    await house.carry()
    told = await results(house, reply.data["job_reference"])
    assert [result["session_id"] for result in told] == ["s-2", "s-1"]
    assert (await read(house, "theirs", 2))["subscores"] == []


async def test_a_job_is_started_even_when_every_session_is_ignored(house: House) -> None:
    reply = await house.call(ENDPOINT, "get", {"session_id": ["nobody"]})
    await house.carry()

    assert reply.meta["records"] == 0
    assert await results(house, reply.data["job_reference"]) == []


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, 20000),
        ({"session_id": None}, 20000),
        ({"session_id": []}, 20001),
        ({"session_id": ["s-1"] * 101}, 20002),
        ({"session_id": 7}, 20003),
        ({"session_id": [7]}, 20003),
        ({"session_id": ["x" * 101]}, 20001),
        ({"session_id": ["s-1"], "organisation_id": 2}, 40003),
    ],
)
async def test_a_wrong_request_is_refused_and_starts_nothing(house: House, request_: Any, code: int) -> None:
    reply = await house.call(ENDPOINT, "get", request_)

    assert reply.code == code
    assert await house.unfinished() == 0


async def test_the_strings_of_java_are_a_list(house: House) -> None:
    await take(house, "s-1", "s-2")

    for text in ('["s-1", "s-2"]', "s-1,s-2"):
        reply = await house.call(ENDPOINT, "get", {"session_id": text})

        assert reply.meta["records"] == 2


async def test_a_retry_gets_the_first_answer_although_the_sessions_are_others_by_now(house: House) -> None:
    body = sign_form(house.home, {"session_id": ["s-1"]}, "get", now=datetime.now(UTC))
    first = await house.post(f"/v2025.1.LTS/{ENDPOINT}", body)
    await take(house, "s-1")

    again = await house.post(f"/v2025.1.LTS/{ENDPOINT}", body)

    assert again.data == first.data
    assert again.meta["records"] == 0
    assert again.meta["replayed"] is True


async def test_a_session_that_vanished_meanwhile_is_refused_alone(house: House) -> None:
    await take(house, "s-1", "s-2")
    reply = await house.call(ENDPOINT, "get", {"session_id": ["s-1", "s-2"]})
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("delete from session where session_id = 's-1'")

    await house.carry()

    told = await results(house, reply.data["job_reference"])
    assert [(result["status"], result.get("code")) for result in told] == [("error", 20016), ("ok", None)]
