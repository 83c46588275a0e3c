"""What follows when sessions are Completed: jobs of their own, queued with the change and linked from its results."""

from __future__ import annotations

from typing import Any

from jobgate import wire
from jobgate.testing import House
from tests.push.sending import add_target, fetch
from tests.stored_sessions import age_jobs, read, read_responses, results, store
from tests.tasks.test_session_updates import mark_written, set_status
from tests.tasks.test_sessionrescore import answer

DEFINITIONS = [{"id": "all", "items": ["i-1"]}]
NOWHERE = "https://listener.example/"
ITEMS = [{"reference": "i-1", "response_ids": ["r-0"]}]
IRT = [ITEMS[0] | {"irt": {"a": 1, "b": 0, "c": 0}}]


async def linked(house: House, reference: str) -> list[list[str]]:
    """The types of the jobs that each entry links, in order."""
    return [[link["type"] for link in result.get("follow_ups", [])] for result in await results(house, reference)]


async def follow_up_jobs(house: House) -> list[Any]:
    """The jobs that nobody asked for by a packet, as they were queued."""
    async with house.db.connection() as queries:
        return await queries.connection.fetch(
            "select type, reference, params, entries, consumer_key, state from job"
            " where type <> 'sessionstatusupdate' order by id"
        )


async def test_completed_sessions_are_scored_then_subscored(house: House) -> None:
    await store(house, "s-1", items=ITEMS, definitions=DEFINITIONS, responses=[answer(["1"])])
    await store(house, "s-2", responses=[answer(["1"]), answer(["1"])])

    reference = await set_status(house, ("s-1", "Completed"), ("s-2", "Completed"))
    await house.carry()

    assert await linked(house, reference) == [["sessionrescore", "subscorecalculation"], ["sessionrescore"]]
    rescore, subscores = await follow_up_jobs(house)
    assert (rescore["params"], subscores["params"]) == (b'{"session_id":["s-1","s-2"]}', b'{"session_id":["s-1"]}')
    assert [row["score"] for row in await read_responses(house, "s-2")] == [2, 2]
    first = await read(house, "s-1")
    assert (first["score"], first["subscores"][0]["score"]) == (2, 2)


async def test_the_jobs_that_follow_can_be_found_by_their_references(house: House) -> None:
    await store(house, "s-1", definitions=DEFINITIONS)
    reference = await set_status(house, ("s-1", "Completed"))
    await house.carry()

    (result,) = await results(house, reference)
    references = [link["reference"] for link in result["follow_ups"]]
    records = (await house.call("jobs", "get", {"references": references})).data

    assert {(record["reference"], record["type"], record["status"]) for record in records} == {
        (references[0], "sessionrescore", "completed"),
        (references[1], "subscorecalculation", "completed"),
    }


async def test_other_statuses_start_nothing(house: House) -> None:
    await store(house, "s-1", status="Completed", definitions=DEFINITIONS)

    reference = await set_status(house, ("s-1", "Incomplete"), ("s-1", "Discarded"))
    await house.carry()

    assert await linked(house, reference) == [[], []]
    assert await follow_up_jobs(house) == []


async def test_a_session_that_is_completed_again_is_scored_again(house: House) -> None:
    await store(house, "s-1", status="Completed", responses=[answer(["1"])])

    await set_status(house, ("s-1", "Completed"))
    await house.carry()

    assert (await read_responses(house, "s-1"))[0]["score"] == 2


async def test_only_entries_that_take_effect_are_followed_up(house: House) -> None:
    await store(house, "s-1")
    await store(house, "s-2", user_id="u-2")
    await store(house, "s-3")
    references = [
        await set_status(
            house, ("s-1", "Completed"), ("s-2", "Completed"), ("nobody", "Completed"), ("s-3", "Completed")
        ),
        await set_status(house, ("s-1", "Completed"), ("s-1", "Discarded"), ("s-1", "Completed")),
    ]

    await house.carry()

    assert await linked(house, references[0]) == [[], [], [], ["sessionrescore"]]
    assert await linked(house, references[1]) == [[], [], ["sessionrescore"]]
    assert [row["params"] for row in await follow_up_jobs(house)] == [
        b'{"session_id":["s-3"]}',
        b'{"session_id":["s-1"]}',
    ]


async def test_a_superseded_entry_is_not_followed_up(house: House) -> None:
    await store(house, "s-1")
    reference = await set_status(house, ("s-1", "Completed"))
    await mark_written(house, "status_by", await age_jobs(house))

    await house.carry()

    assert await linked(house, reference) == [[]]


async def test_many_sessions_are_followed_up_by_one_job_each_parent(house: House) -> None:
    names = [f"s-{number}" for number in range(40)]
    for name in names:
        await store(house, name)
    references = [
        await set_status(house, *((name, "Completed") for name in names[:30])),
        await set_status(house, *((name, "Completed") for name in names[30:])),
    ]

    await house.carry()

    jobs = await follow_up_jobs(house)
    assert [row["type"] for row in jobs] == ["sessionrescore"] * 2
    assert {row["consumer_key"] for row in jobs} == {house.home.key}
    assert await linked(house, references[1]) == [["sessionrescore"]] * 10


async def test_everything_that_can_follow_follows_in_its_order(house: House) -> None:
    await add_target(house, NOWHERE)
    await store(house, "s-1", items=IRT, definitions=DEFINITIONS, responses=[answer(["1"])])
    await store(house, "s-2", responses=[answer(["1"])])
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update session set is_adaptive = true where session_id = 's-1'")

    reference = await set_status(house, ("s-1", "Completed"), ("s-2", "Completed"))
    await house.carry()

    assert await linked(house, reference) == [
        ["sessionrescore", "subscorecalculation", "adaptivereport", "sessionpush"],
        ["sessionrescore", "sessionpush"],
    ]
    assert {row["state"] for row in await follow_up_jobs(house)} == {"completed"}
    session = await read(house, "s-1")
    assert session["report_by"] > 0
    told = await fetch(house, "select session_id, kind, body from push_delivery order by number")
    assert [(row["session_id"], row["kind"]) for row in told] == [
        ("s-1", "session.status"),
        ("s-2", "session.status"),
        ("s-1", "session.score"),
        ("s-2", "session.score"),
    ]
    score = wire.decode(told[2]["body"], dict[str, Any])
    assert (score["score"], score["subscores"][0]["score"]) == (2, 2)
    assert wire.decode(told[0]["body"], dict[str, Any])["status"] == "Completed"


async def test_every_status_is_pushed(house: House) -> None:
    await add_target(house, NOWHERE)
    await store(house, "s-1", status="Completed")

    await set_status(house, ("s-1", "Discarded"), ("nobody", "Completed"))
    await house.carry()

    (told,) = await fetch(house, "select kind, body from push_delivery")
    assert (told["kind"], wire.decode(told["body"], dict[str, Any])["status"]) == ("session.status", "Discarded")
