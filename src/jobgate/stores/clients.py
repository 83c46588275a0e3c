"""Clients: the LRSs under test, each of one store. Their passwords are kept wrapped, and shown to nobody."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code, shown
from jobgate.keys import OuterKey
from jobgate.paging import NEWEST
from jobgate.stores.spaces import Slug, keep_store
from jobgate.times import show_moment

MAX_CLIENTS = 1000
"""How many an organisation may have."""


class XapiClient(msgspec.Struct, frozen=True, kw_only=True):
    """An LRS under test."""

    slug: str
    name: str
    store: str
    """The slug of its store."""
    endpoint: str
    username: str
    created_at: str | None
    updated_at: str | None


class ClientChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What of a client shall be different; what is None stays."""

    name: str | None = None
    store: Slug | None = None
    endpoint: str | None = None
    username: str | None = None
    password: str | None = None


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Where a client is reached, and as whom."""

    endpoint: str
    username: str
    password: str


async def find_clients(
    db: Transaction,
    organisation_id: int,
    *,
    slugs: Sequence[str] | None = None,
    store: str | None = None,
    before: int = NEWEST,
    limit: int = MAX_CLIENTS,
) -> list[tuple[int, XapiClient]]:
    """The clients that fit every filter, the newest first, with their numbers, which are below `before`."""
    rows = await db.fetch("find_clients", organisation_id, slugs, store, before, limit)
    return [(row["number"], _show(row)) for row in rows]


async def add_client(
    db: Transaction, organisation_id: int, key: OuterKey, slug: str, store: str, credentials: Credentials, name: str
) -> XapiClient:
    """A new client. Raises 20004 for an unknown store, 20011 for a slug that is taken, or too many clients."""
    await db.execute("lock_organisation", organisation_id)
    if len(await find_clients(db, organisation_id)) >= MAX_CLIENTS:
        raise ApiError(Code.conflict, f"an organisation has at most {MAX_CLIENTS} clients; delete one")
    if await find_clients(db, organisation_id, slugs=[slug]):
        raise ApiError(Code.conflict, f"there is a client with the slug {shown(slug)}")
    store_id, id = (await keep_store(db, organisation_id, store)).id, uuid.uuid4()
    wrapped = key.wrap(credentials.password.encode(), _owner(organisation_id, id))
    where = (credentials.endpoint, credentials.username, wrapped)
    await db.execute("insert_client", organisation_id, id, slug, name, store_id, *where)
    return await require_client(db, organisation_id, slug)


async def change_client(
    db: Transaction, organisation_id: int, key: OuterKey, slug: str, changes: ClientChanges
) -> XapiClient:
    """Change what is not None. Raises 20000, 20004, or 20011 for another store while saved jobs name this one."""
    row = await _lock(db, organisation_id, slug)
    if changes.endpoint not in (None, row["endpoint"]) and changes.password is None:
        # Who does not know the password must not learn it by having it sent somewhere else.
        raise ApiError(Code.missing_parameter, "`password` must have a non-null value where `endpoint` changes")
    store_id = row["store_id"]
    if changes.store is not None:
        store_id = (await keep_store(db, organisation_id, changes.store)).id
        if store_id != row["store_id"]:
            await _require_unused(db, organisation_id, slug)
    password = changes.password
    wrapped = None if password is None else key.wrap(password.encode(), _owner(organisation_id, row["id"]))
    where = (changes.endpoint, changes.username, wrapped)
    await db.execute("update_client", organisation_id, row["id"], changes.name, store_id, *where)
    return await require_client(db, organisation_id, slug)


async def delete_clients(db: Transaction, organisation_id: int, slug: str | None) -> int:
    """Delete a client, or all; how many there were. Raises 20011 while a saved job names one of them."""
    slugs = [
        client.slug for _, client in await find_clients(db, organisation_id, slugs=None if slug is None else [slug])
    ]
    for each in sorted(slugs):
        await _lock(db, organisation_id, each)
        await _require_unused(db, organisation_id, each)
    return await db.execute("delete_clients", organisation_id, slugs)


async def require_client(db: Transaction, organisation_id: int, slug: str, store: str | None = None) -> XapiClient:
    """The client with this slug, of this store; it stays until the transaction ends. Raises 20004."""
    await db.fetchrow("keep_client", organisation_id, slug)
    for _, client in await find_clients(db, organisation_id, slugs=[slug]):
        if store is not None and client.store != store:
            raise ApiError(Code.unsupported_value, f"`client` must be a client of the store {shown(store)}")
        return client
    raise unknown_client(slug)


async def open_client(db: Transaction, organisation_id: int, key: OuterKey, slug: str) -> Credentials:
    """Where a client is reached. Raises 20004, or `KeyUnusable`."""
    row = await db.fetchrow("keep_client", organisation_id, slug)
    if row is None:
        raise unknown_client(slug)
    password = key.unwrap(row["password"], _owner(organisation_id, row["id"])).decode()
    return Credentials(endpoint=row["endpoint"], username=row["username"], password=password)


def unknown_client(slug: str) -> ApiError:
    """What a caller hears who names a client that there is not."""
    return ApiError(Code.unsupported_value, f"`client` must be the slug of a client, not {shown(slug)}")


async def _lock(db: Transaction, organisation_id: int, slug: str) -> Record:
    row = await db.fetchrow("lock_client", organisation_id, slug)
    if row is None:
        raise unknown_client(slug)
    return row


async def _require_unused(db: Transaction, organisation_id: int, slug: str) -> None:
    if await db.fetchval("is_client_used", organisation_id, slug):
        raise ApiError(
            Code.conflict, f"saved jobs of the type testsuite name the client {shown(slug)}; delete them first"
        )


def _owner(organisation_id: int, id: uuid.UUID) -> str:
    """What a wrapped password is bound to: it opens for this client only."""
    return f"xapi client {organisation_id} {id}"


def _show(row: Record) -> XapiClient:
    return XapiClient(
        slug=row["slug"],
        name=row["name"],
        store=row["store"],
        endpoint=row["endpoint"],
        username=row["username"],
        created_at=show_moment(row["created_at"]),
        updated_at=show_moment(row["updated_at"]),
    )
