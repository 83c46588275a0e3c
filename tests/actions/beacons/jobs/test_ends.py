"""Holding a job: tokens, leases, renewal, results in order, and an end that may be said twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jobgate import beacons
from jobgate.testing import House
from tests.beacons.boxes import held, make_job, pick_up, read

HOLDING: list[Any] = [
    ("beacons/jobs/ends", "set", {}),
    ("beacons/jobs/starts", "set", {}),
    ("beacons/jobs", "update", {"curtask": 1, "result": [{"task_index": 0}]}),
    ("beacons/jobs/logs", "set", {"offset": 0, "lines": ["forged"]}),
]
"""The calls of a holder."""


async def audited(house: House) -> list[str]:
    """The acts on record."""
    async with house.db.connection() as queries:
        return [row["act"] for row in await queries.connection.fetch("select act from audit")]


async def claim_one(house: House, **options: Any) -> Any:
    """A job of three tasks, picked up."""
    await make_job(house, **({"tasks": [{}, {}, {}]} | options))
    return await pick_up(house)


async def lapse(house: House) -> None:
    """Let all leases end."""
    async with house.db.transaction(1) as tx:
        await tx.connection.execute(
            "update beacon_job set lease_until = clock_timestamp() - interval '1 s' where lease_until is not null"
        )


@pytest.fixture
async def sleepy(make_house: Any) -> Any:
    """A house whose own sweeper sleeps: the test sweeps. Postgres has run for longer than a lease."""
    async with make_house(sweep_s=1000, beacon_lease_s=0.2, max_losses=2) as house:
        await asyncio.sleep(0.2)
        yield house


async def test_a_job_is_started_advanced_and_ended(house: House) -> None:
    claim = await claim_one(house)

    started = (await house.call("beacons/jobs/starts", "set", held(claim))).data
    again = (await house.call("beacons/jobs/starts", "set", held(claim))).data
    advanced = (await house.call("beacons/jobs", "update", held(claim, curtask="2"))).data
    respelled = (await house.call("beacons/jobs", "update", held(claim, cur_task=3))).data
    ended = (await house.call("beacons/jobs/ends", "set", held(claim, result=[{"n": 1}, {"n": 2}]))).data

    assert started["status"] == "running"
    assert again["start_time"] == started["start_time"]
    assert (advanced["cur_task"], respelled["cur_task"]) == (2, 3)
    assert (ended["status"], ended["result"], ended["lease_until"]) == ("completed", [{"n": 1}, {"n": 2}], None)


async def test_any_call_of_the_holder_renews_the_lease(make_house: Any) -> None:
    async with make_house(sweep_s=1000, beacon_lease_s=50) as house:
        claim = await claim_one(house)
        for endpoint, action, more in (
            ("beacons/jobs", "update", {}),
            ("beacons/jobs/starts", "set", {}),
            ("beacons/jobs/logs", "set", {"offset": 0, "lines": []}),
        ):
            async with house.db.transaction(1) as tx:
                soon = "update beacon_job set lease_until = clock_timestamp() + interval '5 s'"
                await tx.connection.execute(soon)
            before = (await read(house))[0]["lease_until"]
            after = (await house.call(endpoint, action, held(claim, **more))).data["lease_until"]
            assert after > before


async def test_results_that_name_their_tasks_stand_in_the_order_of_the_tasks(house: House) -> None:
    claim = await claim_one(house)

    results = [{"task_index": 2, "n": 3}, {"task_index": 0, "n": 1}]
    ended = (await house.call("beacons/jobs/ends", "set", held(claim, **{"result[]": results}))).data

    assert ended["result"] == [{"task_index": 0, "n": 1}, {"task_index": 2, "n": 3}]


async def test_results_of_single_tasks_are_kept_for_the_end_and_for_the_next_holder(house: House) -> None:
    claim = await claim_one(house)
    await house.call("beacons/jobs", "update", held(claim, curtask=2, result=[{"task_index": 0, "n": 1}]))
    await house.call("beacons/jobs/ends", "set", held(claim, released=True))

    second = await pick_up(house)
    rest = [{"task_index": 2, "n": 3}, {"task_index": 1, "n": 2}]
    ended = (await house.call("beacons/jobs/ends", "set", held(second, result=rest))).data

    assert second["held"] == [{"task_index": 0, "result": {"task_index": 0, "n": 1}}]
    assert (second["job"]["attempt"], second["job"]["cur_task"]) == (2, 2)
    assert [result["n"] for result in ended["result"]] == [1, 2, 3]


@pytest.mark.parametrize(
    "results",
    [
        [{"task_index": 0}, {}],
        [{"task_index": 0}, {"task_index": 0}],
        [{"task_index": 3}],
        [{"task_index": -1}],
        [{"task_index": True}],
        [{"task_index": "0"}],
    ],
    ids=repr,
)
async def test_results_that_name_no_task_or_one_twice_are_refused(house: House, results: Any) -> None:
    claim = await claim_one(house)

    for endpoint, action in (("beacons/jobs/ends", "set"), ("beacons/jobs", "update")):
        assert (await house.call(endpoint, action, held(claim, result=results))).status == 400
    assert (await read(house))[0]["status"] == "picked_up"


async def test_an_end_said_twice_is_stored_once_and_other_results_are_refused(house: House) -> None:
    claim = await claim_one(house)
    request = held(claim, result=[{"a": 1, "b": 2}])

    first = await house.call("beacons/jobs/ends", "set", request)
    again = await house.call("beacons/jobs/ends", "set", held(claim, result=[{"b": 2, "a": 1}]))
    other = await house.call("beacons/jobs/ends", "set", held(claim, result=[{"a": 2}]))
    failed = await house.call("beacons/jobs/ends", "set", held(claim, failure={"message": "no"}))

    assert again.data == first.data
    assert (other.status, other.code) == (409, 20011)
    assert (failed.status, failed.code) == (409, 20011)
    assert await read(house) == [first.data]


async def test_an_end_said_at_once_by_many_is_stored_once(house: House) -> None:
    claim = await claim_one(house)

    replies = await asyncio.gather(
        *(house.call("beacons/jobs/ends", "set", held(claim, result=[{"n": number % 2}])) for number in range(8))
    )

    assert sorted(reply.status for reply in replies) == [200] * 4 + [409] * 4
    assert len({str(reply.data) for reply in replies if reply.status == 200}) == 1


async def test_a_failure_halts_or_is_tried_again_later(make_house: Any) -> None:
    async with make_house(max_failures=2) as house:
        claim = await claim_one(house)
        failure = {"message": "no disk", "kind": "disk", "retry_after_s": 0}

        first = await house.call("beacons/jobs/ends", "set", held(claim, failure=failure))
        again = await house.call("beacons/jobs/ends", "set", held(claim, failure=failure))
        late = await house.call("beacons/jobs", "update", held(claim))
        second = await pick_up(house)
        last = await house.call("beacons/jobs/ends", "set", held(second, failure=failure))

    assert (first.data["status"], again.data) == ("eligible", first.data)
    assert late.status == 409
    assert last.data["status"] == "halted"
    assert last.data["error"] == {"code": "failed", "message": "no disk", "kind": "disk"}


async def test_a_job_is_given_back_for_nothing(make_house: Any) -> None:
    async with make_house(max_failures=1, max_losses=1) as house:
        claim = await claim_one(house)
        for _ in range(5):
            released = (await house.call("beacons/jobs/ends", "set", held(claim, released=True))).data
            assert released["status"] == "eligible"
            claim = await pick_up(house)


async def test_a_beacon_that_wakes_after_its_lease_is_refused_and_put_on_record(sleepy: House) -> None:
    house = sleepy
    claim = await claim_one(house)
    await lapse(house)

    frozen = await house.call("beacons/jobs/ends", "set", held(claim, result=[{"n": 1}]))
    while await beacons.sweep(house.db, house.settings):
        pass
    reaped = await house.call("beacons/jobs/ends", "set", held(claim, result=[{"n": 1}]))
    second = await pick_up(house)
    stolen = await house.call("beacons/jobs", "update", held(claim, curtask=1))
    async with house.db.connection() as queries:
        acts = await queries.connection.fetch("select act, object from audit")

    assert [reply.status for reply in (frozen, reaped, stolen)] == [409] * 3
    assert [reply.code for reply in (frozen, reaped, stolen)] == [20011] * 3
    assert (second["job"]["id"], second["job"]["attempt"]) == (claim["job"]["id"], 2)
    assert {tuple(row) for row in acts} == {("beacons.jobs.stale", "beacon job")}
    assert len(acts) == 3


async def test_a_job_that_loses_its_beacon_too_often_ends_as_lost(sleepy: House) -> None:
    house = sleepy
    job = await make_job(house)
    twin = await make_job(house)
    for _ in range(house.settings.max_losses):
        assert (await pick_up(house))["job"]["id"] == job["id"]
        await lapse(house)
        await asyncio.gather(*(beacons.sweep(house.db, house.settings) for _ in range(3)))

    assert await pick_up(house) == []
    for each in await read(house):
        assert (each["status"], each["error"]["code"]) == ("halted", "lost")
    assert twin["duplicate_of"] == job["id"]


async def test_a_cancelled_job_of_a_silent_beacon_ends(sleepy: House) -> None:
    house = sleepy
    claim = await claim_one(house)
    await house.call("beacons/jobs", "update", {"job_id": claim["job"]["id"], "cancel": True})
    await lapse(house)
    await beacons.sweep(house.db, house.settings)

    assert (await read(house))[0]["error"]["code"] == "cancelled"


@pytest.mark.parametrize(
    "token", ["", "1", "1.", "1.zz", "2.{secret}", "01.{secret}", "1.{secret}00", "x" * 101, "é.é"]
)
async def test_a_forged_token_is_refused_and_put_on_record(house: House, token: str) -> None:
    claim = await claim_one(house)
    forged = {"claim_token": token.replace("{secret}", claim["claim_token"].split(".")[1])}
    is_token = 0 < len(token) <= 100

    statuses = [(await house.call(to, do, held(claim, **more) | forged)).status for to, do, more in HOLDING]

    assert statuses == [409 if is_token else 400] * len(HOLDING)
    assert (await read(house))[0] == claim["job"]
    assert await audited(house) == ["beacons.jobs.stale"] * len(HOLDING) * is_token


async def test_what_was_said_before_the_end_is_refused_after_it_and_put_on_record(house: House) -> None:
    claim = await claim_one(house)
    await house.call("beacons/jobs/ends", "set", held(claim))
    ended = await read(house)

    statuses = [(await house.call(to, do, held(claim, **more))).status for to, do, more in HOLDING]

    assert statuses == [200, *[409] * (len(HOLDING) - 1)]
    assert await read(house) == ended
    assert await audited(house) == ["beacons.jobs.stale"] * (len(HOLDING) - 1)


async def test_the_token_of_one_job_opens_no_other_and_none_of_another_organisation(house: House) -> None:
    first, second = await claim_one(house, name="first"), await claim_one(house, name="second")

    crossed = {"job_id": first["job"]["id"], "claim_token": second["claim_token"]}
    assert (await house.call("beacons/jobs/ends", "set", crossed)).status == 409
    stranger = await house.call("beacons/jobs/ends", "set", held(first), as_=house.stranger)
    assert (stranger.status, stranger.meta["message"]) == (400, "the job is not known")


async def test_the_secret_of_a_token_is_not_stored(house: House) -> None:
    claim = await claim_one(house)

    async with house.db.transaction(1) as tx:
        text = await tx.connection.fetchval("select row_to_json(beacon_job)::text from beacon_job")
    assert claim["claim_token"].split(".")[1] not in text


async def test_curtask_and_result_need_the_token(house: House) -> None:
    claim = await claim_one(house)

    for more in ({"curtask": 1}, {"result": [{"task_index": 0}]}):
        reply = await house.call("beacons/jobs", "update", {"job_id": claim["job"]["id"]} | more)
        assert (reply.status, reply.code) == (400, 20000)
    assert (await house.call("beacons/jobs", "update", held(claim, curtask=4))).status == 400
