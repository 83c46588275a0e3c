"""Erasing: statements out of a store, with their links and the contents that nothing refers to any more."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from jobgate.db import Transaction

MAX_ERASED = 1000
"""How many one transaction takes."""


async def erase_statements(db: Transaction, organisation_id: int, store_id: int, ids: Sequence[UUID]) -> int:
    """Delete these statements of a store that is held; how many there were. What they voided stays voided."""
    rows = await db.fetch("delete_statements", organisation_id, store_id, ids)
    digests = sorted({sha2 for row in rows for sha2 in row["attachments"]})
    if digests:
        await db.execute("delete_loose_attachments", organisation_id, store_id, digests)
    return len(rows)
