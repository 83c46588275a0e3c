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
from jobgate.stores.incoming import Facts, NamedActivity, NamedActor, name_activities, name_actors
from jobgate.stores.options import EntryOptions
from jobgate.xapi.identifiers import Identifier, iri_id
from jobgate.xapi.positions import Place

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
    facts: Sequence[Facts],
    options: EntryOptions,
    pseudonyms: object | None = None,
) -> None:
    """Take over what these statements name, in their order, as far as the options say."""
    if options.update_activities or options.update_vocab:
        activities = gather_activities(named for each in facts for named in each.activities_named)
        if options.update_activities:
            await keep_activities(db, organisation_id, store_id, activities)
        if options.update_vocab:
            await keep_terms(db, organisation_id, store_id, facts, activities.values())
    if options.update_agents:
        agents = gather_agents(named for each in facts for named in each.actors_named)
        await keep_agents(db, organisation_id, store_id, agents, are_pseudonyms=pseudonyms is not None)


def find_activities(statements: Iterable[dict[str, Any]]) -> dict[UUID, Activity]:
    """The activities that statements name."""
    return gather_activities(named for statement in statements for named in name_activities(statement))


def gather_activities(named: Iterable[NamedActivity]) -> dict[UUID, Activity]:
    """The activities that are named, each once."""
    found: dict[UUID, Activity] = {}
    for id, iri, _, relation, activity in named:
        known = found.get(id)
        if known is None:
            known = found[id] = Activity(iri, {})
        definition = activity.get("definition")
        if type(definition) is dict:
            known.definition = merge_definitions(known.definition, definition)
        if relation == "category":
            known.is_category = True
    return found


async def keep_activities(
    db: Transaction, organisation_id: int, store_id: int, found: dict[UUID, Activity], *, replace: bool = False
) -> int:
    """Add activities, or what is new about them; how many changed. `replace`: definitions are not merged."""
    ids = list(found)
    rows = await db.fetch("find_known_activities", organisation_id, store_id, ids)
    known = {row["id"]: (row["definition"], row["is_category"]) for row in rows}
    changed: list[tuple[UUID, str, bytes, str | None, bool, bool]] = []
    for id in ids:
        activity = found[id]
        text, is_category = known.get(id, (b"{}", False))
        said = wire.encode(activity.definition)
        is_said = said == text or (not replace and not activity.definition)
        if id in known and is_said and (is_category or not activity.is_category):
            continue  # nearly always; what was said otherwise may still say nothing new
        definition = wire.decode(text, dict[str, Any])
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
    if not known or known == said:
        return said
    merged = known | said
    for name in _MERGED:
        before, after = known.get(name), said.get(name)
        if type(before) is dict and type(after) is dict:
            merged[name] = before | after
    return merged


def find_agents(statements: Iterable[dict[str, Any]]) -> dict[UUID, Agent]:
    """The agents and identified groups that statements name; who only vouches for them is none."""
    return gather_agents(named for statement in statements for named in name_actors(statement))


def gather_agents(named: Iterable[NamedActor]) -> dict[UUID, Agent]:
    """Those of the agents and groups that are named who do more than vouch, each once."""
    found: dict[UUID, Agent] = {}
    for id, identifier, place, actor in named:
        if place is not Place.authority:
            found[id] = read_agent(identifier, actor, found.get(id))
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
    agents = list(found.items())
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
    db: Transaction,
    organisation_id: int,
    store_id: int,
    facts: Sequence[Facts],
    activities: Iterable[Activity],
) -> None:
    """Add verbs, or what is new about their displays, and the types of activities."""
    verbs: dict[str, dict[str, Any]] = {}
    for each in facts:
        verb = each.statement.get("verb")
        if type(verb) is dict and type(verb.get("id")) is str:
            display = verb.get("display")
            known = verbs.get(verb["id"], {})
            verbs[verb["id"]] = known | display if type(display) is dict and display != known else known
    types = {kind for activity in activities if type(kind := activity.definition.get("type")) is str}
    rows = [("verb", iri_id(iri), iri, wire.encode(verbs[iri])) for iri in sorted(verbs)]
    rows += [("type", iri_id(iri), iri, b"{}") for iri in sorted(types)]
    if rows:
        await db.execute("upsert_terms", organisation_id, store_id, *map(list, zip(*rows, strict=True)))
