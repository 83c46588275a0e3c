"""xapi/statements: batches through the pipeline, and what it refuses."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from jobgate.testing import House
from jobgate.xapi.pseudonyms import HOME_PAGE
from tests.stored_statements import look, make, record, void


async def test_statements_are_recorded_and_refused_one_by_one(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    done = await record(house, [make(1), make(2, verb={}), make(3, extra=1), make(4)])

    assert done["accepted"] == [make(1)["id"], make(4)["id"]]
    assert [(each["index"], each["id"], each["violations"][0]["rule"]) for each in done["rejected"]] == [
        (1, make(2)["id"], "XAPI-00044"),
        (2, make(3)["id"], "XAPI-00010"),
    ]
    (agents,) = await look(house, "select count(*), max(name) from xapi_agent")
    assert agents["count"] == 2
    (links,) = await look(house, "select count(*) from xapi_statement_agent where place = 0")
    assert links["count"] == 2


async def test_hostile_statements_spoil_nothing(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    result = {"extensions": {"https://x.example/deep": deep}}
    zero = make(3, result={"response": "a\0b"})

    done = await record(house, [make(1), make(2, result=result), zero, 7, None, make(5, id=5), make(6)])

    assert done["accepted"] == [make(1)["id"], make(6)["id"]]
    assert [each["violations"][0]["rule"] for each in done["rejected"]] == [
        "limit-depth",
        "limit-text",
        "XAPI-00021",
        "XAPI-00001",
        "XAPI-00028",
    ]


async def test_an_atomic_batch_is_recorded_whole_or_not_at_all(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    done = await record(house, [make(1), make(2, verb={})], atomic=True)

    assert done["accepted"] == []
    assert [each["violations"][0]["rule"] for each in done["rejected"]] == ["batch-refused", "XAPI-00044"]
    assert await look(house, "select from xapi_statement") == []


async def test_equal_statements_are_accepted_again_and_others_conflict(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1)])

    again = await record(house, [make(1), make(1)])
    other = await record(house, [make(1, verb={"id": "http://adlnet.gov/expapi/verbs/left"})])

    assert again["accepted"] == [make(1)["id"]]
    assert again["rejected"][0]["violations"][0]["rule"] == "same-id-twice"
    assert other["rejected"][0]["violations"][0]["rule"] == "id-conflict"
    (count,) = await look(house, "select count(*) from xapi_statement")
    assert count["count"] == 1


async def test_a_packet_that_is_sent_again_records_nothing_twice(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    without_id = {name: value for name, value in make(1).items() if name != "id"}
    moment = datetime.now(UTC)
    request = {"store": "main", "statements": [without_id]}

    first, again = [await house.call("xapi/statements", "set", request, now=moment, distinct=False) for _ in range(2)]

    assert again.data == first.data
    assert again.meta["replayed"] is True
    assert len(await look(house, "select from xapi_statement")) == 1


async def test_without_conflicts_the_newcomer_replaces(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1)])

    await record(house, [make(1, actor={"mbox": "mailto:other@school.example"})], check_conflicts=False)

    rows = await look(house, "select raw from xapi_statement")
    assert len(rows) == 1
    assert b"mailto:other@school.example" in rows[0]["raw"]
    assert len(await look(house, "select from xapi_statement_agent where place = 0")) == 1


async def test_a_statement_is_voided_whichever_comes_first(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1), make(2)])

    await record(house, [void(11, 1), void(13, 3), make(3), void(14, 4)])
    refused = await record(house, [make(4), void(15, 11)])

    rows = await look(house, "select id from xapi_statement where voided order by id")
    assert [str(row["id"]) for row in rows] == [make(number)["id"] for number in (1, 3, 4)]
    assert refused["rejected"][0]["violations"][0]["rule"] == "voids-voiding"


async def test_unjudged_statements_are_recorded_as_such(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    done = await record(house, [make(1, verb={}), {"anything": None}, make(3, id="no uuid")], validate_statements=False)

    assert len(done["accepted"]) == 2
    assert done["rejected"][0]["index"] == 2
    rows = await look(house, "select validated, valid from xapi_statement")
    assert [(row["validated"], row["valid"]) for row in rows] == [(False, None)] * 2


async def test_identities_are_replaced_on_the_way_in(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    await record(house, [make(1)], pseudonymize_statements=True)
    again = await record(house, [make(1)], pseudonymize_statements=True)
    as_before = await record(house, [make(1)])
    other = await record(house, [make(1, actor={"mbox": "mailto:other@school.example"})])

    (row,) = await look(house, "select raw, pseudonymized, pseudonym_key, actor_id, agent_ids from xapi_statement")
    assert b"learner-1" not in row["raw"]
    assert row["pseudonymized"] is True
    (agent,) = await look(house, "select * from xapi_agent")
    assert (agent["id"], agent["field_2"], agent["pseudonymized"]) == (row["actor_id"], HOME_PAGE, True)
    (key,) = await look(house, "select id from xapi_pseudonym_key")
    assert row["pseudonym_key"] == key["id"]
    assert again["accepted"] == as_before["accepted"] == [make(1)["id"]]
    assert other["rejected"][0]["violations"][0]["rule"] == "id-conflict"


async def test_a_media_type_ends_where_it_ends_and_an_agent_is_json(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    content = {"sha2": hashlib.sha256(b"").hexdigest(), "content_type": "text/plain\n", "content": ""}

    typed = await house.call(
        "xapi/statements", "set", {"store": "main", "statements": [make(1)], "attachments": [content]}
    )
    named = await house.call("xapi/statements", "get", {"store": "main", "agent": "Ada"})

    assert (typed.status, named.status) == (400, 400)
    assert "content_type" in typed.meta["message"]
    assert "`agent`" in named.meta["message"]
    assert await look(house, "select from xapi_statement") == []
