"""The demo: furnished once, let in by `dev` only, and scored as jobgate scores."""

from __future__ import annotations

import uuid

from jobgate import demo
from jobgate.demo import DEMO
from jobgate.testing import House


async def test_it_is_furnished_once_and_comes_back_after_it_was_revoked(house: House) -> None:
    first = await demo.furnish(house.db, house.gate.key)
    await house.db.execute("set_consumer_active", DEMO.key, False)
    await house.db.execute("retire_secrets", DEMO.key, "revoked", uuid.UUID(int=0))
    second = await demo.furnish(house.db, house.gate.key)

    reply = await house.call("jobs", "get", as_=DEMO)

    assert (first, second) == (14, 0)
    assert reply.data == []


async def test_it_can_be_locked_out(house: House) -> None:
    await demo.furnish(house.db, house.gate.key)
    await demo.lock_out(house.db)

    reply = await house.call("jobs", "get", as_=DEMO)

    assert reply.code == 41009
