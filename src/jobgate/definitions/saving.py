"""Saving definitions, changing them, and forgetting them; each also plans when its definition is due next."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.definitions.parameters import Checked
from jobgate.definitions.records import Definition, Overlap, find, read_schedule
from jobgate.errors import ApiError, Code
from jobgate.jobs import CANCELLED
from jobgate.schedule import Rule, Schedule, parse, recall
from jobgate.stores.binding import bind, require_schedule

CATCH_UP_S = 3600
"""How late a nominal time may still run, unless a definition says otherwise."""


EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""What is due lies between these: the driver takes the first and the last instant that Python knows for infinity."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A definition to save."""

    consumer_key: str
    name: str
    type: str
    checked: Checked
    schedule: Schedule | None = None
    zone: str | None = None
    overlap: Overlap = "skip"
    catch_up_s: int = CATCH_UP_S
    active: bool = True


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different; what is UNSET stays."""

    name: str | UnsetType = UNSET
    checked: Checked | UnsetType = UNSET
    schedule: Schedule | UnsetType | None = UNSET
    """None: it runs when it is executed, and only then."""
    zone: str | UnsetType | None = UNSET
    overlap: Overlap | UnsetType = UNSET
    catch_up_s: int | UnsetType = UNSET
    active: bool | UnsetType = UNSET


async def read_clock(db: Transaction) -> datetime:
    """The time by which definitions are due: that of the database."""
    now: datetime = await db.fetchval("read_clock")
    return now


async def save(db: Transaction, organisation_id: int, draft: Draft, now: datetime) -> Definition:
    """A new definition. Raises 200xx naming the parameter of a schedule that makes no sense, or of what it names."""
    require_schedule(draft.type, draft.schedule)
    rule = _parse(draft.schedule, draft.zone, now)
    store_id, service = await bind(db, organisation_id, draft.type, draft.checked.given)
    id = uuid.uuid4()
    await db.execute(
        "insert_definition",
        organisation_id,
        id,
        draft.consumer_key,
        draft.name,
        draft.type,
        draft.checked.params,
        draft.checked.entries,
        _store(rule),
        "UTC" if rule is None else rule.zone,
        draft.overlap,
        draft.catch_up_s,
        draft.active,
        store_id,
        service,
    )
    if rule is not None and draft.active:
        await db.execute("plan_definition", organisation_id, id, _plan(rule, now, is_new=True))
    return await _find_one(db, organisation_id, id)


async def change(db: Transaction, organisation_id: int, id: uuid.UUID, changes: Changes, now: datetime) -> Definition:
    """Change a definition: what is given, and nothing else. Raises 20004 for an unknown one.

    A new schedule counts from `now`; the same one again changes nothing about what is due. What was due while the
    definition was not active is not made up.
    """
    row = await lock(db, organisation_id, id)
    if changes.schedule is not UNSET:
        require_schedule(row["type"], changes.schedule)
    before = _recall(row)
    rule = _change_rule(row, before, changes, now)
    active = _given(changes.active, row["active"])
    params, entries, store_id, service = row["params"], row["entries"], row["store_id"], row["service"]
    if changes.checked is not UNSET:
        params, entries, given = changes.checked
        store_id, service = await bind(db, organisation_id, row["type"], given)
    await db.execute(
        "update_definition",
        organisation_id,
        id,
        _given(changes.name, row["name"]),
        params,
        entries,
        _store(rule),
        "UTC" if rule is None else rule.zone,
        _given(changes.overlap, row["overlap"]),
        _given(changes.catch_up_s, row["catch_up_s"]),
        active,
        store_id,
        service,
    )
    if rule != before or active != row["active"]:
        due_at = _plan(rule, now, is_new=rule != before or row["last_due_at"] is None) if active else None
        await db.execute("plan_definition", organisation_id, id, due_at)
    return await _find_one(db, organisation_id, id)


async def delete(db: Transaction, organisation_id: int, *, id: uuid.UUID | None = None, type: str | None = None) -> int:
    """Forget one definition, all of a type, or all; how many there were. What runs goes on, what waits is halted."""
    return len(await db.fetch("delete_definitions", organisation_id, id, type, wire.encode(CANCELLED), None, None))


async def delete_of_store(db: Transaction, organisation_id: int, store_id: int, limit: int) -> int:
    """Forget definitions that are bound to a store, at most so many; how many there were. What waits is halted."""
    error = wire.encode({"code": "cancelled", "message": "The store is being deleted."})
    return len(await db.fetch("delete_definitions", organisation_id, None, None, error, store_id, limit))


async def lock(db: Transaction, organisation_id: int, id: uuid.UUID) -> Record:
    """The definition, which nobody else changes or executes before the transaction ends. Raises 20004."""
    row = await db.fetchrow("lock_definition", organisation_id, id)
    if row is None:
        raise ApiError(Code.unsupported_value, "the definition is not known")
    return row


async def _find_one(db: Transaction, organisation_id: int, id: uuid.UUID) -> Definition:
    (definition,) = await find(db, organisation_id, ids=[id], limit=1)
    return definition


def _given(value: Any, otherwise: Any) -> Any:
    return otherwise if value is UNSET else value


def _parse(schedule: Schedule | None, zone: str | None, now: datetime) -> Rule | None:
    return None if schedule is None else parse(schedule, zone, now)


def _recall(row: Record) -> Rule | None:
    schedule = read_schedule(row["schedule"])
    return None if schedule is None else recall(schedule, row["zone"])


def _store(rule: Rule | None) -> bytes | None:
    return None if rule is None else wire.encode(rule.schedule)


def _change_rule(row: Record, before: Rule | None, changes: Changes, now: datetime) -> Rule | None:
    if changes.schedule is UNSET and changes.zone is UNSET:
        return before
    stored = None if before is None else before.schedule
    schedule = _given(changes.schedule, stored)
    # A new schedule in the words of `repeat` has no zone, whatever the one before had.
    zone = _given(changes.zone, None if schedule is not None and schedule.repeat is not None else row["zone"])
    return _parse(schedule, zone, now)


def _plan(rule: Rule | None, now: datetime, *, is_new: bool) -> datetime | None:
    """When a definition that is active from `now` on is due; what runs once has not run if it `is_new`."""
    if rule is None:
        return None
    due_at = rule.first_due(now) if is_new else rule.next_after(now)
    return None if due_at is None or due_at > LATEST else max(due_at, EARLIEST)
