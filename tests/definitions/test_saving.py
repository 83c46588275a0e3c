"""Definitions: saved, found, changed, forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jobgate import definitions, wire
from jobgate.definitions import Changes, Checked, Definition
from jobgate.errors import ApiError
from jobgate.schedule import Schedule
from jobgate.tasks.clearing import Clearing
from jobgate.testing import House
from tests.definitions.factory import execute, find, look, save

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAILY = {"repeat": "dailyAt", "time": "09:00"}


async def change(house: House, definition: Definition, now: datetime = NOON, **what: object) -> Definition:
    """Change a definition of organisation 1."""
    async with house.db.transaction(1) as tx:
        return await definitions.change(tx, 1, definition.id, Changes(**what), now)  # type: ignore[arg-type]


async def test_what_is_saved_is_found(house: House) -> None:
    saved = await save(house, NOON, name="nightly", schedule=DAILY)

    assert await find(house) == [saved]
    assert (saved.name, saved.type, saved.params, saved.zone) == (
        "nightly",
        "sessionstatusupdate",
        b'{"statuses":[]}',
        "UTC",
    )
    assert [f"{run:%m-%d %H}" for run in saved.next_runs] == [
        "03-02 09",
        "03-03 09",
        "03-04 09",
        "03-05 09",
        "03-06 09",
    ]


async def test_a_definition_without_a_schedule_is_never_due(house: House) -> None:
    saved = await save(house)

    assert (saved.schedule, saved.next_runs) == (None, [])
    assert await look(house, "select * from definition_due") == []


async def test_definitions_are_found_newest_first_and_by_what_they_are(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    given = Clearing(store="main", service="agents", until="now")
    one = await save(house, name="First one")
    two = await save(house, name="second", type="clearing", checked=Checked(wire.encode(given), 1, given))

    assert await find(house) == [two, one]
    assert await find(house, name="FIRST") == [one]
    assert await find(house, name="%") == []
    assert await find(house, type="clearing", store_id=two.store_id, service="agents") == [two]
    assert await find(house, ids=[one.id]) == [one]
    assert await find(house, before=two.number) == [one]
    assert await find(house, 2) == []


async def test_only_what_is_given_changes(house: House) -> None:
    saved = await save(house, NOON, schedule=DAILY)

    changed = await change(house, saved, name="other")

    assert changed.name == "other"
    assert (changed.schedule, changed.next_runs) == (saved.schedule, saved.next_runs)


async def test_a_new_schedule_counts_from_now_and_none_is_never_due(house: House) -> None:
    saved = await save(house, NOON, schedule=DAILY)

    hourly = await change(house, saved, schedule=Schedule(repeat="hourlyAt", minute=5))
    assert hourly.next_run_at == datetime(2026, 3, 1, 12, 5, tzinfo=UTC)

    unplanned = await change(house, saved, schedule=None)
    assert (unplanned.schedule, unplanned.next_runs) == (None, [])


async def test_a_zone_is_changed_alone(house: House) -> None:
    saved = await save(house, NOON, schedule={"min": 0, "hour": 9})

    changed = await change(house, saved, zone="Asia/Tokyo")

    assert changed.next_run_at == datetime(2026, 3, 2, 0, tzinfo=UTC)


async def test_a_paused_definition_is_not_due_until_it_is_active(house: House) -> None:
    saved = await save(house, NOON, schedule=DAILY)

    assert (await change(house, saved, active=False)).next_runs == []
    later = datetime(2026, 5, 5, 10, tzinfo=UTC)
    assert (await change(house, saved, later, active=True)).next_run_at == datetime(2026, 5, 6, 9, tzinfo=UTC)


async def test_what_should_run_once_is_due_when_it_becomes_active(house: House) -> None:
    saved = await save(house, NOON, schedule={"repeat": "now"}, active=False)
    assert saved.next_runs == []

    assert (await change(house, saved, active=True)).next_run_at == NOON


async def test_an_unknown_definition_cannot_be_changed_or_executed(house: House) -> None:
    saved = await save(house, organisation_id=2)

    with pytest.raises(ApiError, match="not known"):
        await change(house, saved, name="mine")
    with pytest.raises(ApiError, match="not known"):
        await execute(house, saved.id)


async def test_forgetting_halts_what_waits_and_leaves_what_runs(house: House) -> None:
    saved, kept = await save(house, NOON, schedule=DAILY), await save(house, type="sessioncreate")
    running, waiting = await execute(house, saved.id), None
    await look(house, "update job set state = 'running'")
    waiting = await execute(house, saved.id)

    async with house.db.transaction(1) as tx:
        assert await definitions.delete(tx, 1, id=saved.id) == 1

    jobs = {row["reference"]: row for row in await look(house, "select * from job")}
    assert jobs[running.reference]["state"] == "running"
    assert jobs[waiting.reference]["state"] == "halted"
    assert b"cancelled" in jobs[waiting.reference]["error"]
    assert await look(house, "select * from definition_due") == []
    assert await find(house) == [kept]
    async with house.db.transaction(1) as tx:
        assert await definitions.delete(tx, 1, type="other") == 0
        assert await definitions.delete(tx, 1) == 1
