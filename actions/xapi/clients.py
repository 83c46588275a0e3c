"""LRSs under test: where each is reached, and as whom."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobgate import jobs, wire
from jobgate.context import Context, Reply, Request
from jobgate.db import Transaction
from jobgate.deleting import require_one_or_all
from jobgate.errors import ApiError, Code
from jobgate.outbound import Forbidden, read_rules, read_url
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.stores.clients import (
    ClientChanges,
    Credentials,
    XapiClient,
    add_client,
    change_client,
    delete_clients,
    find_clients,
)
from jobgate.stores.credentials import Endpoint, Password, Username
from jobgate.stores.spaces import Slug

MAX_CLIENTS_SHOWN = 50

ClientName = Annotated[str, Meta(min_length=1, max_length=200)]


class GetXapiClients(Request, frozen=True, kw_only=True):
    """Which clients to read; one must fit all filters that are given."""

    slug: Annotated[list[Slug], Meta(max_length=1000)] | None = None
    store: Slug | None = None
    limit: Annotated[int, Meta(ge=1)] = MAX_CLIENTS_SHOWN
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class SetXapiClient(Request, frozen=True, kw_only=True):
    """A new client."""

    slug: Slug
    """It never changes."""
    name: ClientName | None = None
    """The slug when absent."""
    store: Slug
    endpoint: Endpoint
    """Of an LRS: what stands before `/statements`. https, a public name or address."""
    username: Username
    password: Password
    """It is not shown again."""


class UpdateXapiClient(Request, frozen=True, kw_only=True):
    """A client, and what of it shall change."""

    slug: Slug
    name: ClientName | None = None
    store: Slug | None = None
    endpoint: Endpoint | None = None
    username: Username | None = None
    password: Password | None = None


class DeleteXapiClients(Request, frozen=True, kw_only=True):
    """Which clients to delete."""

    slug: Slug | None = None
    all: bool = False
    """True: all of the organisation."""


class DeletedXapiClients(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were."""

    deleted: int


@action("get")
async def read_clients(ctx: Context, request: GetXapiClients) -> Reply[list[XapiClient]]:
    """Read the clients of the organisation, newest first, without their passwords."""
    limit = min(request.limit, MAX_CLIENTS_SHOWN)
    async with ctx.db.reading(ctx.organisation_id) as db:
        found = await find_clients(
            db,
            ctx.organisation_id,
            slugs=request.slug,
            store=request.store,
            before=read_next(request.next),
            limit=limit + 1,
        )
    page = [client for _, client in found[:limit]]
    return Reply(data=page, records=len(page), next=str(found[limit - 1][0]) if len(found) > limit else None)


@action("set", guarded=True)
async def create_client(ctx: Context, request: SetXapiClient) -> XapiClient:
    """Add a client, which jobs of the type testsuite can name."""
    _require_allowed(ctx, request.endpoint)
    credentials = Credentials(endpoint=request.endpoint, username=request.username, password=request.password)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        name = request.name or request.slug
        client = await add_client(tx, ctx.organisation_id, ctx.key, request.slug, request.store, credentials, name)
        await jobs.accept(ctx, tx, client)
        await _audit(ctx, tx, "set", {"slug": client.slug, "store": client.store, "endpoint": client.endpoint})
    return client


@action("update")
async def update_client(ctx: Context, request: UpdateXapiClient) -> XapiClient:
    """Change a client: what is given, and nothing else."""
    if request.endpoint is not None:
        _require_allowed(ctx, request.endpoint)
    changes = ClientChanges(**{name: getattr(request, name) for name in ClientChanges.__struct_fields__})
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        client = await change_client(tx, ctx.organisation_id, ctx.key, request.slug, changes)
        changed = [name for name in ClientChanges.__struct_fields__ if getattr(request, name) is not None]
        await _audit(ctx, tx, "update", {"slug": client.slug, "changed": changed, "endpoint": client.endpoint})
    return client


@action("delete")
async def forget_clients(ctx: Context, request: DeleteXapiClients) -> DeletedXapiClients:
    """Delete a client, or all; refused while a saved job names one of them."""
    require_one_or_all("slug", request.slug, request.all)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        deleted = await delete_clients(tx, ctx.organisation_id, request.slug)
        await _audit(ctx, tx, "delete", {"slug": request.slug, "deleted": deleted})
    return DeletedXapiClients(deleted=deleted)


def _require_allowed(ctx: Context, endpoint: str) -> None:
    """Raise 20004 for an endpoint that no job would ever call; names are judged again at every call."""
    try:
        read_url(endpoint, read_rules(ctx.settings))
    except Forbidden as error:
        raise ApiError(Code.unsupported_value, f"`endpoint` cannot be called: {error}") from None
    if "?" in endpoint:
        raise ApiError(Code.unsupported_value, "`endpoint` must have no query")


async def _audit(ctx: Context, tx: Transaction, act: str, detail: dict[str, Any]) -> None:
    told = wire.encode(detail)
    act = f"xapi.clients.{act}"
    await tx.execute("insert_audit", ctx.organisation_id, ctx.caller.key, act, "client", told, ctx.request_id)
