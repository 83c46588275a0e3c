"""What was announced: read page by page, and sent again."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from jobgate.testing import House
from tests.push.sending import add_target, announce, fetch, read_deliveries
from tests.stored_sessions import store

NOWHERE = "http://127.0.0.1:9/"


async def announce_some(house: House, count: int = 3) -> dict[str, Any]:
    """A target, and deliveries about sessions s-0, s-1, …"""
    target = await add_target(house, NOWHERE)
    names = [f"s-{number}" for number in range(count)]
    for name in names:
        await store(house, name)
    await announce(house, "session.status", *names)
    return target


async def test_deliveries_are_read_newest_first_page_by_page(house: House) -> None:
    await announce_some(house, 5)

    pages = []
    request: dict[str, Any] = {"limit": 2}
    while True:
        reply = await house.call("push/deliveries", "get", request)
        pages.append([each["session_id"] for each in reply.data])
        if "next" not in reply.meta:
            break
        request = {"limit": 2, "next": reply.meta["next"]}

    assert pages == [["s-4", "s-3"], ["s-2", "s-1"], ["s-0"]]


async def test_filters_join(house: House) -> None:
    first = await announce_some(house)
    second = await add_target(house, NOWHERE, kinds=["session.score"])
    await announce(house, "session.score", "s-1")
    await fetch(house, "update push_delivery set state = 'failed' where session_id = 's-2'")

    async def count(**request: Any) -> int:
        return len(await read_deliveries(house, **request))

    (one,) = await read_deliveries(house, session_id="s-0")
    assert await count() == 5
    assert (await count(target_id=first["id"]), await count(target_id=second["id"])) == (4, 1)
    assert (await count(state="failed"), await count(state="queued"), await count(state="delivered")) == (1, 4, 0)
    assert (await count(session_id="s-1"), await count(session_id="s-1", target_id=second["id"])) == (3, 1)
    assert (await count(id=[one["id"], str(uuid.UUID(int=1))]), await count(id=[])) == (1, 0)


async def test_a_queued_delivery_says_when_it_is_tried(house: House) -> None:
    await announce_some(house, 1)

    (delivery,) = await read_deliveries(house)

    assert delivery["body"]["session_id"] == "s-0"
    assert (delivery["state"], delivery["ended_at"], delivery["tries"]) == ("queued", None, [])
    assert delivery["next_try_at"].endswith("Z")


@pytest.mark.parametrize("next_", ["", "0", "-1", "1.5", "9" * 19, "x", "1 ", "\u0661"])
async def test_a_token_that_no_page_answered_is_refused(house: House, next_: str) -> None:
    reply = await house.call("push/deliveries", "get", {"next": next_})

    assert (reply.status, reply.code) == (400, 20004)


async def test_only_ended_deliveries_are_sent_again_each_told_on_its_own(house: House) -> None:
    await announce_some(house)
    await fetch(house, "update push_delivery set state = 'failed', ended_at = now() where session_id = 's-0'")
    await fetch(house, "update push_delivery set state = 'delivered', ended_at = now() where session_id = 's-1'")
    await fetch(house, "delete from outbox using push_delivery where id = delivery_id and state <> 'queued'")
    ids = {each["session_id"]: each["id"] for each in await read_deliveries(house)}
    nobody = str(uuid.UUID(int=1))

    asked = [ids["s-0"], ids["s-1"], ids["s-2"], nobody]
    told = (await house.call("push/deliveries", "update", {"id": asked})).data

    assert told == [
        {"id": ids["s-0"], "status": "ok"},
        {"id": ids["s-1"], "status": "ok"},
        {"id": ids["s-2"], "status": "error", "code": 20011, "message": "the delivery is queued already"},
        {"id": nobody, "status": "error", "code": 20004, "message": "the delivery is not known"},
    ]
    assert {each["state"] for each in await read_deliveries(house)} == {"queued"}
    assert len(await fetch(house, "select from outbox")) == 3


async def test_a_stranger_sees_and_sends_nothing(house: House) -> None:
    await announce_some(house, 1)
    (delivery,) = await read_deliveries(house)
    await fetch(house, "delete from outbox")
    await fetch(house, "update push_delivery set state = 'failed'")

    assert (await house.call("push/deliveries", "get", as_=house.stranger)).data == []
    (told,) = (await house.call("push/deliveries", "update", {"id": [delivery["id"]]}, as_=house.stranger)).data
    assert (told["status"], told["code"]) == ("error", 20004)
    assert await fetch(house, "select from outbox") == []
