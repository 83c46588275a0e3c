"""Persons: several agents of one human."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Raw

from jobgate import wire
from jobgate.context import Context, Reply, Request
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.stores import people
from jobgate.stores.naming import NamedAgent, read_named_agent
from jobgate.stores.people import MAX_AGENTS, find_persons, set_persons
from jobgate.stores.spaces import Slug, find_stores, hold
from jobgate.times import show_moment

MAX_PERSONS = 100
MAX_PERSONS_SHOWN = 50

AgentObjects = list[Annotated[Raw, Meta(extra_json_schema={"type": "object"})]]

AgentsOfPerson = Annotated[list[NamedAgent], Meta(min_length=1, max_length=MAX_AGENTS)]


class GetPersons(Request, frozen=True, kw_only=True):
    """Which persons to read; one must fit all filters that are given."""

    store: Slug
    id: Annotated[list[UUID], Meta(max_length=1000)] | None = None
    agent: NamedAgent | None = None
    """The person that it belongs to."""
    limit: Annotated[int, Meta(ge=1)] = MAX_PERSONS_SHOWN
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class SetPersons(Request, frozen=True, kw_only=True):
    """Persons, each a list of all agents of one human, and the store that they are for."""

    store: Slug
    persons: Annotated[list[AgentsOfPerson], Meta(min_length=1, max_length=MAX_PERSONS)]


class XapiPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A person."""

    id: UUID
    agents: AgentObjects
    created_at: str | None


@action("get")
async def read_persons(ctx: Context, request: GetPersons) -> Reply[list[XapiPerson]]:
    """Read the persons of a store, those that were declared last first."""
    limit = min(request.limit, MAX_PERSONS_SHOWN)
    agent = None if request.agent is None else read_named_agent(request.agent)[1]
    async with ctx.db.reading(ctx.organisation_id) as db:
        stores = await find_stores(db, ctx.organisation_id, slugs=[request.store])
        if not stores:
            return Reply(data=[], records=0)
        args = (db, ctx.organisation_id, stores[0].id)
        before = read_next(request.next)
        found = await find_persons(*args, ids=request.id, agent=agent, before=before, limit=limit + 1)
    page = [_show(person) for person in found[:limit]]
    return Reply(data=page, records=len(page), next=str(found[limit - 1].number) if len(found) > limit else None)


# Not guarded: the same again changes nothing, and the answer, which names people, need not be kept for a retry.
@action("set")
async def declare_persons(ctx: Context, request: SetPersons) -> list[XapiPerson]:
    """Let each list of agents be a person. Agents leave the person before; one who has none any more is gone."""
    persons = [
        [read_named_agent(agent, f"persons[{place}]") for agent in agents]
        for place, agents in enumerate(request.persons)
    ]
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        store = await hold(tx, ctx.organisation_id, request.store)
        ids = await set_persons(tx, ctx.organisation_id, store.id, persons)
        found = await find_persons(tx, ctx.organisation_id, store.id, ids=ids, limit=len(ids))
    return [_show(person) for person in sorted(found, key=lambda person: ids.index(person.id))]


def _show(person: people.Person) -> XapiPerson:
    return XapiPerson(
        id=person.id,
        agents=[Raw(wire.encode(agent)) for agent in person.agents],
        created_at=show_moment(person.created_at),
    )
