"""Reading the catalogue of activities, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from jobgate.db import Record, Transaction
from jobgate.paging import fit


async def page_activities(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    *,
    ids: Sequence[UUID] | None,
    type: str | None,
    before: int,
    limit: int,
    max_bytes: int,
) -> tuple[list[Record], int | None]:
    """A page, those that became known last first, and the number that the next one begins below.

    It ends early where definitions are long.
    """
    walk = "walk_activities"
    if ids is not None:
        walk = "walk_activities_by_id"
    elif type is not None:
        walk = "walk_activities_of_type"
    found = await db.fetch(walk, organisation_id, store_id, before, ids, type, limit + 1)
    numbers = [row["number"] for row in found[: fit([row["size"] for row in found], limit, max_bytes)]]
    rows = await db.fetch("read_activities", organisation_id, store_id, numbers) if numbers else []
    return rows, numbers[-1] if len(found) > len(numbers) else None
