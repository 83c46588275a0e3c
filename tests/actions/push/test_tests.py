"""A test event: queued like every other."""

from __future__ import annotations

from jobgate.testing import House
from tests.push.sending import add_target, fetch, read_deliveries

NOWHERE = "http://127.0.0.1:9/"


async def test_a_test_is_a_delivery_of_its_own_kind(house: House) -> None:
    target = await add_target(house, NOWHERE, kinds=["session.score"])

    reply = await house.call("push/tests", "set", {"target_id": target["id"]})

    (delivery,) = await read_deliveries(house)
    assert reply.data == {"delivery_id": delivery["id"]}
    assert (delivery["kind"], delivery["session_id"], delivery["state"]) == ("test", None, "queued")
    assert delivery["body"]["type"] == "test"
    assert delivery["body"]["target_id"] == target["id"]


async def test_a_retry_queues_no_second_test(house: House) -> None:
    target = await add_target(house, NOWHERE)
    request = {"target_id": target["id"]}

    first = await house.call("push/tests", "set", request, distinct=False)
    again = await house.call("push/tests", "set", request, distinct=False)

    assert (first.data, again.meta["replayed"]) == (again.data, True)
    assert len(await read_deliveries(house)) == 1


async def test_a_disabled_target_is_not_tested(house: House) -> None:
    target = await add_target(house, NOWHERE)
    await fetch(house, "update push_target set disabled_reason = 'gone'")

    reply = await house.call("push/tests", "set", {"target_id": target["id"]})

    assert (reply.status, reply.code) == (409, 20011)
