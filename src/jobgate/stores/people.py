"""People: the agents of a store, and the persons that somebody has declared some of them to be.

A person is a set of agents; an agent belongs to one person at most. A person without agents is none.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Raw

from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code
from jobgate.paging import NEWEST
from jobgate.stores.catalogue import Agent, keep_agents, read_agent
from jobgate.xapi.identifiers import Identifier, agent_id

MAX_AGENTS = 100
"""How many a person has at most: whoever deletes one looks for all of them at once."""


class KnownAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent or an identified group of the catalogue."""

    id: UUID
    number: int
    agent: dict[str, Any]
    """As the standard writes it, with the name and the members that it was given last."""
    pseudonymized: bool
    person_id: UUID | None
    stored: datetime
    updated: datetime


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person."""

    id: UUID
    number: int
    agents: list[dict[str, Any]]
    created_at: datetime


async def find_agents(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    *,
    ids: Sequence[UUID] | None = None,
    person_id: UUID | None = None,
    pseudonymized: bool | None = None,
    before: int = NEWEST,
    limit: int,
) -> list[KnownAgent]:
    """The agents that fit every filter, those that became known last first."""
    args = (before, ids, person_id, pseudonymized, limit)
    return [
        KnownAgent(
            id=row["id"],
            number=row["number"],
            agent=_compose(row) | ({} if row["members"] is None else {"member": Raw(row["members"])}),
            pseudonymized=row["pseudonymized"],
            person_id=row["person_id"],
            stored=row["stored"],
            updated=row["updated"],
        )
        for row in await db.fetch("find_agents", organisation_id, store_id, *args)
    ]


async def find_persons(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    *,
    ids: Sequence[UUID] | None = None,
    agent: Identifier | None = None,
    before: int = NEWEST,
    limit: int,
) -> list[Person]:
    """The persons that fit every filter, those that were declared last first."""
    args = (before, ids, None if agent is None else agent_id(agent), limit)
    rows = await db.fetch("find_persons", organisation_id, store_id, *args)
    agents: dict[UUID, list[dict[str, Any]]] = {row["id"]: [] for row in rows}
    for row in await db.fetch("find_agents_of_persons", organisation_id, store_id, list(agents)):
        agents[row["person_id"]].append(_compose(row))
    return [
        Person(id=row["id"], number=row["number"], agents=agents[row["id"]], created_at=row["created_at"])
        for row in rows
    ]


async def set_persons(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    persons: Sequence[Sequence[tuple[dict[str, Any], Identifier]]],
) -> list[UUID]:
    """Let each of these lists of agents be a person of a store that is held; their ids, in order.

    Agents leave the person that they belonged to. A person goes on under its id where all of its agents are in one
    list, so that declaring the same again changes nothing. Raises 20004 for an agent in two lists, or a group.
    """
    found: dict[UUID, Agent] = {}
    lists: list[set[UUID]] = []
    for place, agents in enumerate(persons):
        members = {agent_id(identifier): read_agent(identifier, agent) for agent, identifier in agents}
        if any(agent.is_group for agent in members.values()):
            raise ApiError(Code.unsupported_value, f"`persons[{place}]` must not have a group among its agents")
        if not found.keys().isdisjoint(members):
            raise ApiError(
                Code.unsupported_value, f"`persons[{place}]` must not have an agent that is in another person"
            )
        found |= members
        lists.append(set(members))
    await keep_agents(db, organisation_id, store_id, found)
    before = await _find_peers(db, organisation_id, store_id, list(found))
    ids = [_find_own(members, before) or uuid.uuid4() for members in lists]
    await db.execute("insert_persons", organisation_id, store_id, [id for id in ids if id not in before])
    joined = [(id, person_id) for person_id, members in zip(ids, lists, strict=True) for id in members]
    await db.execute("join_agents", organisation_id, store_id, *map(list, zip(*joined, strict=True)))
    await db.execute("delete_empty_persons", organisation_id, store_id, list(before))
    return ids


async def find_person_of(db: Transaction, organisation_id: int, store_id: int, agent: Identifier) -> Person | None:
    """The person that an agent belongs to."""
    found = await find_persons(db, organisation_id, store_id, agent=agent, limit=1)
    return found[0] if found else None


async def _find_peers(
    db: Transaction, organisation_id: int, store_id: int, ids: Sequence[UUID]
) -> Mapping[UUID, set[UUID]]:
    """The persons that these agents belong to, the oldest first, each with all of its agents."""
    rows = await db.fetch("find_peers", organisation_id, store_id, ids)
    peers: dict[UUID, set[UUID]] = {}
    for row in sorted(rows, key=lambda row: row["number"]):
        peers.setdefault(row["person_id"], set()).add(row["id"])
    return peers


def _find_own(members: set[UUID], persons: Mapping[UUID, set[UUID]]) -> UUID | None:
    """The oldest of the persons that consist of nobody but these."""
    return next((person_id for person_id, agents in persons.items() if agents <= members), None)


def _compose(row: Record) -> dict[str, Any]:
    """An agent as the standard writes it."""
    name = {} if row["name"] is None else {"name": row["name"]}
    identifier = Identifier(row["kind"], row["field_1"], row["field_2"])
    return {"objectType": "Group" if row["is_group"] else "Agent"} | name | identifier.as_agent()
