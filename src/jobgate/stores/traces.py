"""Traces: what a store has of somebody, found batch by batch and, unless it is only to be counted, deleted.

Statements and the owners of documents are searched as text, whatever links and shapes they have: what only looks so is
looked into. So nobody is hidden by a statement that is not valid, or that was recorded without links.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from jobgate import wire
from jobgate.db import Transaction
from jobgate.stores.erasing import erase_statements
from jobgate.stores.forgetting import set_members
from jobgate.stores.marks import Mark
from jobgate.stores.people import find_person_of
from jobgate.stores.pseudonym_keys import Pseudonyms
from jobgate.xapi.identifiers import Identifier, agent_id, identify
from jobgate.xapi.mentions import Mentions
from jobgate.xapi.pseudonyms import hash_mbox

MAX_SEARCHED = 1000
MAX_BYTES = 16 * 1024 * 1024
"""How many records one transaction looks at, and, beyond the first, how long the statements are that it looks into."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Somebody, under every identifier that counts."""

    ids: list[UUID]
    mentions: Mentions

    @property
    def patterns(self) -> tuple[Sequence[str], Sequence[str]]:
        """What Postgres looks for."""
        return self.mentions.patterns, self.mentions.digest_patterns


@dataclass(frozen=True, slots=True)
class Traces:
    """What a batch had."""

    counts: dict[str, int] = field(default_factory=dict)
    """How many traces, by their kinds."""
    looked: int = 0
    """At how many records."""
    reached: Any = None
    """The mark or the number behind which the next batch begins; None: this was the last."""


async def seek(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    agent: Identifier,
    *,
    person: bool,
    digests: bool,
    pseudonyms: Pseudonyms | None,
) -> Sought:
    """Everything that an agent is known by: alone or with its person, under SHA-1s of mboxes, under pseudonyms."""
    wanted = {agent}
    joined = await find_person_of(db, organisation_id, store_id, agent) if person else None
    if joined is not None:
        wanted |= {identifier for each in joined.agents if (identifier := identify(each)) is not None}
    if pseudonyms is not None:
        wanted |= {pseudonyms.find(each) for each in wanted}
    if digests:
        wanted |= {hash_mbox(each) for each in wanted}
    return Sought([agent_id(each) for each in wanted], Mentions(wanted))


async def take_statements(
    db: Transaction, organisation_id: int, store_id: int, sought: Sought, mark: Mark, *, only_count: bool
) -> Traces:
    """The next statements in which somebody stands, wherever but in the authority."""
    args = (*mark, MAX_SEARCHED, *sought.patterns, MAX_BYTES)
    rows = await db.fetch("search_statements", organisation_id, store_id, *args)
    ids = [
        row["id"]
        for row in rows
        if row["raw"] is not None and sought.mentions.in_statement(wire.decode(row["raw"], dict[str, Any]))
    ]
    if ids and not only_count:
        await erase_statements(db, organisation_id, store_id, ids)
    reached = (rows[-1]["stored"], rows[-1]["number"]) if rows else None
    return Traces({"statements": len(ids)}, len(rows), reached)


async def take_documents(
    db: Transaction, organisation_id: int, store_id: int, sought: Sought, after: int, *, only_count: bool
) -> Traces:
    """The next states and agent profiles that are somebody's, or a group's with somebody in it."""
    rows = await db.fetch("search_documents", organisation_id, store_id, after, MAX_SEARCHED, *sought.patterns)
    found = [row for row in rows if row["agent"] is not None and sought.mentions.inside(_read(row["agent"]))]
    if found and not only_count:
        await db.execute("delete_documents", organisation_id, store_id, [row["number"] for row in found])
    counts = dict.fromkeys(("states", "agent_profiles"), 0)
    for row in found:
        counts[row["kind"].replace("-", "_")] += 1
    return Traces(counts, len(rows), _reached(rows))


async def take_tokens(
    db: Transaction, organisation_id: int, store_id: int, sought: Sought, after: int, *, only_count: bool
) -> Traces:
    """The next cmi5 tokens that were made for somebody."""
    rows = await db.fetch("find_tokens_of", organisation_id, store_id, sought.ids, after, MAX_SEARCHED)
    numbers = [row["number"] for row in rows]
    if numbers and not only_count:
        await db.execute("delete_tokens", organisation_id, store_id, numbers)
    return Traces({"tokens": len(numbers)}, len(numbers), _reached(rows))


async def take_memberships(
    db: Transaction, organisation_id: int, store_id: int, sought: Sought, after: int, *, only_count: bool
) -> Traces:
    """The next groups of the catalogue that have somebody as a member; they stay, without that member."""
    rows = await db.fetch("search_groups", organisation_id, store_id, after, MAX_SEARCHED, *sought.patterns)
    left: dict[UUID, list[Any]] = {}
    for row in rows:
        members = [] if row["members"] is None else _read(row["members"])
        others = [member for member in members if not sought.mentions.inside(member)]
        if len(others) < len(members):
            left[row["id"]] = others
    if not only_count:
        await set_members(db, organisation_id, store_id, left)
    return Traces({"groups_changed": len(left)}, len(rows), _reached(rows))


async def take_agents(
    db: Transaction, organisation_id: int, store_id: int, sought: Sought, *, only_count: bool
) -> Traces:
    """What the catalogue knows of somebody, and the person, unless that has other agents."""
    rows = await db.fetch("find_persons_of", organisation_id, store_id, sought.ids)
    persons = sorted({row["person_id"] for row in rows if row["person_id"] is not None})
    gone: int = await db.fetchval("count_persons_without", organisation_id, store_id, persons, sought.ids)
    if not only_count:
        await db.execute("delete_agents", organisation_id, store_id, sought.ids)
        await db.execute("delete_empty_persons", organisation_id, store_id, persons)
    return Traces({"agents": len(rows), "persons": gone}, len(rows))


def _read(text: bytes) -> Any:
    return wire.decode(text, Any)


def _reached(rows: Sequence[Any]) -> int | None:
    return rows[-1]["number"] if len(rows) == MAX_SEARCHED else None
