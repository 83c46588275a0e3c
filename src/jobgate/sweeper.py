"""The sweeper: finds what a dead process left behind. Every process runs one; one at a time does the work."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from jobgate import archive, beacons, definitions, jobs, log, wire
from jobgate.context import LogEntry
from jobgate.db import Database, Record
from jobgate.doorbell import Doorbell
from jobgate.metrics import Metrics
from jobgate.settings import Settings
from jobgate.stores import chronicle
from jobgate.stores.logs import ERROR

logger = logging.getLogger("jobgate")

BATCH = 500
"""Rows that one statement treats at most; a busy sweeper comes back at once for the rest."""

REPLAY_KEPT_S = 3600
"""How long an accepted packet is remembered beyond the clock window that would accept its bytes again."""


class Sweeper:
    """Requeues jobs whose worker went silent, starts those that waited for a halted one, ticks definitions, rings for
    jobs that wait too long, forgets spent packets, archives finished jobs, and counts."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        metrics: Metrics,
        doorbell: Doorbell,
        *,
        on_depths: Callable[[dict[str, int]], None] | None = None,
    ) -> None:
        self.db = db
        self.settings = settings
        self.metrics = metrics
        self.doorbell = doorbell
        self.on_depths = on_depths

    async def run(self) -> None:
        """Sweep for ever; trouble is logged once and tried again."""
        failing = False
        while True:
            expected = time.monotonic() + self.settings.sweep_s * random.uniform(0.8, 1.2)
            await asyncio.sleep(expected - time.monotonic())
            self.metrics.event_loop_lag_seconds.set(max(0.0, time.monotonic() - expected))
            try:
                while await self.sweep():
                    pass
                failing = False
            except Exception as error:  # whatever it is: without sweepers, what a dead worker held is lost
                if not failing:
                    log.failure(logger, "sweep.failed", error)
                failing = True

    async def sweep(self) -> bool:
        """One sweep; True when there is more to do than one batch."""
        started = time.perf_counter()
        await self._count()
        more, lost = False, list[Record]()
        async with self.db.transaction() as tx:
            if await tx.fetchval("try_sweeper_lock"):
                lost = await tx.fetch(
                    "expire_leases",
                    BATCH,
                    timedelta(seconds=self.settings.lease_s),
                    self.settings.max_losses,
                    wire.encode(LOST),
                    wire.encode(jobs.CANCELLED),
                )
                await jobs.log(tx, [(row["id"], _describe(row["state"])) for row in lost])
                kept = timedelta(seconds=self.settings.clock_skew_s * 2 + REPLAY_KEPT_S)
                forgotten = await tx.execute("delete_old_replays", kept)
                released = await tx.execute("release_waiting", BATCH)
                more = BATCH in (len(lost), forgotten, released)
                for row in lost:
                    log.event(
                        logger, "job.lost", logging.WARNING, job=row["reference"], type=row["type"], state=row["state"]
                    )
                self.metrics.lost.inc(len(lost))
                self.metrics.sweep_requeued.inc(sum(row["state"] == "queued" for row in lost))
        await self._chronicle([row for row in lost if row["state"] == "halted"])
        more = await definitions.sweep(self.db, self.settings) or more
        more = await beacons.sweep(self.db, self.settings) or more
        if await self.db.fetchval("has_due_jobs"):
            self.doorbell.ring()
            self.metrics.sweep_rehinted.inc()
        more = await archive.tend(self.db, self.settings, self.metrics) or more
        self.metrics.sweep_seconds.observe(time.perf_counter() - started)
        self.metrics.sweep_last_success.set_to_current_time()
        return more

    async def _chronicle(self, halted: Sequence[Record]) -> None:
        """Tell the logs of stores which runs of saved jobs ended because they lost their workers."""
        for row in halted:
            run = (row["organisation_id"], row["definition_id"], row["type"], row["reference"])
            async with self.db.transaction(row["organisation_id"]) as tx:
                await chronicle.tell_run(tx, *run, "failed", ERROR, feedback=LOST["message"])

    async def _count(self) -> None:
        """Refresh the gauges, and tell the gateway how much each consumer has waiting."""
        gauges = await self.db.fetchrow("job_gauges")
        assert gauges is not None  # aggregates always give one row
        self.metrics.queue_depth.set(gauges["queued"])
        self.metrics.running.set(gauges["running"])
        self.metrics.oldest_queued_seconds.set(gauges["oldest_queued_s"] or 0)
        bell = self.doorbell
        self.metrics.rings.labels("sent").set(bell.rung)
        self.metrics.rings.labels("failed").set(bell.ring_failures)
        self.metrics.hints_dropped.set(bell.dropped)
        self.metrics.canary_seconds.set(bell.canary_s)
        self.metrics.poll_mode.set(not bell.healthy)
        if self.on_depths is not None:
            self.on_depths({row["consumer_key"]: row["depth"] for row in await self.db.fetch("queue_depths")})


LOST = {"code": "lost", "message": "The job lost its worker too often; it may be what kills them."}


def _describe(state: str) -> LogEntry:
    then = {"queued": "queued again", "halted": "halted"}[state]
    return LogEntry(f"The worker went silent; {then}", 1)
