"""Tokens that content is launched with: each is for one agent and one activity of a store."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from jobgate import jobs
from jobgate.context import Context, Reply, Request
from jobgate.db import Record, Transaction
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.stores.clients import require_client
from jobgate.stores.documents import read_owner
from jobgate.stores.logs import INFO, NOTICE, say
from jobgate.stores.naming import NamedAgent
from jobgate.stores.spaces import Slug, Store, find_stores, hold
from jobgate.stores.tokens import add_token, find_token, find_tokens
from jobgate.times import show_moment

MAX_TOKENS = 50

LaunchedIri = Annotated[str, Meta(min_length=1, max_length=2000, description="An absolute IRI")]
Origin = Annotated[
    str, Meta(pattern=r"^(\*|https?://[^\s/?#@\\]+)\Z", max_length=300, description="https://host:port, or *")
]
LaunchedAgent = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]


class GetCmi5Tokens(Request, frozen=True, kw_only=True):
    """Which tokens to read; one must fit all filters that are given."""

    store: Slug
    token: Annotated[str, Meta(min_length=1, max_length=500)] | None = None
    """The one that somebody shows. An empty answer: it was never made, is gone, or is for something else."""
    activity_id: LaunchedIri | None = None
    agent: NamedAgent | None = None
    limit: Annotated[int, Meta(ge=1)] = MAX_TOKENS
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class SetCmi5Token(Request, frozen=True, kw_only=True):
    """Whom a token is for, and what."""

    store: Slug
    activity_id: LaunchedIri
    agent: NamedAgent
    origin: Origin | None = None
    """Where the content comes from: what its browser says in the header Origin."""
    client: Annotated[str, Meta(max_length=36)] | None = None
    """The slug of a client of the store, whose endpoint is answered; absent: that of this gateway."""


class Cmi5Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token."""

    id: uuid.UUID
    activity_id: str
    agent: LaunchedAgent
    origin: str | None
    created_at: str | None
    endpoint: str | UnsetType = UNSET
    """Where content is to speak to; told when the token is made."""
    token: str | UnsetType = UNSET
    """What follows `Basic`. Told once: when it is made."""


@action("get")
async def read_tokens(ctx: Context, request: GetCmi5Tokens) -> Reply[list[Cmi5Token]]:
    """Read the tokens of a store, newest first, or the one that somebody shows; none is told again."""
    owner = read_owner("states", request.activity_id, request.agent)
    limit = min(request.limit, MAX_TOKENS)
    async with ctx.db.reading(ctx.organisation_id) as db:
        stores = await find_stores(db, ctx.organisation_id, slugs=[request.store])
        if not stores:
            return Reply(data=[], records=0)
        (store,) = stores
        if request.token is None:
            before = read_next(request.next)
            found = await find_tokens(db, ctx.organisation_id, store.id, owner, before=before, limit=limit + 1)
        else:
            shown = await find_token(db, ctx.organisation_id, store.id, request.token, owner)
            found = [] if shown is None else [shown]
    if request.token is not None and not found:
        async with ctx.db.transaction(ctx.organisation_id) as tx:
            await _tell(tx, ctx, store, "A token was refused", NOTICE)
    page = [_show(row) for row in found[:limit]]
    return Reply(data=page, records=len(page), next=str(found[limit - 1]["number"]) if len(found) > limit else None)


@action("set", guarded=True)
async def create_token(ctx: Context, request: SetCmi5Token) -> Cmi5Token:
    """Make a token; the answer has it, this once."""
    owner = read_owner("states", request.activity_id, request.agent)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        store = await hold(tx, ctx.organisation_id, request.store, for_many=False)
        if request.client is None:
            endpoint = f"{ctx.settings.public_url.rstrip('/')}/xapi/{store.slug}"
        else:
            endpoint = (await require_client(tx, ctx.organisation_id, request.client, store.slug)).endpoint
        row, text = await add_token(tx, ctx.organisation_id, store.id, owner, request.origin)
        token = msgspec.structs.replace(_show(row), endpoint=endpoint)
        # A retry gets the same answer without the token: nothing but its digest is kept.
        await jobs.accept(ctx, tx, token)
        await _tell(tx, ctx, store, "Made a token", INFO)
    return msgspec.structs.replace(token, token=text)


def _show(row: Record) -> Cmi5Token:
    return Cmi5Token(
        id=row["id"],
        activity_id=row["activity_iri"],
        agent=Raw(row["agent"]),
        origin=row["origin"],
        created_at=show_moment(row["created_at"]),
    )


async def _tell(tx: Transaction, ctx: Context, store: Store, happened: str, level: int) -> None:
    where = (tx, ctx.organisation_id, store.id, happened)
    await say(*where, type="auth", level=level, api="cmi5/tokens", method="get" if level == NOTICE else "set")
