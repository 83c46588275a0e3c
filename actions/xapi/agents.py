"""Agents and identified groups that a store knows."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Raw

from jobgate import wire
from jobgate.context import Context, Reply, Request
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.stores.naming import NamedAgent, read_named_agent
from jobgate.stores.people import KnownAgent, find_agents
from jobgate.stores.spaces import Slug, find_stores
from jobgate.times import show_moment
from jobgate.xapi.identifiers import agent_id

MAX_AGENTS_SHOWN = 50

AgentObject = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]


class GetAgents(Request, frozen=True, kw_only=True):
    """Which agents to read; one must fit all filters that are given."""

    store: Slug
    agent: NamedAgent | None = None
    """The one with this identifier."""
    id: Annotated[list[UUID], Meta(max_length=1000)] | None = None
    person: UUID | None = None
    """Those of a person."""
    pseudonymized: bool | None = None
    """True: pseudonyms only; false: none of them."""
    limit: Annotated[int, Meta(ge=1)] = MAX_AGENTS_SHOWN
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class XapiAgent(msgspec.Struct, frozen=True, kw_only=True):
    """An agent or an identified group."""

    id: UUID
    """Made from its identifier."""
    agent: AgentObject
    """As the standard writes it, with the name and the members that statements gave it last."""
    pseudonymized: bool
    person: UUID | None
    """The person that it was declared to be."""
    stored: str | None
    updated: str | None


@action("get")
async def read_agents(ctx: Context, request: GetAgents) -> Reply[list[XapiAgent]]:
    """Read the agents of a store, those that became known last first."""
    limit, ids = min(request.limit, MAX_AGENTS_SHOWN), request.id
    if request.agent is not None:
        named = agent_id(read_named_agent(request.agent)[1])
        ids = [named] if ids is None or named in ids else []
    async with ctx.db.reading(ctx.organisation_id) as db:
        stores = await find_stores(db, ctx.organisation_id, slugs=[request.store])
        if not stores:
            return Reply(data=[], records=0)
        found = await find_agents(
            db,
            ctx.organisation_id,
            stores[0].id,
            ids=ids,
            person_id=request.person,
            pseudonymized=request.pseudonymized,
            before=read_next(request.next),
            limit=limit + 1,
        )
    page = [_show(agent) for agent in found[:limit]]
    return Reply(data=page, records=len(page), next=str(found[limit - 1].number) if len(found) > limit else None)


def _show(agent: KnownAgent) -> XapiAgent:
    return XapiAgent(
        id=agent.id,
        agent=Raw(wire.encode(agent.agent)),
        pseudonymized=agent.pseudonymized,
        person=agent.person_id,
        stored=show_moment(agent.stored),
        updated=show_moment(agent.updated),
    )
