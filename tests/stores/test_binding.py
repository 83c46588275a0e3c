"""Saved jobs and the stores that they are bound to."""

from __future__ import annotations

from typing import Any

from jobgate.testing import House
from tests.stored_statements import look

CLEARING: dict[str, Any] = {"repeat": "now", "service": "all", "until": "now"}
DEFINITION: dict[str, Any] = {"name": "n", "type": "clearing", "params": {"service": "all", "until": "now"}}


async def test_a_store_that_is_not_there_is_refused(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "theirs"}, as_=house.stranger)

    unknown = await house.call("jobs/clearing", "set", CLEARING | {"store": "theirs"})
    none = await house.call("jobs/clearing", "set", CLEARING)

    assert (unknown.status, unknown.code) == (400, 20004)
    assert "`store`" in unknown.meta["message"]
    assert (none.status, none.code) == (409, 20011)
    assert (await house.call("jobs/clearing", "get", {"store": "theirs"})).data == []


async def test_a_store_that_is_being_deleted_gets_no_job(house: House) -> None:
    for slug in ("kept", "gone"):
        await house.call("xapi/stores", "set", {"slug": slug})
    await look(house, "update xapi_store set status = 'deleting' where slug = 'gone'")

    refused = await house.call("jobs/clearing", "set", CLEARING | {"store": "gone"})
    saved = await house.call("jobs/clearing", "set", CLEARING)

    assert (refused.status, refused.code) == (409, 20011)
    assert [each["store"] for each in saved.data] == ["kept"]


async def test_a_definition_names_its_store(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    refused = await house.call("jobs/definitions", "set", DEFINITION)
    named = DEFINITION | {"params": DEFINITION["params"] | {"store": "main"}}
    saved = await house.call("jobs/definitions", "set", named)

    assert (refused.status, refused.code) == (400, 20000)
    assert "`store`" in refused.meta["message"]
    (found,) = (await house.call("jobs/clearing", "get", {"store": "main"})).data
    assert (found["id"], found["store"]) == (saved.data["id"], "main")


async def test_a_job_that_is_replaced_keeps_its_store_or_gets_another(house: House) -> None:
    for slug in ("one", "two"):
        await house.call("xapi/stores", "set", {"slug": slug})
    (saved,) = (await house.call("jobs/clearing", "set", CLEARING | {"store": "one"})).data

    (kept,) = (await house.call("jobs/clearing", "update", CLEARING | {"id": saved["id"]})).data
    (moved,) = (await house.call("jobs/clearing", "update", CLEARING | {"id": saved["id"], "store": "two"})).data

    assert (kept["store"], moved["store"]) == ("one", "two")
    assert (await house.call("jobs/clearing", "get", {"store": "one"})).data == []
    assert len((await house.call("jobs/clearing", "get", {"store": "two"})).data) == 1
    other = await house.call("jobs/definitions", "update", {"id": saved["id"], "params": {"service": "all"}})
    assert other.status == 400
