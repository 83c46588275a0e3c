"""Ending a store: it is marked, so that nothing gets in any more, then emptied, and at last it is no more.

Whoever puts something into a store holds it, or keeps it from being marked, until that is committed: what has come in
before the mark is found and goes, and afterwards nothing comes.
"""

from __future__ import annotations

from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.stores.erasing import MAX_ERASED
from jobgate.stores.marks import FIRST
from jobgate.stores.spaces import Store, find_stores
from jobgate.stores.sweeping import EVER, KINDS, Kind

EVERYTHING: dict[str, Kind] = {
    "attachments": Kind("delete_attachments_of_store"),
    "statements": KINDS["statements"],
    "persons": Kind("delete_persons_of_store"),
    **{kind: KINDS[kind] for kind in ("agents", "activities", "activity-profiles", "agent-profiles", "states")},
    "terms": Kind("delete_terms_of_store"),
    "tokens": KINDS["tokens"],
    "clients": Kind("delete_clients_of_store"),
    "logs": Kind("delete_old_logs_of_store", "count_old_logs_of_store", (7,)),
}
"""All that a store has, besides the saved jobs on it, in the order in which it goes."""


async def require_deletable(db: Transaction, organisation_id: int, id: int) -> Store:
    """The store with this id. Raises 20004 for an unknown one, 20011 for the last one that is ready."""
    for store in await find_stores(db, organisation_id, ids=[id]):
        if store.status == "ready" and len(await find_stores(db, organisation_id, status="ready", limit=2)) < 2:
            raise ApiError(Code.conflict, "the last store cannot be deleted; create another one first")
        return store
    raise ApiError(Code.unsupported_value, f"`store_id` must be the id of a store, not {id}")


async def mark_for_deletion(db: Transaction, organisation_id: int, id: int) -> Store:
    """Let nothing get into the store any more. Raises like `require_deletable`; once is as good as twice."""
    await db.fetchval("hold_store", id, True)
    await db.execute("lock_organisation", organisation_id)  # of two that are left, one at a time
    store = await require_deletable(db, organisation_id, id)
    await db.execute("mark_store", organisation_id, id)
    return store


async def end_store(db: Transaction, organisation_id: int, id: int) -> int:
    """Delete a store that is empty, and what was logged about it meanwhile; how many entries these were."""
    await db.execute("delete_store", organisation_id, id)
    # Who logs something about the store keeps its row until that is committed, so this finds what came last.
    return len(await db.fetch("delete_old_logs_of_store", organisation_id, id, EVER, *FIRST, MAX_ERASED, 7))
