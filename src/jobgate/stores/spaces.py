"""Stores: isolated spaces of xAPI data. Each belongs to an organisation; its slug never changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code, shown
from jobgate.paging import NEWEST
from jobgate.times import show_moment

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{1,36}\Z", description="Small letters, digits, - and _; 36 at most")]

StoreStatus = Literal["ready", "deleting"]

MAX_STORES = 1000
"""How many an organisation may have."""


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A store."""

    id: int
    slug: str
    name: str
    status: StoreStatus
    """`deleting`: nothing is written into it any more, and no job but its deletion runs on it."""
    created_at: str | None
    updated_at: str | None


async def find_stores(
    db: Transaction,
    organisation_id: int,
    *,
    ids: Sequence[int] | None = None,
    slugs: Sequence[str] | None = None,
    status: StoreStatus | None = None,
    before: int = NEWEST,
    limit: int = MAX_STORES,
) -> list[Store]:
    """The stores that fit every filter, the newest first, with ids below `before`."""
    rows = await db.fetch("find_stores", organisation_id, ids, slugs, status, before, limit)
    return [_show(row) for row in rows]


async def add_store(db: Transaction, organisation_id: int, slug: str, name: str) -> Store:
    """A new store. Raises 20011 for a slug that is taken, or when there are as many as there may be."""
    await db.execute("lock_organisation", organisation_id)
    if len(await find_stores(db, organisation_id)) >= MAX_STORES:
        raise ApiError(Code.conflict, f"an organisation has at most {MAX_STORES} stores; delete one")
    row = await db.fetchrow("insert_store", organisation_id, slug, name)
    if row is None:
        raise ApiError(Code.conflict, f"there is a store with the slug {shown(slug)}")
    return _show(row)


async def rename_store(db: Transaction, organisation_id: int, slug: str, name: str) -> Store:
    """The store under another name; its slug stays. Raises 20004."""
    row = await db.fetchrow("rename_store", organisation_id, slug, name)
    if row is None:
        raise unknown_store(slug, "slug")
    return _show(row)


async def require_store(db: Transaction, organisation_id: int, slug: str) -> Store:
    """The store with this slug. Raises 20004 for an unknown one, 20011 for one that is being deleted."""
    for store in await find_stores(db, organisation_id, slugs=[slug]):
        if store.status != "ready":
            raise ApiError(Code.conflict, f"the store {shown(slug)} is being deleted")
        return store
    raise unknown_store(slug)


async def hold(db: Transaction, organisation_id: int, slug: str, *, for_many: bool = True) -> Store:
    """The store, into which nobody else writes before the transaction ends. Raises like `require_store`.

    `for_many`: the transaction looks up so many records that planning it anew is worth some milliseconds.
    """
    store = await require_store(db, organisation_id, slug)
    await db.fetchval("hold_store", store.id, for_many)
    return await require_store(db, organisation_id, slug)  # it may have been marked for deletion meanwhile


async def keep_store(db: Transaction, organisation_id: int, slug: str) -> Store:
    """The store, which nobody marks for deletion before the transaction ends. Raises like `require_store`."""
    await db.fetch("keep_store", organisation_id, slug)
    return await require_store(db, organisation_id, slug)


def unknown_store(slug: str, name: str = "store") -> ApiError:
    """What a caller hears who names a store that there is not."""
    return ApiError(Code.unsupported_value, f"`{name}` must be the slug of a store, not {shown(slug)}")


def _show(row: Record) -> Store:
    return Store(
        id=row["id"],
        slug=row["slug"],
        name=row["name"],
        status=row["status"],
        created_at=show_moment(row["created_at"]),
        updated_at=show_moment(row["updated_at"]),
    )
