"""Jobs that have ended are kept for a time that depends on how: what went wrong is asked for longer."""

from __future__ import annotations

from datetime import timedelta

from jobgate.db import Database
from jobgate.settings import Settings

BATCH = 500
"""Jobs that are deleted together at most."""

BATCH_ROWS = 10_000
"""Their tasks and log lines together; a single job may have more."""


async def forget(db: Database, settings: Settings) -> bool:
    """Delete jobs that are older than they are kept, a batch of each kind; True when there may be more."""
    more = False
    for state, days in (
        ("completed", settings.completed_beacon_jobs_kept_days),
        ("halted", settings.halted_beacon_jobs_kept_days),
    ):
        old = await db.fetch("find_old_beacon_jobs", state, timedelta(days=days), BATCH)
        found, deleted = sum(len(row["ids"]) for row in old), 0
        for row in old:
            async with db.transaction(row["organisation_id"]) as tx:
                deleted += await tx.execute("delete_beacon_jobs", row["organisation_id"], row["ids"], BATCH_ROWS)
        # What others look at is left for another time: only who gets ahead comes back at once.
        more |= deleted > 0 and (found == BATCH or deleted < found)
    return more
