"""The status of definitions: whether they wait, run or rest, and beside it how they ended last."""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec

from jobgate.db import Transaction
from jobgate.definitions.records import find
from jobgate.times import show_moment

MESSAGES = ("Idle", "Pending", "Running")


class DefinitionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a definition. By itself it never tells an outcome: both before and after a run it is 0."""

    job_id: uuid.UUID
    status: Literal[0, 1, 2]
    """0 idle, 1 pending: an execution waits, 2 running."""
    message: str
    last_state: int | None
    """How the newest execution that has ended did: 2 completed, 3 failed, 4 with errors, 5 with warnings."""
    last_end_time: str | None
    next_run: str | None


async def find_statuses(
    db: Transaction, organisation_id: int, id: uuid.UUID | None, *, before: int, limit: int
) -> tuple[list[DefinitionStatus], str | None]:
    """The status of a definition, or a page of those of all, the newest first, and the token of the next page."""
    ids = None if id is None else [id]
    found = await find(db, organisation_id, ids=ids, before=before, limit=limit + 1)
    page = found[:limit]
    rows = await db.fetch("find_last_ends", organisation_id, [definition.id for definition in page])
    last = {row["definition_id"]: row for row in rows}
    statuses = []
    for definition in page:
        end = last.get(definition.id)
        status: Literal[0, 1, 2] = 2 if definition.is_running else 1 if definition.is_waiting else 0
        statuses.append(
            DefinitionStatus(
                job_id=definition.id,
                status=status,
                message=MESSAGES[status],
                last_state=None if end is None else end["outcome"],
                last_end_time=None if end is None else show_moment(end["completed_at"]),
                next_run=show_moment(definition.next_run_at),
            )
        )
    return statuses, str(page[-1].number) if len(found) > limit else None
