"""The catalogue of a store: what its statements name, each once, with the most that was ever said of it.

What comes later wins: names and definitions are merged property by property, language by language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from jobgate import wire
from jobgate.db import Transaction
from jobgate.stores.options import EntryOptions
from jobgate.xapi.identifiers import Identifier, agent_id, identify, iri_id
from jobgate.xapi.positions import Place, walk_activities, walk_actors

PROFILE_TYPE = "http://adlnet.gov/expapi/activities/profile"

_MERGED = ("name", "description", "extensions")
"""Maps of a definition, to which a later one adds."""


@dataclass(slots=True)
class Activity:
    """An activity, as far as statements tell."""

    iri: str
    definition: dict[str, Any]
    is_category: bool = False


@dataclass(slots=True)
class Agent:
    """An agent or an identified group."""

    identifier: Identifier
    name: str | None
    is_group: bool
    members: list[Any] | None


async def keep(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    statements: Sequence[dict[str, Any]],
    options: EntryOptions,
    pseudonyms: object | None = None,
) -> None:
    """Take over what these statements name, in their order, as far as the options say."""
    if options.update_activities:
        await keep_activities(db, organisation_id, store_id, find_activities(statements))
    if options.update_agents:
        agents = find_agents(statements)
        await keep_agents(db, organisation_id, store_id, agents, are_pseudonyms=pseudonyms is not None)
    if options.update_vocab:
        await keep_terms(db, organisation_id, store_id, statements)


def find_activities(statements: Iterable[dict[str, Any]]) -> dict[UUID, Activity]:
    """The activities that statements name."""
    found: dict[UUID, Activity] = {}
    for statement in statements:
        for _, relation, activity in walk_activities(statement):
            iri, definition = activity.get("id"), activity.get("definition")
            if type(iri) is not str:
                continue
            known = found.setdefault(iri_id(iri), Activity(iri, {}))
            if type(definition) is dict:
                known.definition = merge_definitions(known.definition, definition)
            known.is_category = known.is_category or relation == "category"
    return found


async def keep_activities(
    db: Transaction, organisation_id: int, store_id: int, found: dict[UUID, Activity], *, replace: bool = False
) -> int:
    """Add activities, or what is new about them; how many changed. `replace`: definitions are not merged."""
    ids = sorted(found)
    rows = await db.fetch("find_known_activities", organisation_id, store_id, ids)
    known = {row["id"]: (wire.decode(row["definition"], dict[str, Any]), row["is_category"]) for row in rows}
    changed: list[tuple[UUID, str, bytes, str | None, bool, bool]] = []
    for id in ids:
        activity = found[id]
        definition, is_category = known.get(id, ({}, False))
        merged = activity.definition if replace else merge_definitions(definition, activity.definition)
        if id in known and merged == definition and (is_category or not activity.is_category):
            continue
        kind = merged.get("type")
        kind = kind if type(kind) is str else None
        row = (id, activity.iri, wire.encode(merged), kind, is_category or activity.is_category, kind == PROFILE_TYPE)
        changed.append(row)
    if changed:
        await db.execute("upsert_activities", organisation_id, store_id, *map(list, zip(*changed, strict=True)))
    return len(changed)


def merge_definitions(known: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """A definition with what a later one adds or says otherwise."""
    merged = known | said
    for name in _MERGED:
        before, after = known.get(name), said.get(name)
        if type(before) is dict and type(after) is dict:
            merged[name] = before | after
    return merged


def find_agents(statements: Iterable[dict[str, Any]]) -> dict[UUID, Agent]:
    """The agents and identified groups that statements name; who only vouches for them is none."""
    found: dict[UUID, Agent] = {}
    for statement in statements:
        for place, actor in walk_actors(statement):
            identifier = identify(actor)
            if place is Place.authority or identifier is None:
                continue
            found[agent_id(identifier)] = read_agent(identifier, actor, found.get(agent_id(identifier)))
    return found


def read_agent(identifier: Identifier, actor: dict[str, Any], known: Agent | None = None) -> Agent:
    """An agent, and what was known of it before."""
    name, members = actor.get("name"), actor.get("member")
    return Agent(
        identifier,
        name if type(name) is str else known.name if known else None,
        actor.get("objectType") == "Group" or (known is not None and known.is_group),
        members if type(members) is list else known.members if known else None,
    )


async def keep_agents(
    db: Transaction, organisation_id: int, store_id: int, found: dict[UUID, Agent], *, are_pseudonyms: bool = False
) -> int:
    """Add agents, or what is new about them; how many changed."""
    if not found:
        return 0
    agents = [(id, found[id]) for id in sorted(found)]
    return await db.execute(
        "upsert_agents",
        organisation_id,
        store_id,
        are_pseudonyms,
        [id for id, _ in agents],
        [agent.identifier.kind for _, agent in agents],
        [agent.identifier.value for _, agent in agents],
        [agent.identifier.home_page for _, agent in agents],
        [agent.name for _, agent in agents],
        [agent.is_group for _, agent in agents],
        [None if agent.members is None else wire.encode(agent.members) for _, agent in agents],
    )


async def keep_terms(
    db: Transaction, organisation_id: int, store_id: int, statements: Sequence[dict[str, Any]]
) -> None:
    """Add verbs and types of activities."""
    verbs: dict[str, dict[str, Any]] = {}
    types: dict[str, dict[str, Any]] = {}
    for statement in statements:
        verb = statement.get("verb")
        if type(verb) is dict and type(verb.get("id")) is str:
            display = verb.get("display")
            verbs[verb["id"]] = verbs.get(verb["id"], {}) | (display if type(display) is dict else {})
    for activity in find_activities(statements).values():
        kind = activity.definition.get("type")
        if type(kind) is str:
            types[kind] = {}
    rows = [("verb", iri_id(iri), iri, wire.encode(verbs[iri])) for iri in sorted(verbs)]
    rows += [("type", iri_id(iri), iri, b"{}") for iri in sorted(types)]
    if rows:
        await db.execute("upsert_terms", organisation_id, store_id, *map(list, zip(*rows, strict=True)))
