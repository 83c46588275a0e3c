"""`jobs/sessions/metadata` set: the job that it starts, and what it refuses to start."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.client import sign_form
from jobgate.testing import House
from tests.stored_sessions import read, results, store

ENDPOINT = "jobs/sessions/metadata"


def entry(session_id: str = "s-1", user_id: str = "u-1", metadata: Any = None) -> dict[str, Any]:
    """One entry of a batch."""
    return {"session_id": session_id, "user_id": user_id, "metadata": {"n": 1} if metadata is None else metadata}


async def replace(house: House, *entries: Any, **options: Any) -> str:
    """Start a job and carry it; its reference."""
    reply = await house.call(ENDPOINT, "set", {"session_metadata": list(entries)}, **options)
    reference = reply.data["job_reference"]
    assert isinstance(reference, str)
    await house.carry()
    return reference


async def test_metadata_is_replaced_as_a_whole(house: House) -> None:
    await store(house, "s-1", metadata={"old": True, "both": 1})
    tags = [{"type": "assignment_type", "name": "homework"}]

    reference = await replace(house, entry(metadata={"both": 2, "session_tags": tags}))

    assert (await read(house, "s-1"))["metadata"] == {"both": 2, "session_tags": tags}
    assert await results(house, reference) == [{"session_id": "s-1", "user_id": "u-1", "status": "ok"}]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"ü": "\U0001f600 \u2028 <b>", "slash": "a/b\\c"},
        {"numbers": [0, -1, 2**53, -(2**53), 0.1, 1e-7, 1.5e300]},
        {"deep": {"er": [{"and": [None, True, False, "", [], {}]}]}},
        {"session_tags": "anything goes"},
        {"%s": "'; --", "$1": "{0}"},
    ],
)
async def test_open_json_comes_back_unchanged(house: House, metadata: Any) -> None:
    await store(house, "s-1", metadata={"old": True})

    await replace(house, entry(metadata=metadata))

    assert (await read(house, "s-1"))["metadata"] == metadata


async def test_the_empty_array_of_php_is_an_empty_map(house: House) -> None:
    await store(house, "s-1", metadata={"old": True})

    await replace(house, {"session_id": "s-1", "user_id": "u-1", "metadata": []})

    assert (await read(house, "s-1"))["metadata"] == {}


async def test_the_job_shows_what_it_was_asked_to_do(house: House) -> None:
    await store(house, "s-1")

    reference = await replace(house, entry(), entry("nobody"), entry(user_id="impostor"))

    reply = await house.call("jobs", "get", {"references": [reference], "include": ["type", "data"]})
    (record,) = reply.data
    assert record["type"] == "sessionmetadataupdate"
    assert record["data"]["request"] == {"session_metadata": [entry(), entry("nobody"), entry(user_id="impostor")]}
    assert record["data"]["counters"] == {"updated": 1, "refused": 2, "superseded": 0}


REFUSED: list[tuple[Any, int]] = [
    ({}, 20000),
    ({"session_metadata": []}, 20001),
    ({"session_metadata": [entry()] * 101}, 20002),
    ({"session_metadata": "x"}, 20003),
    ({"session_metadata": [7]}, 20003),
    ({"session_metadata": [{"session_id": "s-1", "user_id": "u-1"}]}, 20000),
    ({"session_metadata": [{"session_id": "s-1", "metadata": {}}]}, 20000),
    ({"session_metadata": [{"user_id": "u-1", "metadata": {}}]}, 20000),
    ({"session_metadata": [entry() | {"metadata": None}]}, 20000),
    ({"session_metadata": [entry() | {"metadata": "text"}]}, 20003),
    ({"session_metadata": [entry() | {"metadata": [1]}]}, 20003),
    ({"session_metadata": [entry() | {"user_id": "u" * 51}]}, 20001),
    ({"session_metadata": [entry() | {"session_id": False}]}, 20003),
    ({"session_metadata": [entry()], "organisation_id": 2}, 40003),
]


@pytest.mark.parametrize(("request_", "code"), REFUSED)
async def test_a_wrong_request_is_refused_and_starts_nothing(house: House, request_: Any, code: int) -> None:
    reply = await house.call(ENDPOINT, "set", request_)

    assert reply.code == code
    assert await house.unfinished() == 0


async def test_of_contradictory_entries_the_last_wins(house: House) -> None:
    await store(house, "s-1")

    reference = await replace(house, *[entry(metadata={"n": number}) for number in range(100)])

    assert (await read(house, "s-1"))["metadata"] == {"n": 99}
    assert [result["status"] for result in await results(house, reference)] == ["ok"] * 100


async def test_another_organisations_session_is_as_good_as_none(house: House) -> None:
    await store(house, "theirs", organisation_id=2, metadata={"theirs": True})

    (told,) = await results(house, await replace(house, entry("theirs")))

    assert (told["status"], told["code"]) == ("error", 20016)
    assert (await read(house, "theirs", organisation_id=2))["metadata"] == {"theirs": True}


async def test_equal_bytes_again_get_the_first_answer(house: House) -> None:
    body = sign_form(house.home, {"session_metadata": [entry()]}, "set", now=datetime.now(UTC))
    first = await house.post(f"/v2025.1.LTS/{ENDPOINT}", body)

    again = await house.post(f"/v2025.1.LTS/{ENDPOINT}", body)

    assert again.data == first.data
    assert again.meta["replayed"] is True
    assert await house.unfinished() == 1
