"""Pseudonymising what a store has: statements and documents, up to a time, the oldest first.

    read a batch -> replace identities -> write it, with what it is found by -> forget whom nothing names any more

What is done carries a flag, so doing it again finds nothing. A run remembers behind which record it goes on, so that no
batch walks again along what the ones before have changed: Postgres keeps that in its indexes while anybody can see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.stores.catalogue import Agent, gather_agents, keep_agents, read_agent
from jobgate.stores.contents import find_digests
from jobgate.stores.forgetting import forget_unnamed
from jobgate.stores.incoming import Facts, look_into, name_actors
from jobgate.stores.marks import Mark
from jobgate.stores.pseudonym_keys import Pseudonyms
from jobgate.stores.recording import as_array, as_places, as_text_array
from jobgate.turns import Turns, uncollected
from jobgate.xapi.identifiers import agent_id, identify
from jobgate.xapi.positions import Place

MAX_REPLACED = 1000
MAX_BYTES = 16 * 1024 * 1024
"""How many records one transaction takes, and, beyond the first, how long its statements are together."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What became of a batch."""

    count: int = 0
    agents: int = 0
    """How many agents are known no more."""
    reached: Mark | None = None
    """Behind which the next begins; None: there was nothing left."""


async def count_originals(
    db: Transaction, organisation_id: int, store_id: int, cutoff: datetime, mark: Mark, limit: int
) -> int:
    """How many statements recorded up to `cutoff`, that instant included, are as they came; at most `limit`."""
    count: int = await db.fetchval("count_originals", organisation_id, store_id, cutoff, *mark, limit)
    return count


async def replace_statements(
    db: Transaction, organisation_id: int, store_id: int, pseudonyms: Pseudonyms, cutoff: datetime, mark: Mark
) -> Replaced:
    """Pseudonymise a batch of them in a store that is held. Id, stored and timestamp stay."""
    rows = await db.fetch("find_originals", organisation_id, store_id, cutoff, *mark, MAX_REPLACED, MAX_BYTES)
    if not rows:
        return Replaced()
    turns = Turns()
    originals: set[UUID] = set()
    facts: list[Facts] = []
    with uncollected():
        for row in rows:
            statement = wire.decode(row["raw"], dict[str, Any])
            originals.update(each.id for each in name_actors(statement) if each.place is not Place.authority)
            facts.append(look_into(pseudonyms.rewrite(statement), row["stored"]))
            await turns.pass_on()
    await _write(db, organisation_id, store_id, pseudonyms, rows, facts)
    await _drop_attachments(db, organisation_id, store_id, rows, facts)
    agents = gather_agents(named for each in facts for named in each.actors_named)
    await keep_agents(db, organisation_id, store_id, agents, are_pseudonyms=True)
    gone = await forget_unnamed(db, organisation_id, store_id, originals - agents.keys())
    return Replaced(len(rows), gone, (rows[-1]["stored"], rows[-1]["number"]))


async def _write(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    pseudonyms: Pseudonyms,
    rows: Sequence[Record],
    facts: Sequence[Facts],
) -> None:
    linked = [each.agents if row["agent_ids"] else {} for row, each in zip(rows, facts, strict=True)]
    await db.execute(
        "replace_originals",
        organisation_id,
        store_id,
        pseudonyms.key_id,
        [row["id"] for row in rows],
        [row["number"] for row in rows],
        [row["stored"] for row in rows],
        [each.raw for each in facts],
        [each.actor_id for each in facts],
        [each.object_id for each in facts],
        [as_array(agents) for agents in linked],
        [as_places(agents) for agents in linked],
        [as_array(set(row["agent_ids"]) - agents.keys()) for row, agents in zip(rows, linked, strict=True)],
        [as_text_array(_kept(row, each)) for row, each in zip(rows, facts, strict=True)],
    )


async def _drop_attachments(
    db: Transaction, organisation_id: int, store_id: int, rows: Sequence[Record], facts: Sequence[Facts]
) -> None:
    """Signatures went with the identities that are in them."""
    gone = [
        (sha2, row["number"])
        for row, each in zip(rows, facts, strict=True)
        if row["attachments"]
        for sha2 in set(row["attachments"]).difference(_kept(row, each))
    ]
    if gone:
        await db.execute("unlink_attachments", organisation_id, store_id, *map(list, zip(*gone, strict=True)))
        digests = sorted({sha2 for sha2, _ in gone})
        await db.execute("delete_loose_attachments", organisation_id, store_id, digests)


def _kept(row: Record, facts: Facts) -> list[str]:
    """The digests of those contents of a statement that stay."""
    if not row["attachments"]:
        return []
    left = set(find_digests(facts.statement))
    return [sha2 for sha2 in row["attachments"] if sha2 in left]


@dataclass(frozen=True, slots=True)
class ReplacedDocuments:
    """What became of a batch of documents."""

    count: int
    outdone: int
    """How many were deleted, since another one has the same place under the same pseudonym and was changed later."""
    agents: int
    reached: int | None
    """The number of the last one; None: there was none left."""


async def replace_documents(
    db: Transaction, organisation_id: int, store_id: int, pseudonyms: Pseudonyms, cutoff: datetime, after: int
) -> ReplacedDocuments:
    """Pseudonymise whom the next states and agent profiles are of, if they were changed last up to `cutoff`."""
    args = (organisation_id, store_id, after, cutoff, MAX_REPLACED)
    rows = await db.fetch("find_original_documents", *args)
    if not rows:
        return ReplacedDocuments(0, 0, 0, None)
    found: dict[int, tuple[UUID, bytes]] = {}
    originals: set[UUID] = set()
    agents: dict[UUID, Agent] = {}
    for row in rows:
        agent = pseudonyms.rewrite_agent(wire.decode(row["agent"], Any))
        identifier = identify(agent)
        if identifier is None:
            continue  # it is nobody's
        id = agent_id(identifier)
        originals.add(row["agent_id"])
        agents[id] = read_agent(identifier, agent, agents.get(id))
        found[row["number"]] = (id, wire.encode(agent))
    numbers, ids, texts = list(found), [id for id, _ in found.values()], [text for _, text in found.values()]
    outdone = await db.execute("delete_outdone_documents", organisation_id, store_id, numbers, ids)
    count = await db.execute("replace_document_agents", organisation_id, store_id, numbers, ids, texts)
    await keep_agents(db, organisation_id, store_id, agents, are_pseudonyms=True)
    gone = await forget_unnamed(db, organisation_id, store_id, originals - agents.keys())
    return ReplacedDocuments(count, outdone, gone, rows[-1]["number"])
