"""Executions are kept for a time that depends on how they ended: what went wrong is asked for longer."""

from __future__ import annotations

from datetime import timedelta

from jobgate.db import Database
from jobgate.settings import Settings

BATCH = 500
"""Executions that are deleted together at most."""


async def forget(db: Database, settings: Settings) -> bool:
    """Delete executions that are older than they are kept, a batch of each kind; True when there may be more."""
    more = False
    for state, days in (
        ("completed", settings.completed_executions_kept_days),
        ("halted", settings.halted_executions_kept_days),
    ):
        for statement in ("delete_old_executions", "delete_old_archived_executions"):
            more |= await db.execute(statement, state, timedelta(days=days), BATCH) == BATCH
    return more
