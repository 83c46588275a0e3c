"""The outbox is counted, does not grow without end, and forgets."""

from __future__ import annotations

from jobgate.outbox.upkeep import TOO_MANY, Upkeep
from jobgate.testing import House
from tests.push.sending import (
    add_target,
    announce,
    count_waiting,
    fetch,
    read_deliveries,
    read_target,
    sending,
    until_idle,
    with_settings,
)
from tests.stored_sessions import store

NOWHERE = "http://127.0.0.1:9/"


async def test_what_waits_is_counted(house: House) -> None:
    await add_target(house, NOWHERE)
    await store(house, "s-1")
    await announce(house, "session.status", "s-1")
    await fetch(house, "update outbox set due_at = due_at - interval '1 hour'")

    await Upkeep(house.db, house.settings, house.metrics).tend()

    text = house.metrics.expose().decode()
    assert "outbox_depth 1.0" in text
    assert "outbox_oldest_seconds 36" in text


async def test_a_line_that_grows_too_long_is_stopped_and_given_up(house: House) -> None:
    long = await add_target(house, NOWHERE, paused=True)
    short = await add_target(house, NOWHERE, paused=True, kinds=["session.score"])
    for number in range(3):
        await store(house, f"s-{number}")
    await announce(house, "session.status", "s-0", "s-1", "s-2")
    await announce(house, "session.score", "s-0")

    await Upkeep(house.db, with_settings(house, push_backlog=3), house.metrics).tend()

    assert (await read_target(house, long["id"]))["disabled_reason"] == TOO_MANY
    assert (await read_target(house, short["id"]))["disabled_reason"] is None
    await fetch(house, "delete from outbox where target_id::text = $1", short["id"])
    async with sending(house):
        await until_idle(house)
    assert {each["state"] for each in await read_deliveries(house, target_id=long["id"])} == {"failed"}


async def test_old_deliveries_are_forgotten_with_all_that_belongs_to_them(house: House) -> None:
    await add_target(house, NOWHERE)
    await store(house, "s-1")
    await announce(house, "session.status", "s-1")
    await fetch(house, "update push_delivery set created_at = clock_timestamp() - interval '31 days'")
    await fetch(
        house,
        "insert into push_try (organisation_id, delivery_id, number, ms) select 1, id, 1, 1 from push_delivery",
    )
    await announce(house, "session.score", "s-1")

    await Upkeep(house.db, house.settings, house.metrics).tend()

    assert [each["kind"] for each in await read_deliveries(house)] == ["session.score"]
    assert await count_waiting(house) == 1
    assert await fetch(house, "select from push_try") == []


async def test_one_process_at_a_time_tends(house: House) -> None:
    target = await add_target(house, NOWHERE)
    await store(house, "s-1")
    await announce(house, "session.status", "s-1")
    await announce(house, "session.score", "s-1")
    async with house.db.transaction() as other:
        assert await other.fetchval("try_upkeep_lock")
        await Upkeep(house.db, with_settings(house, push_backlog=1), house.metrics).tend()

    assert (await read_target(house, target["id"]))["disabled_reason"] is None
