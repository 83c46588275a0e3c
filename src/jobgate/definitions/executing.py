"""Executing definitions on demand: at most one execution waits, however often it is asked for."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from jobgate import wire
from jobgate.db import Transaction
from jobgate.definitions.saving import lock
from jobgate.jobs import CANCELLED

NO_TRIGGER = uuid.UUID(int=0)
"""The trigger of an execution that nobody's call asked for: that of a tick, or of a replay."""


class Execution(NamedTuple):
    """An execution that was asked for."""

    reference: uuid.UUID
    trigger_id: uuid.UUID
    is_new: bool
    """False: it waited already."""
    after: uuid.UUID | None
    """The execution that must have ended before it begins."""


async def execute(
    db: Transaction,
    organisation_id: int,
    id: uuid.UUID,
    consumer_key: str,
    *,
    trigger_id: uuid.UUID | None = None,
) -> Execution:
    """Queue an execution, for this consumer; one that waits already does for this call too. Raises 20004.

    While one runs, the new one waits for its end. `trigger_id` is a new one unless it is given. The caller rings.
    """
    await lock(db, organisation_id, id)
    unended = await db.fetch("find_open_executions", [id])
    wanted = uuid.uuid4() if trigger_id is None else trigger_id
    for row in unended:
        if not row["is_pending"]:
            continue
        if row["trigger_id"] != NO_TRIGGER or wanted == NO_TRIGGER:
            return Execution(row["reference"], row["trigger_id"], False, None)
        # A tick queued it: it can be watched by a trigger from now on, unless it begins at this moment.
        if await db.fetchval("adopt_execution", row["reference"], wanted):
            return Execution(row["reference"], wanted, False, None)
    reference, after = uuid.uuid4(), unended[-1]["reference"] if unended else None
    await db.execute("insert_execution", organisation_id, id, reference, consumer_key, wanted, after)
    return Execution(reference, wanted, True, after)


async def withdraw(db: Transaction, organisation_id: int, id: uuid.UUID) -> bool:
    """Halt the execution that was asked for without a trigger, if it still waits. Raises 20004."""
    await lock(db, organisation_id, id)
    return bool(await db.execute("withdraw_execution", organisation_id, id, wire.encode(CANCELLED)))
