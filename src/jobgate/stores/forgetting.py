"""Forgetting: agents out of the catalogue when nothing names them any more, and out of the groups there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobgate import wire
from jobgate.db import Transaction
from jobgate.xapi.identifiers import agent_id, identify

MAX_FORGOTTEN = 1000
"""How many one transaction looks at."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went, and how far the look came: to an agent with this number, or, None, to the end."""

    count: int
    reached: int | None


async def forget_unnamed(db: Transaction, organisation_id: int, store_id: int, ids: Collection[UUID]) -> int:
    """Delete those of these agents that nothing names any more; how many there were. Empty persons go with them."""
    if not ids:
        return 0
    gone = await db.fetch("delete_unnamed_agents", organisation_id, store_id, list(ids))
    persons = sorted({row["person_id"] for row in gone if row["person_id"] is not None})
    if persons:
        await db.execute("delete_empty_persons", organisation_id, store_id, persons)
    return len(gone)


async def forget_unnamed_after(
    db: Transaction, organisation_id: int, store_id: int, cutoff: datetime, after: int
) -> Forgotten:
    """The same with the next agents that became known after the one with the number `after`, and up to `cutoff`.

    Those that somebody has joined in a person stay.
    """
    args = (organisation_id, store_id, after, cutoff, MAX_FORGOTTEN)
    rows = await db.fetch("find_original_agents", *args)
    count = await forget_unnamed(db, organisation_id, store_id, [row["id"] for row in rows])
    return Forgotten(count, rows[-1]["number"] if rows else None)


async def trim_groups(db: Transaction, organisation_id: int, store_id: int, after: int) -> Forgotten:
    """Take out of the next groups the members that the catalogue does not know; how many groups changed."""
    rows = await db.fetch("find_groups", organisation_id, store_id, after, MAX_FORGOTTEN)
    members = {row["id"]: [(each, _id_of(each)) for each in wire.decode(row["members"], list[Any])] for row in rows}
    asked = {id for each in members.values() for _, id in each if id is not None}
    known = {row["id"] for row in await db.fetch("find_known_agents", organisation_id, store_id, list(asked))}
    left = {group: [member for member, id in each if id in known] for group, each in members.items()}
    changed = {group: each for group, each in left.items() if len(each) < len(members[group])}
    await set_members(db, organisation_id, store_id, changed)
    return Forgotten(len(changed), rows[-1]["number"] if rows else None)


async def set_members(db: Transaction, organisation_id: int, store_id: int, members: dict[UUID, list[Any]]) -> None:
    """Let groups have these members."""
    if members:
        texts = [wire.encode(each) for each in members.values()]
        await db.execute("set_members", organisation_id, store_id, list(members), texts)


def _id_of(member: Any) -> UUID | None:
    identifier = identify(member)
    return None if identifier is None else agent_id(identifier)
