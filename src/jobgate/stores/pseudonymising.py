"""Pseudonymising what a store has: statements and documents, up to a time, the oldest first.

    read a batch -> replace identities -> write it, with what it is found by -> forget whom nothing names any more

What is done carries a flag, so a batch is simply the next without it, and doing it again finds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.stores import catalogue
from jobgate.stores.catalogue import Agent
from jobgate.stores.forgetting import forget_unnamed
from jobgate.stores.incoming import Facts, find_links, look_into
from jobgate.stores.pseudonym_keys import Pseudonyms
from jobgate.stores.recording import as_array, as_places, as_text_array, find_digests
from jobgate.turns import Turns
from jobgate.xapi.identifiers import agent_id, identify

MAX_REPLACED = 1000
"""How many one transaction takes."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """What became of a batch."""

    count: int
    agents: int
    """How many agents are known no more."""


async def count_originals(db: Transaction, organisation_id: int, store_id: int, cutoff: datetime) -> int:
    """How many statements that were recorded up to `cutoff`, that instant included, are as they came."""
    count: int = await db.fetchval("count_originals", organisation_id, store_id, cutoff)
    return count


async def replace_statements(
    db: Transaction, organisation_id: int, store_id: int, pseudonyms: Pseudonyms, cutoff: datetime
) -> Replaced:
    """Pseudonymise a batch of them in a store that is held; 0: there is none left. Id, stored and timestamp stay."""
    rows = await db.fetch("find_originals", organisation_id, store_id, cutoff, MAX_REPLACED)
    if not rows:
        return Replaced(0, 0)
    turns = Turns()
    originals: set[UUID] = set()
    facts: list[Facts] = []
    for row in rows:
        statement = wire.decode(row["raw"], dict[str, Any])
        originals.update(find_links(statement)[0])
        facts.append(look_into(pseudonyms.rewrite(statement), row["stored"]))
        await turns.pass_on()
    await _write(db, organisation_id, store_id, pseudonyms, rows, facts)
    await _drop_attachments(db, organisation_id, store_id, rows, facts)
    agents = catalogue.find_agents(each.statement for each in facts)
    await catalogue.keep_agents(db, organisation_id, store_id, agents, are_pseudonyms=True)
    gone = await forget_unnamed(db, organisation_id, store_id, originals - agents.keys())
    return Replaced(len(rows), gone)


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
        agents[id] = catalogue.read_agent(identifier, agent, agents.get(id))
        found[row["number"]] = (id, wire.encode(agent))
    numbers, ids, texts = list(found), [id for id, _ in found.values()], [text for _, text in found.values()]
    outdone = await db.execute("delete_outdone_documents", organisation_id, store_id, numbers, ids)
    count = await db.execute("replace_document_agents", organisation_id, store_id, numbers, ids, texts)
    await catalogue.keep_agents(db, organisation_id, store_id, agents, are_pseudonyms=True)
    gone = await forget_unnamed(db, organisation_id, store_id, originals - agents.keys())
    return ReplacedDocuments(count, outdone, gone, rows[-1]["number"])
