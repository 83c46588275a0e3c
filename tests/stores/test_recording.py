"""Recording while others do: writers of a store come one after another, whatever they bring."""

from __future__ import annotations

import asyncio

import pytest

from jobgate.stores.incoming import find_version
from jobgate.stores.spaces import hold
from jobgate.testing import House
from tests.stored_statements import look, make, record, void

PASSED = {"id": "http://adlnet.gov/expapi/verbs/passed"}


async def test_of_equal_batches_at_once_one_is_recorded(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    batch = [make(number) for number in range(50)]

    done = await asyncio.gather(*(record(house, batch) for _ in range(4)))

    assert [len(each["accepted"]) for each in done] == [50] * 4
    rows = await look(house, "select count(*), count(distinct stored) as times from xapi_statement")
    assert tuple(rows[0]) == (50, 50)
    assert len(await look(house, "select from xapi_statement_activity")) == 50


async def test_of_statements_that_conflict_at_once_one_wins(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    batches = [[make(number, actor={"mbox": f"mailto:{who}@x.example"}) for number in range(9)] for who in "abc"]

    done = await asyncio.gather(*(record(house, batch) for batch in batches))

    assert sorted(len(each["accepted"]) for each in done) == [0, 0, 9]
    refused = [each["violations"][0]["rule"] for answer in done for each in answer["rejected"]]
    assert refused == ["id-conflict"] * 18
    assert len(await look(house, "select from xapi_statement")) == 9


async def test_what_replaces_at_once_leaves_one_of_each(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    batches = [[make(number, actor={"mbox": f"mailto:{who}@x.example"}) for number in range(9)] for who in "abc"]

    await asyncio.gather(*(record(house, batch, check_conflicts=False) for batch in batches))

    assert len(await look(house, "select from xapi_statement")) == 9
    assert len(await look(house, "select from xapi_statement_agent where place = 0")) == 9


async def test_a_target_is_voided_that_comes_with_its_voiding_statement_at_once(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    numbers = range(0, 40, 4)
    for number in numbers:
        pair = [record(house, [make(number)]), record(house, [void(number + 1, number)])]
        done = await asyncio.gather(*pair[:: 1 if number % 8 else -1])
        assert [len(each["accepted"]) for each in done] == [1, 1]

    voided = await look(house, "select id from xapi_statement where voided order by id")
    assert [str(row["id"]) for row in voided] == [make(number)["id"] for number in numbers]


async def test_of_statements_that_void_each_other_at_once_one_does(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    done = await asyncio.gather(record(house, [void(1, 2)]), record(house, [void(2, 1)]))

    assert sorted(len(each["accepted"]) for each in done) == [0, 1]
    assert await look(house, "select from xapi_statement where voided") == []


async def test_who_waited_for_a_store_that_is_deleted_meanwhile_is_refused(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    async with house.db.transaction(1) as tx:
        await hold(tx, 1, "main")
        waiting = asyncio.create_task(house.call("xapi/statements", "set", {"store": "main", "statements": [make(1)]}))
        async with asyncio.timeout(10):
            while not await look(house, "select from pg_locks where locktype = 'advisory' and not granted"):
                await asyncio.sleep(0.005)
        await tx.connection.execute("update xapi_store set status = 'deleting' where organisation_id = 1")

    assert (await waiting).code == 20011
    assert await look(house, "select from xapi_statement") == []


async def test_readers_in_order_miss_nothing_that_writers_are_about_to_commit(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    writers = [
        asyncio.create_task(record(house, [make(10 * number + place, verb=PASSED) for place in range(10)]))
        for number in range(8)
    ]
    seen: list[str] = []
    since = None
    while True:
        is_over = all(writer.done() for writer in writers)
        page = await house.call("xapi/statements", "get", {"store": "main", "ascending": True, "since": since})
        seen += [each["id"] for each in page.data["statements"]]
        since = page.data["statements"][-1]["stored"] if page.data["statements"] else since
        if is_over and not page.data["statements"]:
            break

    await asyncio.gather(*writers)
    assert len(seen) == len(set(seen)) == 80


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (b'{"version": "2.0.0"}', "2.0.0"),
        (b'{"version":"2.0.7", "id": 1}', "2.0.0"),
        (b'{"version": "\\u0032.0.0"}', "2.0.0"),
        (b'{"version": "1.0.3", "result": {"response": "2.0"}}', "1.0.3"),
        (b'{"context": {"version": "2.0.0"}}', "1.0.3"),
        (b'{"version": 2.0}', "1.0.3"),
        (b'["2.0.0"', "1.0.3"),
        (b"{}", "1.0.3"),
    ],
)
def test_a_statement_is_judged_by_the_version_that_it_names(text: bytes, version: str) -> None:
    assert find_version(text) == version


async def test_the_times_of_the_catalogue_never_step_back_with_the_clock(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1), make(2, object={"id": "https://x.example/2"})])
    for table in ("activity", "agent"):
        await look(house, f"update xapi_{table} set updated = updated + interval '1 hour' where number = 1")

    await record(
        house, [make(3, actor=make(2)["actor"] | {"name": "Ben"}), make(4, object={"id": "https://x.example/4"})]
    )

    activities = await look(house, "select iri from xapi_activity order by updated, number")
    agents = await look(house, "select field_1 from xapi_agent order by updated, number")
    assert [row["iri"] for row in activities][1:] == ["https://school.example/quiz/1", "https://x.example/4"]
    assert [row["field_1"] for row in agents] == [make(number)["actor"]["mbox"] for number in (1, 2, 4)]
