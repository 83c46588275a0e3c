"""Records on their way out of a store, in the order in which they were recorded, or in which they changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Raw

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.exchange.places import StorePlace
from jobgate.exchange.trips import Trip
from jobgate.remotes.records import (
    ActivityProfileRecord,
    ActivityRecord,
    AgentProfileRecord,
    AgentRecord,
    AnyRecord,
    Service,
    StatementRecord,
    StateRecord,
    write_content,
    write_time,
)
from jobgate.stores.pseudonym_keys import Pseudonyms
from jobgate.xapi.identifiers import Identifier, agent_id, identify

MAX_BYTES = 8 * 1024 * 1024
"""Of a batch, beyond its first record."""

_TABLES: dict[Service, str] = {"statements": "statements", "activities": "activities", "agents": "agents"}


async def read_leaving(
    db: Transaction, trip: Trip[Any], place: StorePlace, limit: int, *, changed: bool
) -> list[Record]:
    """The next records of the service in work; `changed`: in the order of their last change."""
    name, kind = _name(trip.service, changed=changed)
    await db.execute("walk_in_order")
    return await db.fetch(f"leave_{name}", *_window(trip, place), limit, MAX_BYTES, *kind)


async def count_leaving(db: Transaction, trip: Trip[Any], place: StorePlace, *, changed: bool) -> int:
    """How many records of the service in work there are to come."""
    name, kind = _name(trip.service, changed=changed)
    count: int = await db.fetchval(f"count_leaving_{name}", *_window(trip, place), *kind)
    return count


def _name(service: Service, *, changed: bool) -> tuple[str, tuple[Service, ...]]:
    """The statement for a service, and what it has to be told besides."""
    table = _TABLES.get(service, "documents")
    by_change = changed and service != "statements"  # those never change
    return f"{'changed_' * by_change}{table}", (service,) if table == "documents" else ()


def _window(trip: Trip[Any], place: StorePlace) -> tuple[Any, ...]:
    return trip.organisation_id, trip.store_id, place.moment, place.number, trip.journey.cutoff


def make_record(row: Record, service: Service, store: str, pseudonyms: Pseudonyms | None) -> AnyRecord:
    """The export record of a row of another service than statements."""
    times = {"store": store, "stored": write_time(row["stored"]), "updated": write_time(row["updated"])}
    if service == "activities":
        definition = wire.decode(row["definition"], dict[str, Any])
        activity = {"objectType": "Activity", "id": row["iri"]} | ({"definition": definition} if definition else {})
        return ActivityRecord(id=str(row["id"]), **times, activity=Raw(wire.encode(activity)))
    if service == "agents":
        id, agent = _cover(_make_agent(row), pseudonyms)
        return AgentRecord(id=id, **times, agent=Raw(wire.encode(agent)))
    document = times | write_content(row["content"]) | {"content_type": row["content_type"], "id": str(row["number"])}
    if service == "activity-profiles":
        return ActivityProfileRecord(**document, activity_iri=row["activity_iri"], profile_id=row["document_id"])
    _, agent = _cover(wire.decode(row["agent"], dict[str, Any]), pseudonyms)
    owner = Raw(wire.encode(agent))
    if service == "agent-profiles":
        return AgentProfileRecord(**document, profile_id=row["document_id"], agent=owner)
    return StateRecord(
        **document,
        activity_iri=row["activity_iri"],
        state_id=row["document_id"],
        registration=row["registration"],
        agent=owner,
    )


def make_statement_record(row: Record, text: bytes, store: str, *, is_covered: bool) -> StatementRecord:
    """The export record of a statement that goes out as `text`."""
    return StatementRecord(
        id=str(row["id"]),
        store=store,
        stored=write_time(row["stored"]),
        pseudonymized=row["pseudonymized"] or is_covered,
        client=row["client"],
        statement=Raw(text),
    )


def _make_agent(row: Record) -> dict[str, Any]:
    agent: dict[str, Any] = {"objectType": "Group" if row["is_group"] else "Agent"}
    if row["name"] is not None:
        agent["name"] = row["name"]
    agent |= Identifier(row["kind"], row["field_1"], row["field_2"]).as_agent()
    if row["members"] is not None:
        agent["member"] = wire.decode(row["members"], list[Any])
    return agent


def _cover(agent: dict[str, Any], pseudonyms: Pseudonyms | None) -> tuple[str, dict[str, Any]]:
    """An agent under its pseudonym, where there are any, and the id that it has: that tells who it is, too."""
    shown = agent if pseudonyms is None else pseudonyms.rewrite_agent(agent)
    identifier = identify(shown)
    return "" if identifier is None else str(agent_id(identifier)), shown


def last_of(rows: Sequence[Record]) -> tuple[Any, int]:
    """Where the next batch begins."""
    return rows[-1]["moment"], rows[-1]["number"]
