"""Stores of xAPI data."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from jobgate import jobs, wire
from jobgate.context import Context, Reply, Request
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.stores.logs import say
from jobgate.stores.spaces import Slug, Store, StoreStatus, add_store, find_stores, rename_store

MAX_STORES_SHOWN = 50

StoreName = Annotated[str, Meta(min_length=1, max_length=200)]


class GetStores(Request, frozen=True, kw_only=True):
    """Which stores to read; one must fit all filters that are given."""

    id: Annotated[list[int], Meta(max_length=1000)] | None = None
    slug: Annotated[list[Slug], Meta(max_length=1000)] | None = None
    status: StoreStatus | None = None
    limit: Annotated[int, Meta(ge=1)] = MAX_STORES_SHOWN
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class SetStore(Request, frozen=True, kw_only=True):
    """A new store."""

    slug: Slug
    """It never changes."""
    name: StoreName | None = None
    """The slug when absent."""


class UpdateStore(Request, frozen=True, kw_only=True):
    """A store, and its new name."""

    slug: Slug
    name: StoreName


@action("get")
async def read_stores(ctx: Context, request: GetStores) -> Reply[list[Store]]:
    """Read the stores of the organisation, newest first."""
    limit = min(request.limit, MAX_STORES_SHOWN)
    async with ctx.db.reading(ctx.organisation_id) as db:
        found = await find_stores(
            db,
            ctx.organisation_id,
            ids=request.id,
            slugs=request.slug,
            status=request.status,
            before=read_next(request.next),
            limit=limit + 1,
        )
    page = found[:limit]
    return Reply(data=page, records=len(page), next=str(page[-1].id) if len(found) > limit else None)


@action("set", guarded=True)
async def create_store(ctx: Context, request: SetStore) -> Store:
    """Add a store. Only the job `stores-deletion` deletes one."""
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        store = await add_store(tx, ctx.organisation_id, request.slug, request.name or request.slug)
        await jobs.accept(ctx, tx, store)
        await say(tx, ctx.organisation_id, store.id, "Created the store", api="xapi/stores", method="set")
        told = wire.encode({"id": store.id, "slug": store.slug})
        act = "xapi.stores.set"
        await tx.execute("insert_audit", ctx.organisation_id, ctx.caller.key, act, "store", told, ctx.request_id)
    return store


@action("update")
async def update_store(ctx: Context, request: UpdateStore) -> Store:
    """Give a store another name."""
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        store = await rename_store(tx, ctx.organisation_id, request.slug, request.name)
        await say(tx, ctx.organisation_id, store.id, "Renamed the store", api="xapi/stores", method="update")
    return store
