"""Who belongs to which group, as uploaded."""

from __future__ import annotations

import uuid

from jobgate.db import Transaction

BITE_LINES = 50_000


async def delete_members(db: Transaction, organisation_id: int, dataset_id: uuid.UUID, number: int | None) -> None:
    """Forget the lines of one file, or of all files (None), in statements short enough for a gateway."""
    after: str | None = ""
    while after is not None:
        after = await db.fetchval("delete_dataset_members", organisation_id, dataset_id, number, after, BITE_LINES)
