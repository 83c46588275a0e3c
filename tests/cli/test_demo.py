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


async def test_its_sessions_have_all_that_the_endpoints_are_about(house: House) -> None:
    await demo.furnish(house.db, house.gate.key)
    async with house.db.reading(demo.ORGANISATION) as db:
        rows = await db.connection.fetch(
            "select session_id, json_array_length(items) as items, items::text like '%\"tags\":[{%' as tagged,"
            " json_array_length(subscore_definitions) as parts,"
            " (select count(*) from response where session_no = session.id) as responses from session"
        )
    named = [row["session_id"] for row in rows]

    started = await house.call("jobs/sessions/scores/subscores", "get", {"session_id": named}, as_=DEMO)
    await house.carry()
    scores = await house.call("sessions/scores", "get", {"session_id": named}, as_=DEMO)

    assert all(row["items"] and row["tagged"] and row["parts"] and row["responses"] for row in rows)
    assert started.data["ignored_sessions"] == []
    assert all(record["subscores"] for record in scores.data)
