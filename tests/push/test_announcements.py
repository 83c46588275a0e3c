"""What is announced, to whom, and that it is what a read answers."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from jobgate import jobs, outbox, wire
from jobgate.outbox.announcements import SLICE_SESSIONS
from jobgate.testing import House
from tests.push.sending import add_target, announce, count_waiting, fetch, read_deliveries
from tests.session_calls import read, set_sessions
from tests.stored_sessions import results, store

NOWHERE = "http://127.0.0.1:9/"


async def bodies(house: House, kind: str) -> list[bytes]:
    """Everything of a kind that was announced, as it will be sent."""
    rows = await fetch(house, "select body from push_delivery where kind = $1 order by number", kind)
    return [row["body"] for row in rows]


@pytest.mark.parametrize(
    ("kind", "endpoint"), [("session.status", "sessions/statuses"), ("session.score", "sessions/scores")]
)
async def test_a_body_is_the_record_that_a_read_answers(house: House, kind: Any, endpoint: str) -> None:
    await add_target(house, NOWHERE)
    await store(house, "s-1", status="Completed", metadata={"n": 1}, responses=[{"score": 1, "max_score": 2}])

    await announce(house, kind, "s-1")

    (record,) = (await house.call(endpoint, "get", {"session_id": ["s-1"]})).data
    (body,) = await bodies(house, kind)
    assert body == wire.encode(record)


async def test_every_target_hears_what_it_wants_to_hear(house: House) -> None:
    both = await add_target(house, NOWHERE)
    scores = await add_target(house, NOWHERE, kinds=["session.score"])
    await store(house, "s-1")

    await announce(house, "session.status", "s-1")
    await announce(house, "session.score", "s-1")

    told = [(each["target_id"], each["kind"], each["session_id"]) for each in await read_deliveries(house)]
    assert sorted(told) == sorted(
        [
            (both["id"], "session.status", "s-1"),
            (both["id"], "session.score", "s-1"),
            (scores["id"], "session.score", "s-1"),
        ]
    )


async def test_a_paused_target_collects_and_a_disabled_one_does_not(house: House) -> None:
    paused = await add_target(house, NOWHERE, paused=True)
    await add_target(house, NOWHERE)
    await fetch(house, "update push_target set disabled_reason = 'test' where not is_paused")
    await store(house, "s-1")

    await announce(house, "session.status", "s-1")

    assert [each["target_id"] for each in await read_deliveries(house)] == [paused["id"]]


async def test_another_organisation_hears_nothing(house: House) -> None:
    await add_target(house, NOWHERE, as_=house.stranger)
    await store(house, "s-1")

    await announce(house, "session.status", "s-1")

    assert await count_waiting(house) == 0


async def test_unknown_sessions_are_passed_over(house: House) -> None:
    await add_target(house, NOWHERE)

    await announce(house, "session.status", "nobody")

    assert await count_waiting(house) == 0


async def test_what_is_rolled_back_is_not_announced(house: House) -> None:
    await add_target(house, NOWHERE)
    await store(house, "s-1")

    async def fail() -> None:
        async with house.db.transaction(1) as tx:
            await outbox.announce(tx, 1, "session.status", ["s-1"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()

    assert await count_waiting(house) == 0


async def test_many_sessions_are_announced_slice_by_slice(house: House) -> None:
    await add_target(house, NOWHERE)
    names = [f"s-{number}" for number in range(2 * SLICE_SESSIONS + 1)]
    for name in names:
        await store(house, name)

    await announce(house, "session.score", *names)

    rows = await fetch(house, "select session_id from push_delivery order by number")
    assert [row["session_id"] for row in rows] == names
    assert await count_waiting(house) == len(names)


async def test_a_push_job_announces_every_session_once_and_says_what_it_did_not_know(house: House) -> None:
    await add_target(house, NOWHERE)
    await store(house, "s-1")
    references = [
        await submit(house, {"session_id": ["s-1", "nobody"], "kinds": ["session.score"]}),
        await submit(house, {"session_id": ["s-1"], "kinds": ["session.score", "session.status"]}),
    ]

    await house.carry()

    told = sorted(each["kind"] for each in await read_deliveries(house))
    assert told == ["session.score", "session.status"]
    first, second = [await results(house, reference) for reference in references]
    assert [(each["session_id"], each["status"]) for each in first] == [("s-1", "ok"), ("nobody", "error")]
    assert [(each["session_id"], each["status"]) for each in second] == [("s-1", "ok")]


async def test_setting_a_session_announces_its_status_and_its_scores(house: House) -> None:
    await add_target(house, NOWHERE)
    response = {"response_id": "r", "score": 1, "max_score": 2, "response": {"value": "x"}}

    first, again = [
        await set_sessions(house, {"session_id": "s-1", "user_id": user, "activity_id": "a", "responses": [response]})
        for user in ("u-1", "u-2")
    ]

    assert (first[0]["status"], again[0]["status"]) == ("ok", "error")
    deliveries = {each["kind"]: each["body"] for each in await read_deliveries(house)}
    assert len(await read_deliveries(house)) == 2
    assert deliveries["session.status"] == (await read(house, "sessions/statuses"))[0]
    assert deliveries["session.score"] == (await read(house, "sessions/scores"))[0]


async def submit(house: House, params: Any) -> str:
    """Queue a push job."""
    reference = uuid.uuid4()
    async with house.db.connection() as queries:
        await jobs.insert(
            queries,
            reference=reference,
            organisation_id=1,
            consumer_key=house.home.key,
            type="sessionpush",
            params=params,
        )
    return str(reference)
