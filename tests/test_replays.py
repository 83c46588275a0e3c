"""Equal signed bytes: a retry gets the first answer, whatever became of things; a repeat is judged anew."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from jobgate.client import sign_form
from jobgate.testing import House, Reply
from tests.conftest import MakeHouse
from tests.datasets.samples import TYPE, add_attempt, line, upload

STATUSES = "jobs/sessions/statuses"
COMPILE = "jobs/reports/datasets"


def packet(house: House, request: Any, action: str, endpoint: str) -> tuple[str, bytes]:
    """Something that can be sent twice."""
    return f"/v2025.1.LTS/{endpoint}", sign_form(house.home, request, action, now=datetime.now(UTC))


def status_packet(house: House, session_id: str) -> tuple[str, bytes]:
    entry = {"session_id": session_id, "user_id": "u", "status": "Completed"}
    return packet(house, {"statuses": [entry]}, "update", STATUSES)


async def compile_packet(house: House) -> tuple[str, bytes]:
    """A packet that compiles a dataset which is ready."""
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann"))
    return packet(house, {"dataset_type": TYPE, "dataset_id": dataset_id}, "set", COMPILE)


async def expect_files(house: House, count: int) -> None:
    """With one file uploaded and two expected nothing can be compiled: every such packet is refused with 50000."""
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update dataset set file_count = $1", count)


def is_replayed(reply: Reply) -> bool:
    assert reply.meta["status"] is True, reply.body
    return reply.meta.get("replayed", False) is True


async def test_a_retry_gets_the_first_answer_and_no_second_job(house: House) -> None:
    sent = status_packet(house, "a")

    first, second = [await house.post(*sent) for _ in range(2)]

    assert [is_replayed(first), is_replayed(second)] == [False, True]
    assert first.data == second.data
    assert await house.unfinished() == 1


async def test_equals_in_parallel_wait_for_the_first(house: House) -> None:
    sent = status_packet(house, "a")

    replies = await asyncio.gather(*(house.post(*sent) for _ in range(40)))

    assert {reply.data["job_reference"] for reply in replies} == {replies[0].data["job_reference"]}
    assert sum(not is_replayed(reply) for reply in replies) == 1
    assert await house.unfinished() == 1


async def test_a_retry_gets_the_first_answer_although_the_call_would_now_be_refused(house: House) -> None:
    sent = await compile_packet(house)
    first = await house.post(*sent)
    await expect_files(house, 2)

    again = await house.post(*sent)

    assert is_replayed(again)
    assert again.data == first.data


async def test_a_repeat_that_would_now_be_refused_is_refused(house: House) -> None:
    sent = await compile_packet(house)
    assert not is_replayed(await house.post(*sent))
    assert not is_replayed(await house.post(*status_packet(house, "a")))
    await expect_files(house, 2)

    again = await house.post(*sent)

    assert (again.status, again.code) == (400, 50000)


async def test_a_repeat_is_a_new_job_and_its_own_retry_gets_its_own_answer(house: House) -> None:
    ours, between = status_packet(house, "a"), status_packet(house, "b")

    first, _, second, third = [await house.post(*sent) for sent in (ours, between, ours, ours)]

    assert [is_replayed(reply) for reply in (first, second, third)] == [False, False, True]
    assert first.data != second.data == third.data
    assert await house.unfinished() == 3


async def test_reads_and_packets_of_other_consumers_do_not_come_between(house: House) -> None:
    sent = status_packet(house, "a")
    first = await house.post(*sent)
    await house.call("jobs", "get")
    entry = {"session_id": "a", "user_id": "u", "status": "Completed"}
    await house.call(STATUSES, "update", {"statuses": [entry]}, as_=house.other)

    again = await house.post(*sent)

    assert is_replayed(again)
    assert again.data == first.data


async def test_a_refused_packet_is_not_remembered(house: House) -> None:
    sent = await compile_packet(house)
    await expect_files(house, 2)
    refused = await house.post(*sent)
    await expect_files(house, 1)

    assert refused.code == 50000
    assert not is_replayed(await house.post(*sent))


async def test_where_repeats_are_refused_a_retry_still_gets_its_answer(make_house: MakeHouse) -> None:
    async with make_house(replay="refuse") as house:
        ours, between = status_packet(house, "a"), status_packet(house, "b")

        first, second, _, repeat = [await house.post(*sent) for sent in (ours, ours, between, ours)]

        assert is_replayed(second)
        assert second.data == first.data
        assert (repeat.status, repeat.code) == (409, 20011)
        assert "add any distinguishing key" in repeat.meta["message"]
        assert await house.unfinished() == 2


async def test_equal_bytes_for_another_endpoint_are_another_packet(house: House) -> None:
    request = {"statuses": [{"session_id": "a", "user_id": "u", "status": "Completed"}], "session_metadata": []}
    path, body = packet(house, request, "update", STATUSES)
    assert not is_replayed(await house.post(path, body))

    elsewhere = await house.post("/v2025.1.LTS/jobs/sessions/metadata", body)

    assert elsewhere.code == 20004


async def test_a_read_is_answered_anew_each_time(house: House) -> None:
    path, body = packet(house, {"status": ["queued"]}, "get", "jobs")
    before = await house.post(path, body)
    await house.post(*status_packet(house, "a"))

    after = await house.post(path, body)

    assert (len(before.data), len(after.data)) == (0, 1)
    assert not is_replayed(after)
