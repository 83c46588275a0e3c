"""The archive: where finished jobs go after a while, with what they logged, so that the queue's own table stays small.

    job, job_log ──archive──> job_archive_2026_11, job_log_archive_2026_11 ──> dropped as a whole, after some months
          ▲                                │
          └── restore, to be queued again ─┘

Whoever reads finished jobs reads `every_job` and `every_job_log`, which are both. A job moves as it is, within one
transaction, and is always in exactly one place.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import asyncpg

from jobgate import log
from jobgate.db import Database
from jobgate.metrics import Metrics
from jobgate.settings import Settings

logger = logging.getLogger("jobgate")

BATCH = 500
"""Jobs that move together at most."""

BATCH_BYTES = 16 * 1024 * 1024
"""How much they may hold together; a single job may hold more."""


async def tend(db: Database, settings: Settings, metrics: Metrics) -> bool:
    """Archive a batch, drop what was kept long enough; True when more jobs wait to be archived."""
    moved, more = await move(db, settings.archive_after_s)
    metrics.archived.inc(moved)
    if settings.archive_kept_months:
        await drop_months(db, settings.archive_kept_months)
    return more


async def move(db: Database, after_s: float) -> tuple[int, bool]:
    """Move a batch of jobs that were finished so long ago; how many moved, and whether more wait."""
    async with db.transaction() as tx:
        if not await tx.fetchval("try_archive_lock"):
            return 0, False
        picked = await tx.fetch("pick_finished_jobs", timedelta(seconds=after_s), BATCH, BATCH_BYTES)
        for month in sorted({row["month"] for row in picked if not row["has_month"]}):
            await tx.execute("add_archive_month", month)
        moved = await tx.execute("archive_jobs", [row["id"] for row in picked]) if picked else 0
    return moved, bool(picked) and (moved == BATCH or moved < picked[0]["waiting"])


async def drop_months(db: Database, kept_months: int) -> None:
    """Drop the months that ended more than so many whole months ago.

    A month that somebody reads for long is left for another time: all other readers would have to wait.
    """
    for row in await db.fetch("old_archive_months", kept_months):
        try:
            async with db.transaction() as tx:
                if not await tx.fetchval("try_archive_lock"):
                    return
                await tx.execute("drop_archive_month", row["month"])
        except asyncpg.LockNotAvailableError:
            return
        log.event(logger, "archive.dropped", month=f"{row['month']:%Y-%m}")
