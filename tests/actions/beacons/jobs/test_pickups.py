"""Picking up: one wins, in order, by name and tags, at once or after a wait."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from jobgate.testing import House
from tests.beacons.boxes import held, make_job, pick_up, read


async def test_a_beacon_gets_the_job_its_tasks_a_token_and_a_lease(house: House) -> None:
    job = await make_job(house)

    claim = await pick_up(house, beacon_name="default")

    assert claim["tasks"] == [{"step": 1}, {"step": 2}]
    assert claim["held"] == []
    fence, secret = claim["claim_token"].split(".")
    assert (fence, len(secret)) == ("1", 32)
    assert (claim["lease_until"], claim["lease_s"]) == (claim["job"]["lease_until"], house.settings.beacon_lease_s)
    assert claim["job"] == job | {
        "status": "picked_up",
        "pickup_time": claim["job"]["pickup_time"],
        "attempt": 1,
        "lease_until": claim["lease_until"],
    }


async def test_nothing_eligible_is_an_empty_array(house: House) -> None:
    await make_job(house, q=False)
    await make_job(house, q_time="2999-01-01")
    await make_job(house, beacon_name="other")

    assert await pick_up(house) == []


async def test_the_job_that_has_waited_longest_comes_first(house: House) -> None:
    late = await make_job(house, "late", q_time=2000)
    early = await make_job(house, "early", q_time=1000)

    assert [(await pick_up(house))["job"]["id"] for _ in range(2)] == [early["id"], late["id"]]


async def test_of_many_beacons_that_race_for_a_job_one_wins(make_house: Any) -> None:
    async with make_house(beacon_lease_s=1000) as house:
        jobs = [await make_job(house, f"job {number}") for number in range(100)]

        won: list[str] = []
        for _ in range(100):
            claims = await asyncio.gather(*(pick_up(house) for _ in range(2)))
            won += [claim["job"]["id"] for claim in claims if claim]

        assert sorted(won) == sorted(job["id"] for job in jobs)


async def test_a_named_job_is_picked_up_once_queued_or_not(house: House) -> None:
    job = await make_job(house, q=False)

    claim = await pick_up(house, job_id=job["id"])
    again = await house.call("beacons/jobs/pickups", "set", {"job_id": job["id"]})

    assert claim["job"]["id"] == job["id"]
    assert (again.status, again.code, again.meta["message"]) == (409, 20011, "the job is held by another beacon")


async def test_a_named_job_that_cannot_be_had_is_refused(house: House) -> None:
    early = await make_job(house, q_time="2999-01-01")
    tagged = await make_job(house, "tagged", tags=["gpu"])
    refusals = [
        ({"job_id": early["id"]}, (409, "the job is not eligible yet")),
        ({"job_id": tagged["id"]}, (409, "the job needs tags that the beacon does not have")),
        ({"job_id": tagged["id"], "beacon_name": "other"}, (409, "the job is for another beacon")),
        ({"job_id": str(uuid.UUID(int=1))}, (400, "the job is not known")),
    ]

    for request, refusal in refusals:
        reply = await house.call("beacons/jobs/pickups", "set", request)
        assert (reply.status, reply.meta["message"]) == refusal
    assert (await pick_up(house, job_id=tagged["id"], tags=["gpu", "big"]))["job"]["id"] == tagged["id"]


async def test_a_job_goes_to_a_beacon_that_can_do_it(house: House) -> None:
    job = await make_job(house, tags=["gpu"])

    assert await pick_up(house) == []
    assert await pick_up(house, tags=["cpu"]) == []
    await house.call("beacons", "set", {"name": "default", "tags": ["gpu", "cpu"]})
    assert (await pick_up(house))["job"]["id"] == job["id"]


async def test_a_waiting_beacon_gets_a_job_that_is_made_meanwhile(house: House) -> None:
    waiting = asyncio.create_task(pick_up(house, wait_s=20))
    await until_somebody_waits(house)

    job = await make_job(house)

    async with asyncio.timeout(5):
        assert (await waiting)["job"]["id"] == job["id"]


async def test_a_waiting_beacon_gets_a_job_whose_time_comes(house: House) -> None:
    async with house.db.connection() as queries:
        soon = await queries.connection.fetchval(
            "select extract(epoch from clock_timestamp() + interval '1 s')::float8"
        )
    job = await make_job(house, q_time=soon)

    assert (await pick_up(house, wait_s=10))["job"]["id"] == job["id"]


async def test_of_those_who_wait_one_gets_the_job_that_can_do_it(house: House) -> None:
    plain = [asyncio.create_task(pick_up(house, wait_s=1, tags=[])) for _ in range(3)]
    able = asyncio.create_task(pick_up(house, wait_s=20, tags=["gpu"]))
    await until_somebody_waits(house, 4)

    job = await make_job(house, tags=["gpu"])

    assert (await able)["job"]["id"] == job["id"]
    assert await asyncio.gather(*plain) == [[], [], []]


async def test_a_wait_ends_empty_when_its_time_is_up(house: House) -> None:
    assert await pick_up(house, wait_s=0.2) == []


async def test_who_waits_holds_no_turn_and_stands_in_no_count(make_house: Any) -> None:
    async with make_house(max_in_flight=5, max_in_flight_per_consumer=3, gateway_pool=3) as house:
        waiting = []
        for count in range(1, 21):
            waiting.append(asyncio.create_task(pick_up(house, wait_s=20)))
            await until_somebody_waits(house, count)

        assert house.gate.in_flight == 0
        assert house.gate.callers.in_flight == {}
        assert await read(house) == []
        house.gate.drain()
        assert await asyncio.gather(*waiting) == [[]] * 20
        assert house.gate.in_flight == 0
        assert house.gate.callers.in_flight == {}


async def test_a_draining_gateway_lets_nobody_wait(house: House) -> None:
    house.gate.drain()

    async with asyncio.timeout(5):
        assert await pick_up(house, wait_s=30) == []


async def test_a_paused_beacon_gets_nothing_until_it_works_again(house: House) -> None:
    job = await make_job(house)
    await pick_up(house, beacon_name="other")  # registers it
    await house.call("beacons", "set", {"name": "default"})

    await house.call("beacons", "update", {"name": "default", "state": "paused"})
    assert await pick_up(house, wait_s=0.2) == []
    assert (await house.call("beacons/jobs/pickups", "set", {"job_id": job["id"]})).status == 409
    await house.call("beacons", "update", {"name": "default", "state": "active"})
    assert (await pick_up(house))["job"]["id"] == job["id"]


async def test_a_draining_beacon_is_told_to_stop_and_ends_what_it_holds(house: House) -> None:
    await make_job(house)
    claim = await pick_up(house)
    await house.call("beacons", "update", {"name": "default", "state": "draining"})

    refused = await house.call("beacons/jobs/pickups", "set", {"wait_s": 30})

    assert (refused.status, refused.code, refused.meta["draining"]) == (409, 20011, True)
    ended = (await house.call("beacons/jobs/ends", "set", held(claim, result=[{}, {}]))).data
    assert ended["status"] == "completed"


@pytest.mark.parametrize("request_", [{"wait_s": 31}, {"wait_s": -1}, {"job_id": "7"}, {"beacon_name": ""}])
async def test_an_odd_pickup_is_refused(house: House, request_: Any) -> None:
    assert (await house.call("beacons/jobs/pickups", "set", request_)).status == 400


async def until_somebody_waits(house: House, count: int = 1) -> None:
    """Wait until calls wait."""
    async with asyncio.timeout(10):
        while house.gate.room.count < count:
            await asyncio.sleep(0.005)
