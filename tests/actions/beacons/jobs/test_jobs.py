"""Jobs: made by the source's parameters and flags, parked behind equal ones, listed by every filter, cancelled."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.client import sign_form
from jobgate.testing import House
from tests.beacons.boxes import held, make_job, pick_up, read


async def test_a_job_has_the_properties_of_the_source(house: House) -> None:
    job = await make_job(house, "label", user_id=7, beacon_name="north", q=False)

    assert job == {
        "id": job["id"],
        "status": "created",
        "name": "label",
        "user": "7",
        "beacon_name": "north",
        "tags": [],
        "cur_task": 0,
        "total_tasks": 2,
        "add_time": job["add_time"],
        "q_time": None,
        "pickup_time": None,
        "start_time": None,
        "end_time": None,
        "result": None,
        "error": None,
        "duplicate_of": None,
        "cancel": False,
        "attempt": 0,
        "lease_until": None,
        "log_length": 0,
        "scheduled_id": None,
        "due_at": None,
    }
    assert await read(house, job_id=job["id"]) == [job]


async def test_tasks_are_given_as_json_text_or_an_array_and_come_back_as_they_were(house: House) -> None:
    tasks = [{"b": 1, "a": [None, "é", 1.5]}, {}]

    for given in (tasks, json.dumps(tasks)):
        job = await make_job(house, tasks=given)
        assert (await house.call("beacons/jobs/tasks", "get", {"job_id": job["id"]})).data == tasks
    assert (await make_job(house, tasks=[]))["total_tasks"] == 0


@pytest.mark.parametrize(
    ("flag", "queued"),
    [("true", True), ("1", True), (True, True), (1, True), ("yes", False), ("TRUE", False), ("0", False), (2, False)],
    ids=repr,
)
async def test_q_is_on_for_true_and_1_and_off_for_anything_else(house: House, flag: Any, queued: bool) -> None:
    job = await make_job(house, q=flag)

    assert job["status"] == ("eligible" if queued else "created")


async def test_a_q_time_queues_for_later(house: House) -> None:
    later = await make_job(house, q=False, q_time="2999-01-01T00:00:00Z")
    earlier = await make_job(house, q=False, q_time="1571702400")

    assert (later["status"], later["q_time"]) == ("waiting", "2999-01-01T00:00:00Z")
    assert (earlier["status"], earlier["q_time"]) == ("eligible", "2019-10-22T00:00:00Z")


async def test_the_owner_is_the_id_then_the_guid_then_the_packets_user_then_the_consumer(house: House) -> None:
    guid = await make_job(house, user_guid="guid")
    both = await make_job(house, user_guid="guid", user_id="id")
    none = await make_job(house)
    body = sign_form(house.home, {"name": "signed"}, "set", now=datetime.now(UTC), user_id="packet")
    signed = await house.post("/v2025.1.LTS/beacons/jobs", body)

    owners = [guid["user"], both["user"], signed.data["user"], none["user"]]
    assert owners == ["guid", "id", "packet", house.home.key]


async def test_a_retried_creation_makes_no_second_job(house: House) -> None:
    first = await house.call("beacons/jobs", "set", {"name": "once"}, distinct=False)
    again = await house.call("beacons/jobs", "set", {"name": "once"}, distinct=False)

    assert again.meta["replayed"] is True
    assert first.data == again.data
    assert len(await read(house)) == 1


@pytest.mark.parametrize(
    "request_",
    [{}, {"name": ""}, {"name": "a", "tasks": [1]}, {"name": "a", "tasks": "{"}, {"name": "a", "q_time": "soon"}],
    ids=repr,
)
async def test_an_odd_job_is_refused(house: House, request_: Any) -> None:
    assert (await house.call("beacons/jobs", "set", request_)).status == 400


async def test_tasks_that_no_answer_could_hold_are_refused(house: House) -> None:
    tasks = [{"text": "x" * 700_000} for _ in range(3)]

    reply = await house.call("beacons/jobs", "set", {"name": "large", "tasks": tasks})

    assert (reply.status, reply.code) == (400, 20002)


# -- the list --------------------------------------------------------------------------------------------------------


async def test_jobs_are_listed_newest_first_in_pages(house: House) -> None:
    ids = [(await make_job(house, f"job {number}"))["id"] for number in range(5)]

    first = await house.call("beacons/jobs", "get", {"limit": 3})
    second = await house.call("beacons/jobs", "get", {"limit": 3, "next": first.meta["next"]})

    assert [job["id"] for job in first.data + second.data] == ids[::-1]
    assert "next" not in second.meta


async def test_every_documented_filter_narrows_the_list(house: House) -> None:
    await make_job(house, "other", beacon_name="south", user_id="bob", q=False, tasks=[])
    job = await make_job(house, "mine", user_id="ann", q_time=1571702400)
    twin = await make_job(house, "mine", user_id="ann", q_time=1571702401)
    claim = await pick_up(house)
    await house.call("beacons/jobs/starts", "set", held(claim))
    await house.call("beacons/jobs", "update", held(claim, curtask=2))
    ended = (await house.call("beacons/jobs/ends", "set", held(claim, result=[{"a": 1}, {"b": 2}]))).data
    assert twin["duplicate_of"] == job["id"]
    filters = {
        "beacon_name": "default",
        "user": "ann",
        "name": "mine",
        "cur_task": "2",
        "total_tasks": 2,
        "add_time": job["add_time"],
        "q_time": 1571702400,
        "pickup_time": ended["pickup_time"],
        "start_time": ended["start_time"],
        "result": [{"a": 1}, {"b": 2}],
        "duplicate_of": None,
    }

    for name in ("cur_task", "q_time", "pickup_time", "start_time"):
        assert [each["id"] for each in await read(house, **{name: filters[name]})] == [job["id"]], name
    assert [each["id"] for each in await read(house, **filters)] == [job["id"]]
    assert [each["id"] for each in await read(house, duplicate_of=job["id"])] == [twin["id"]]
    assert [each["name"] for each in await read(house, beacon_name="south")] == ["other"]
    assert await read(house, **filters | {"user": "bob"}) == []


async def test_null_matches_what_is_not_set(house: House) -> None:
    created = await make_job(house, "created", q=False)
    queued = await make_job(house, "queued")
    claim = await pick_up(house)

    assert [each["id"] for each in await read(house, q_time=None)] == [created["id"]]
    assert [each["id"] for each in await read(house, pickup_time=None)] == [created["id"]]
    assert [each["id"] for each in await read(house, pickup_time=claim["job"]["pickup_time"])] == [queued["id"]]
    assert [each["id"] for each in await read(house, start_time=None, result=None, duplicate_of=None)] == [
        queued["id"],
        created["id"],
    ]


async def test_jobs_are_filtered_by_their_state(house: House) -> None:
    await make_job(house, "queued")
    await make_job(house, "created", q=False)

    assert [each["name"] for each in await read(house, status=["created", "halted"])] == ["created"]


# -- duplicates ------------------------------------------------------------------------------------------------------


async def test_an_equal_job_is_parked_and_ends_with_the_first(house: House) -> None:
    first = await make_job(house, tasks=[{"a": 1, "b": 2}], tags=["x", "y"])
    second = await make_job(house, tasks=[{"b": 2, "a": 1}], tags=["y", "x"])

    claim = await pick_up(house, tags=["x", "y"])
    assert (second["status"], second["duplicate_of"]) == ("parked", first["id"])
    assert claim["job"]["id"] == first["id"]
    assert await pick_up(house, tags=["x", "y"]) == []
    assert (await house.call("beacons/jobs/pickups", "set", {"job_id": second["id"]})).status == 409
    await house.call("beacons/jobs/ends", "set", held(claim, result=[{"c": 3}]))

    (twin,) = await read(house, job_id=second["id"])
    assert (twin["status"], twin["result"], twin["pickup_time"]) == ("completed", [{"c": 3}], None)
    assert twin["end_time"] is not None


@pytest.mark.parametrize(
    "difference",
    [{"name": "b"}, {"beacon_name": "b"}, {"user_id": "b"}, {"tasks": [{}]}, {"tags": ["b"]}, {"q_time": 1000}],
    ids=repr,
)
async def test_a_job_that_differs_or_is_due_earlier_stands_alone(house: House, difference: dict[str, Any]) -> None:
    await make_job(house, "a", user_id="a", q_time=2000)

    job = await make_job(house, **(dict[str, Any](name="a", user_id="a", q_time=2000) | difference))

    assert job["duplicate_of"] is None


async def test_a_job_that_equals_one_in_work_or_one_that_is_not_queued_stands_alone(house: House) -> None:
    await make_job(house, q=False)
    await make_job(house)
    await pick_up(house)

    assert (await make_job(house))["duplicate_of"] is None
    assert (await make_job(house, q=False))["duplicate_of"] is None


async def test_a_failure_is_shared_and_a_cancellation_is_not(house: House) -> None:
    first, second, third = [await make_job(house) for _ in range(3)]

    await house.call("beacons/jobs", "update", {"job_id": first["id"], "cancel": True})
    states = {each["id"]: (each["status"], each["duplicate_of"]) for each in await read(house)}
    claim = await pick_up(house)
    await house.call("beacons/jobs/ends", "set", held(claim, failure={"message": "broken"}))
    ended = {each["id"]: each["error"] for each in await read(house)}

    assert states == {
        first["id"]: ("halted", None),
        second["id"]: ("eligible", None),
        third["id"]: ("parked", second["id"]),
    }
    assert ended[first["id"]]["code"] == "cancelled"
    assert ended[second["id"]] == ended[third["id"]] == {"code": "failed", "message": "broken", "kind": None}


# -- cancelling ------------------------------------------------------------------------------------------------------


async def test_a_waiting_job_is_cancelled_at_once_and_a_held_one_is_marked(house: House) -> None:
    waiting, taken = await make_job(house, "waiting", q_time="2999-01-01"), await make_job(house, "taken")
    claim = await pick_up(house)

    for id in (waiting["id"], taken["id"], claim["job"]["id"]):
        await house.call("beacons/jobs", "update", {"job_id": id, "cancel": True})

    assert (await read(house, job_id=waiting["id"]))[0]["status"] == "halted"
    assert (await read(house, job_id=taken["id"]))[0]["status"] == "picked_up"
    renewed = (await house.call("beacons/jobs", "update", held(claim))).data
    assert renewed["cancel"] is True
    released = (await house.call("beacons/jobs/ends", "set", held(claim, released=True))).data
    assert (released["status"], released["error"]["code"]) == ("halted", "cancelled")


async def test_a_result_that_comes_first_wins_over_a_cancellation(house: House) -> None:
    await make_job(house)
    claim = await pick_up(house)
    await house.call("beacons/jobs", "update", {"job_id": claim["job"]["id"], "cancel": True})

    ended = (await house.call("beacons/jobs/ends", "set", held(claim, result=[{}, {}]))).data

    assert ended["status"] == "completed"


async def test_what_is_not_known_is_told(house: House) -> None:
    nobody = {"job_id": str(uuid.UUID(int=5))}
    for endpoint, action, more in (
        ("beacons/jobs", "update", {}),
        ("beacons/jobs", "update", {"cancel": True}),
        ("beacons/jobs", "update", {"schedule_active": "0"}),
        ("beacons/jobs/tasks", "get", {}),
        ("beacons/jobs/logs", "get", {}),
        ("beacons/jobs/starts", "set", {"claim_token": "1.ab"}),
        ("beacons/jobs/ends", "set", {"claim_token": "1.ab"}),
    ):
        reply = await house.call(endpoint, action, nobody | more)
        assert (reply.status, reply.code, reply.meta["message"]) == (400, 20004, "the job is not known")
