"""Clearing: what a store has recorded up to a time, service by service, a batch in each transaction.

Statements and their times are the receiver's. Activities and agents are derived: clearing them drops entries of the
catalogue and no statement. Documents go by the later of stored and updated, so what somebody has changed since stays.
"""

from __future__ import annotations

from datetime import datetime

from jobgate.db import Transaction
from jobgate.stores.binding import Service
from jobgate.stores.erasing import MAX_ERASED, erase_statements

COUNTS = {"statements": "count_statements", "activities": "count_activities", "agents": "count_agents"}
DELETES = {"activities": "delete_old_activities", "agents": "delete_old_agents"}


async def count_old(db: Transaction, organisation_id: int, store_id: int, service: Service, cutoff: datetime) -> int:
    """How much of a service was recorded up to `cutoff`, that instant included."""
    args = (organisation_id, store_id, cutoff)
    if service in COUNTS:
        count: int = await db.fetchval(COUNTS[service], *args)
    else:
        count = await db.fetchval("count_documents", *args, service)
    return count


async def clear_old(db: Transaction, organisation_id: int, store_id: int, service: Service, cutoff: datetime) -> int:
    """Delete a batch of that, the oldest first, from a store that is held; 0: there is nothing left."""
    args = (organisation_id, store_id, cutoff, MAX_ERASED)
    if service == "statements":
        rows = await db.fetch("find_old_statements", *args)
        return await erase_statements(db, organisation_id, store_id, [row["id"] for row in rows])
    if service in DELETES:
        return await db.execute(DELETES[service], *args)
    return await db.execute("delete_old_documents", *args, service)
