"""`jobs` update: cancelling jobs and queueing them again."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobgate import wire
from jobgate.context import Batch, Run
from jobgate.registry import Task
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.stored_jobs import queue
from tests.stored_sessions import read, statuses, store

CANCELLED = {"code": "cancelled", "message": "The job was cancelled."}


async def update(house: House, references: list[str], status: str, **options: Any) -> Any:
    """The results of `jobs` update."""
    request = {"references": references, "status": status} | options.pop("request", {})
    return (await house.call("jobs", "update", request, **options)).data


async def record(house: House, reference: str) -> Any:
    """What is told about a job."""
    include = ["status", "error", "dt_completed", "results", "progress"]
    (found,) = (await house.call("jobs", "get", {"references": [reference], "include": include})).data
    return found


async def states(house: House, *references: str) -> list[str]:
    """The states of jobs, in order, whosever they are."""
    async with house.db.connection() as queries:
        rows = await queries.connection.fetch("select reference::text, state from job")
    return [dict(map(tuple, rows))[reference] for reference in references]


async def test_a_queued_job_is_cancelled_at_once_and_never_runs(house: House) -> None:
    await store(house, "s-1")
    entry = {"session_id": "s-1", "user_id": "u-1", "status": "Completed"}
    started = await house.call("jobs/sessions/statuses", "update", {"statuses": [entry]})
    reference = started.data["job_reference"]

    assert await update(house, [reference], "halted") == [{"reference": reference, "status": "ok", "state": "halted"}]

    await house.carry()
    told = await record(house, reference)
    assert (told["status"], told["error"], told["results"]) == ("halted", CANCELLED, None)
    assert told["dt_completed"] is not None
    assert await statuses(house, "s-1") == ["Incomplete"]


async def test_a_cancelled_job_that_is_queued_again_runs_as_if_nothing_had_been(house: House) -> None:
    await store(house, "s-1")
    entry = {"session_id": "s-1", "user_id": "u-1", "status": "Completed"}
    started = await house.call("jobs/sessions/statuses", "update", {"statuses": [entry]})
    reference = started.data["job_reference"]
    await update(house, [reference], "halted")

    assert await update(house, [reference], "queued") == [{"reference": reference, "status": "ok", "state": "queued"}]

    assert (await record(house, reference))["dt_completed"] is None
    await house.carry()
    told = await record(house, reference)
    assert (told["status"], told["error"]) == ("completed", None)
    assert (await read(house, "s-1"))["status"] == "Completed"


async def test_each_state_takes_being_told_in_its_own_way(house: House) -> None:
    async def told(status: str) -> list[Any]:
        references = [await queue(house, state=state) for state in ("queued", "running", "halted", "completed")]
        results = await update(house, references, status)
        assert [result["reference"] for result in results] == references
        return [(result["status"], result.get("code"), result.get("state")) for result in results]

    assert await told("halted") == [
        ("ok", None, "halted"),
        ("ok", None, "running"),
        ("ok", None, "halted"),
        ("error", 20011, "completed"),
    ]
    assert await told("queued") == [
        ("ok", None, "queued"),
        ("ok", None, "running"),
        ("ok", None, "queued"),
        ("error", 20011, "completed"),
    ]


async def test_a_job_that_is_being_cancelled_cannot_be_queued_yet(house: House) -> None:
    reference = await queue(house, state="running")
    await update(house, [reference], "halted")

    (result,) = await update(house, [reference], "queued")

    assert (result["status"], result["code"], result["state"]) == ("error", 20011, "running")
    assert result["message"] == "the job is being cancelled; queue it again once it is halted"


async def test_jobs_that_are_not_the_callers_cannot_be_told_from_none(house: House) -> None:
    mine = await queue(house, state="queued")
    theirs = await queue(house, state="queued", consumer_key=house.other.key)
    elsewhere = await queue(house, state="queued", consumer_key=house.stranger.key, organisation_id=2)
    nobodys = str(uuid.uuid4())
    asked = [theirs, mine, elsewhere, nobodys, "not even a reference", mine]

    results = await update(house, asked, "halted")

    unknown: dict[str, Any] = {"status": "error", "code": 20004, "message": "unknown job"}
    ok: dict[str, Any] = {"status": "ok", "state": "halted"}
    expected = [unknown, ok, unknown, unknown, unknown, ok]
    assert results == [{"reference": reference} | told for reference, told in zip(asked, expected, strict=True)]
    assert await states(house, mine, theirs, elsewhere) == ["halted", "queued", "queued"]


async def test_a_job_in_an_organisation_that_the_consumer_lost_cannot_be_steered(house: House) -> None:
    lost = await queue(house, state="halted", organisation_id=2)
    here = await queue(house, state="halted")

    assert [result["status"] for result in await update(house, [lost, here], "queued")] == ["error", "ok"]
    assert (
        await house.call("jobs", "update", {"references": [here], "status": "queued", "organisation_id": 2})
    ).code == 40003
    assert await states(house, lost) == ["halted"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"status": "halted"}, 20000),
        ({"references": ["x"]}, 20000),
        ({"references": [], "status": "halted"}, 20001),
        ({"references": ["x"] * 1001, "status": "halted"}, 20002),
        ({"references": [1], "status": "halted"}, 20003),
        ({"references": ["x"], "status": "completed"}, 20004),
        ({"references": ["x"], "status": "running"}, 20004),
        ({"references": ["x"], "status": ["halted"]}, 20003),
    ],
)
async def test_a_wrong_request_is_refused(shared_house: House, request_: Any, code: int) -> None:
    assert (await shared_house.call("jobs", "update", request_)).code == code


async def test_a_thousand_references_get_a_result_each(house: House) -> None:
    reference = await queue(house, state="queued")

    results = await update(house, [reference] * 1000, "Halted")

    assert results == [{"reference": reference, "status": "ok", "state": "halted"}] * 1000


async def test_every_call_leaves_an_audit_line(house: House) -> None:
    mine = await queue(house, state="queued")
    theirs = await queue(house, state="queued", consumer_key=house.other.key)

    await update(house, [mine, theirs], "halted")
    await update(house, [theirs], "queued")

    async with house.db.connection() as queries:
        rows = await queries.connection.fetch(
            "select organisation_id, actor, act, object, detail from audit order by id"
        )
    assert [(row["organisation_id"], row["actor"], row["act"], row["object"]) for row in rows] == [
        (1, house.home.key, "jobs.halted", "jobs"),
        (1, house.home.key, "jobs.queued", "jobs"),
    ]
    details: list[Any] = [wire.decode(row["detail"], Any) for row in rows]
    assert details == [{"asked": 2, "found": 1, "changed": [mine]}, {"asked": 1, "found": 0, "changed": []}]


async def test_opposite_calls_over_the_same_jobs_do_not_get_into_each_others_way(house: House) -> None:
    references = [await queue(house, state="queued") for _ in range(40)]

    replies = await asyncio.gather(
        *[
            house.call(
                "jobs",
                "update",
                {"references": references[:: 1 if number % 2 else -1], "status": ("halted", "queued")[number % 2]},
            )
            for number in range(8)
        ]
    )

    assert {reply.status for reply in replies} == {200}
    assert set(await states(house, *references)) <= {"halted", "queued"}


class Nothing(msgspec.Struct):
    """No parameters."""


async def test_a_running_job_ends_when_its_worker_next_looks(make_house: MakeHouse) -> None:
    started = asyncio.Event()

    async def wait(batch: Batch[Nothing]) -> None:
        started.set()
        await asyncio.Event().wait()

    task = Task("toy", "set", wait, Nothing, 10, "A toy.", Path("toy.py"))
    async with make_house(tasks={"toy": task}, lease_s=0.6) as house:
        reference = await queue(house, state="queued", params={})
        carrying = asyncio.create_task(house.carry())
        await asyncio.wait_for(started.wait(), 5)

        (result,) = await update(house, [reference], "halted")
        await asyncio.wait_for(carrying, 10)

        assert result == {"reference": reference, "status": "ok", "state": "running"}
        assert (await record(house, reference))["error"] == CANCELLED


async def test_a_halted_long_job_goes_on_where_it_was(make_house: MakeHouse) -> None:
    steps: list[int] = []
    at_two = asyncio.Event()

    async def step(run: Run[Nothing]) -> None:
        for number in range(run.cursor or 0, 4):
            async with run.chunk() as chunk:
                steps.append(number)
                chunk.save(number + 1, done=number + 1, total=4)
            if number == 1 and run.facts.attempt == 1:
                at_two.set()
                await asyncio.Event().wait()
        async with run.chunk() as chunk:
            chunk.finish([])

    task = Task("toy", "long", step, Nothing, 10, "A toy.", Path("toy.py"))
    async with make_house(tasks={"toy": task}, lease_s=0.6) as house:
        reference = await queue(house, state="queued", params={})
        carrying = asyncio.create_task(house.carry())
        await asyncio.wait_for(at_two.wait(), 5)
        await update(house, [reference], "halted")
        await asyncio.wait_for(carrying, 10)
        assert (await record(house, reference))["progress"] == {"done": 2, "total": 4}

        await update(house, [reference], "queued")
        await house.carry()

        assert steps == [0, 1, 2, 3]
        assert (await record(house, reference))["status"] == "completed"
