"""Definitions of a type as their consumers see them: what they do, when, and how their last run ended."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from jobgate import wire
from jobgate.context import ERROR
from jobgate.db import Record, Transaction
from jobgate.definitions import Definition
from jobgate.schedule import Schedule
from jobgate.sessions.records import JsonObject
from jobgate.stores.connections import CONNECTED, ConnectionKind, find_connections
from jobgate.times import Moment, show_moment

APART = ("store", "service")
"""Parameters that stand beside the settings."""


class TypedJobConnection(msgspec.Struct, frozen=True, kw_only=True):
    """The far end of a pull or a push."""

    id: uuid.UUID
    type: ConnectionKind
    name: str


class TypedJob(msgspec.Struct, frozen=True, kw_only=True):
    """A saved job of a type."""

    id: uuid.UUID
    name: str
    store: str | None
    """The slug of its store; null where the type has none."""
    service: str | None
    connection: TypedJobConnection | None
    """Null where the type has none."""
    settings: JsonObject
    """The parameters of the type."""
    repeat: str | None
    """Null, as all of its parameters: it has another kind of schedule, or none (`jobs/definitions`)."""
    date: Moment | None
    time: str | None
    minute: int | None
    week_day: int | None
    month_day: int | None
    month: int | str | None
    next_runs: list[str]
    """The next five times; fewer when there are no more."""
    replay: bool
    """A run was asked for that has not begun."""
    running: bool
    ran: int
    """How many runs have ended."""
    success: bool | None
    """Whether the last run that ended did well: completed, and said no error last; null before the first."""
    started_at: str | None
    completed_at: str | None
    feedback: str | None
    """The last that it said."""


class DeletedTypedJobs(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were."""

    deleted: int


async def show_each(db: Transaction, organisation_id: int, found: Sequence[Definition]) -> list[TypedJob]:
    """These definitions, each with its last run."""
    rows = await db.fetch("find_last_runs", organisation_id, [definition.id for definition in found])
    last = {row["definition_id"]: row for row in rows}
    connections = await _find_connections(db, organisation_id, found)
    return [_show(each, last.get(each.id), connections.get(each.id)) for each in found]


async def _find_connections(
    db: Transaction, organisation_id: int, found: Sequence[Definition]
) -> dict[uuid.UUID, TypedJobConnection]:
    """The connections of pulls and pushes, by their definitions."""
    ids = {
        definition.id: uuid.UUID(wire.decode(definition.params, dict[str, Any])["connection"])
        for definition in found
        if definition.type in CONNECTED
    }
    if not ids:
        return {}
    known = {each.id: each for each in await find_connections(db, organisation_id, ids=list(ids.values()))}
    return {
        definition_id: TypedJobConnection(id=id, type=known[id].kind, name=known[id].name)
        for definition_id, id in ids.items()
        if id in known
    }


def find_store(definition: Definition) -> str | None:
    """The slug of the store that a definition works on."""
    slug: str | None = wire.decode(definition.params, dict[str, Any]).get("store")
    return slug


def tell(message: str, counters: Mapping[str, int] | None) -> str:
    """What a log entry says, in one line."""
    return message + (f" ({', '.join(f'{name}: {count}' for name, count in counters.items())})" if counters else "")


def did_well(run: Record) -> bool:
    """Whether a run that ended did what it should, as far as it says itself."""
    return bool(run["state"] == "completed" and run["severity"] != ERROR)


def tell_end(run: Record) -> str:
    """What a run that ended says last: why it failed, or else its last log entry."""
    if run["error"] is not None:
        return wire.decode(run["error"], dict[str, str])["message"]
    return tell_entry(run["message"], run["counters"])


def tell_entry(message: str | None, counters: bytes | None) -> str:
    """A stored log entry, if there is one."""
    return tell(message or "", None if counters is None else wire.decode(counters, dict[str, int]))


def _show(definition: Definition, last: Record | None, connection: TypedJobConnection | None) -> TypedJob:
    schedule = definition.schedule
    if schedule is None or schedule.repeat is None:
        schedule = Schedule()
    settings = wire.decode(definition.params, dict[str, Raw])
    apart = (*APART, "connection") if connection is not None else APART
    settings = {name: value for name, value in settings.items() if name not in apart}
    return TypedJob(
        id=definition.id,
        name=definition.name,
        store=find_store(definition),
        service=definition.service,
        connection=connection,
        settings=Raw(wire.encode(settings)),
        repeat=schedule.repeat,
        date=schedule.date,
        time=schedule.time,
        minute=schedule.minute,
        week_day=schedule.week_day,
        month_day=schedule.month_day,
        month=schedule.month,
        next_runs=[str(show_moment(run)) for run in definition.next_runs],
        replay=definition.is_requested,
        running=definition.is_running,
        ran=definition.ran,
        success=None if last is None else did_well(last),
        started_at=None if last is None else show_moment(last["started_at"]),
        completed_at=None if last is None else show_moment(last["completed_at"]),
        feedback=None if last is None else tell_end(last),
    )
