"""`jobs/sessions/statuses` update: the job that it starts, and what it refuses to start."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.client import sign_form
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.stored_sessions import read, results, statuses, store

ENDPOINT = "jobs/sessions/statuses"


def entry(session_id: str = "s-1", user_id: str = "u-1", status: str = "Completed") -> dict[str, str]:
    """One entry of a batch."""
    return {"session_id": session_id, "user_id": user_id, "status": status}


async def update(house: House, *entries: Any, **options: Any) -> str:
    """Start a job and carry it; its reference."""
    reply = await house.call(ENDPOINT, "update", {"statuses": list(entries)}, **options)
    reference = reply.data["job_reference"]
    assert isinstance(reference, str)
    await house.carry()
    return reference


async def test_the_answer_is_the_reference_of_a_job_that_updates_the_sessions(house: House) -> None:
    await store(house, "s-1")
    await store(house, "s-2", user_id="u-2", status="Completed")

    reply = await house.call(ENDPOINT, "update", {"statuses": [entry(), entry("s-2", "u-2", "Incomplete")]})
    assert list(reply.data) == ["job_reference"]
    assert "records" not in reply.meta
    await house.carry()

    assert await statuses(house, "s-1", "s-2") == ["Completed", "Incomplete"]
    first, second = await results(house, reply.data["job_reference"])
    assert [link["type"] for link in first.pop("follow_ups")] == ["sessionrescore"]
    assert [first, second] == [
        {"session_id": "s-1", "user_id": "u-1", "status": "ok"},
        {"session_id": "s-2", "user_id": "u-2", "status": "ok"},
    ]


async def test_the_job_has_its_type_its_request_and_one_summary(house: House) -> None:
    await store(house, "s-1")

    reference = await update(house, entry(), entry("nobody"))

    reply = await house.call("jobs", "get", {"references": [reference], "include": ["type", "data", "progress"]})
    (record,) = reply.data
    assert record["type"] == "sessionstatusupdate"
    assert record["data"]["request"] == {"statuses": [entry(), entry("nobody")]}
    assert record["data"]["counters"] == {"updated": 1, "refused": 1, "superseded": 0}
    (logged,) = record["data"]["log"]
    assert logged["message"] == "Sessions: 1 updated, 1 refused, 0 superseded by newer jobs"
    assert logged["severity"] == 1
    assert logged["counters"] == {"updated": 1, "refused": 1, "superseded": 0}
    assert record["progress"] == {"done": 2, "total": 2}


@pytest.mark.parametrize("status", ["Completed", "completed", "COMPLETED"])
async def test_a_status_may_come_in_any_case_and_is_stored_as_documented(house: House, status: str) -> None:
    await store(house, "s-1")

    await update(house, entry(status=status))

    assert await statuses(house, "s-1") == ["Completed"]


async def test_every_status_is_accepted_and_every_transition_allowed(house: House) -> None:
    await store(house, "s-1", status="Discarded")

    for status in ("Incomplete", "Discarded", "Completed", "Incomplete"):
        await update(house, entry(status=status))

        assert await statuses(house, "s-1") == [status]


async def test_an_unknown_session_and_a_wrong_user_are_refused_alone(house: House) -> None:
    await store(house, "s-1")
    await store(house, "s-2", user_id="somebody")

    reference = await update(house, entry("nobody"), entry("s-2"), entry("s-1"))

    told = await results(house, reference)
    assert [(result["status"], result.get("code")) for result in told] == [
        ("error", 20016),
        ("error", 20004),
        ("ok", None),
    ]
    assert told[0]["message"] == "the session is not known"
    assert told[1]["message"] == "`user_id` is not the one that the session was taken with"
    assert await statuses(house, "s-1", "s-2") == ["Completed", "Incomplete"]


async def test_a_user_id_is_compared_exactly(house: House) -> None:
    await store(house, "s-1", user_id="U-1")

    told = await results(house, await update(house, entry(user_id="u-1"), entry(user_id="U-1 ")))

    assert [result["status"] for result in told] == ["error", "error"]


REFUSED: list[tuple[Any, int]] = [
    ({}, 20000),
    ({"statuses": None}, 20000),
    ({"statuses": []}, 20001),
    ({"statuses": [entry()] * 101}, 20002),
    ({"statuses": 7}, 20003),
    ({"statuses": ["s-1"]}, 20003),
    ({"statuses": [{"user_id": "u-1", "status": "Completed"}]}, 20000),
    ({"statuses": [{"session_id": "s-1", "status": "Completed"}]}, 20000),
    ({"statuses": [{"session_id": "s-1", "user_id": "u-1"}]}, 20000),
    ({"statuses": [entry() | {"session_id": None}]}, 20000),
    ({"statuses": [entry() | {"session_id": 7}]}, 20003),
    ({"statuses": [entry() | {"session_id": ""}]}, 20001),
    ({"statuses": [entry() | {"session_id": "x" * 101}]}, 20001),
    ({"statuses": [entry() | {"user_id": ["u-1"]}]}, 20003),
    ({"statuses": [entry() | {"user_id": "u" * 51}]}, 20001),
    ({"statuses": [entry() | {"status": "Pending Scoring"}]}, 20004),
    ({"statuses": [entry() | {"status": ""}]}, 20004),
    ({"statuses": [entry() | {"status": 1}]}, 20003),
    ({"statuses": [entry()], "organisation_id": 2}, 40003),
]


@pytest.mark.parametrize(("request_", "code"), REFUSED)
async def test_a_wrong_request_is_refused_and_starts_nothing(house: House, request_: Any, code: int) -> None:
    reply = await house.call(ENDPOINT, "update", request_)

    assert reply.code == code
    assert await house.unfinished() == 0


async def test_the_limits_themselves_are_accepted(house: House) -> None:
    long = entry("s" * 100, "u" * 50)
    await store(house, long["session_id"], user_id=long["user_id"])

    told = await results(house, await update(house, *[long] * 100))

    assert [result["status"] for result in told] == ["ok"] * 100


async def test_contradictory_entries_get_a_result_each_and_the_last_wins(house: House) -> None:
    await store(house, "s-1")
    await store(house, "s-2")
    words = ["Completed", "Incomplete", "Discarded"] * 16

    reference = await update(
        house,
        *[entry("s-1", status=word) for word in words],
        *[entry("s-2", status=word) for word in reversed(words)],
        entry("s-1", "impostor", "Incomplete"),
    )

    told = await results(house, reference)
    assert [result["status"] for result in told] == ["ok"] * 96 + ["error"]
    assert await statuses(house, "s-1", "s-2") == ["Discarded", "Completed"]


async def test_another_organisations_session_is_as_good_as_none(house: House) -> None:
    await store(house, "s-1")
    await store(house, "theirs", organisation_id=2)
    await store(house, "s-both")
    await store(house, "s-both", organisation_id=2)

    reference = await update(house, entry("theirs"), entry("s-1"), entry("s-both"))

    told = await results(house, reference)
    assert [(result["status"], result.get("code")) for result in told] == [("error", 20016), ("ok", None), ("ok", None)]
    assert await statuses(house, "theirs", "s-both", organisation_id=2) == ["Incomplete", "Incomplete"]
    assert await statuses(house, "s-1", "s-both") == ["Completed", "Completed"]


async def test_jobs_of_two_organisations_in_one_claim_stay_apart(house: House) -> None:
    for organisation_id in (1, 2):
        await store(house, "s-1", organisation_id=organisation_id)
    mine = await house.call(ENDPOINT, "update", {"statuses": [entry()]})
    theirs = await house.call(ENDPOINT, "update", {"statuses": [entry(status="Discarded")]}, as_=house.stranger)
    await house.carry()

    assert await statuses(house, "s-1") == ["Completed"]
    assert await statuses(house, "s-1", organisation_id=2) == ["Discarded"]
    assert len(await results(house, mine.data["job_reference"])) == 1
    assert len(await results(house, theirs.data["job_reference"], as_=house.stranger)) == 1


async def test_equal_bytes_in_parallel_start_one_job_and_get_one_answer(house: House) -> None:
    await store(house, "s-1")
    body = sign_form(house.home, {"statuses": [entry()]}, "update", now=datetime.now(UTC))

    replies = await asyncio.gather(*[house.post(f"/v2025.1.LTS/{ENDPOINT}", body) for _ in range(30)])

    assert len({reply.data["job_reference"] for reply in replies}) == 1
    assert sum(reply.meta.get("replayed", False) for reply in replies) == 29
    assert await house.unfinished() == 1


async def test_equal_bytes_with_another_write_in_between_are_a_new_job(house: House) -> None:
    path = f"/v2025.1.LTS/{ENDPOINT}"
    body = sign_form(house.home, {"statuses": [entry()]}, "update", now=datetime.now(UTC))
    first = await house.post(path, body)
    between = await house.call(ENDPOINT, "update", {"statuses": [entry("s-2")]})

    again = await house.post(path, body)

    assert len({reply.data["job_reference"] for reply in (first, between, again)}) == 3
    assert "replayed" not in again.meta


async def test_equal_bytes_with_another_write_in_between_conflict_where_repeats_are_refused(
    make_house: MakeHouse,
) -> None:
    async with make_house(replay="refuse") as house:
        path = f"/v2025.1.LTS/{ENDPOINT}"
        body = sign_form(house.home, {"statuses": [entry()]}, "update", now=datetime.now(UTC))
        await house.post(path, body)
        await house.call(ENDPOINT, "update", {"statuses": [entry("s-2")]})

        again = await house.post(path, body)

        assert (again.status, again.code) == (409, 20011)
        assert await house.unfinished() == 2


async def test_text_that_looks_like_a_command_is_only_text(house: House) -> None:
    nasty = "'; drop table session; -- %s {0} \\ \u202e"
    await store(house, nasty, user_id=nasty)

    told = await results(house, await update(house, entry(nasty, nasty)))

    assert told[0]["session_id"] == nasty
    assert (await read(house, nasty))["status"] == "Completed"
