"""Upkeep of the outbox: counts it, stops lines that grow without end, and forgets old deliveries."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import timedelta

from jobgate import log
from jobgate.db import Database
from jobgate.metrics import Metrics
from jobgate.settings import Settings

logger = logging.getLogger("jobgate")

EVERY_S = 15.0

TOO_MANY = "too many deliveries waited"


class Upkeep:
    """Looks after the outbox until cancelled. Every process counts; one at a time does the rest."""

    def __init__(self, db: Database, settings: Settings, metrics: Metrics) -> None:
        self.db = db
        self.settings = settings
        self.metrics = metrics

    async def run(self) -> None:
        """For ever; trouble is logged once and tried again."""
        failing = False
        while True:
            try:
                await self.tend()
                failing = False
            except Exception as error:  # whatever it is, the next turn may do
                if not failing:
                    log.failure(logger, "push.failed", error)
                failing = True
            await asyncio.sleep(EVERY_S * random.uniform(0.8, 1.2))

    async def tend(self) -> None:
        """One turn."""
        gauges = await self.db.fetchrow("outbox_gauges")
        assert gauges is not None  # aggregates always give one row
        self.metrics.outbox_depth.set(gauges["depth"])
        self.metrics.outbox_oldest_seconds.set(gauges["oldest_s"] or 0)
        async with self.db.transaction() as lock:
            if await lock.fetchval("try_upkeep_lock"):
                await self._stop_long_lines()
                await self._forget()

    async def _stop_long_lines(self) -> None:
        """Disable targets that more waits for than anybody will want to hear; the sender gives it up."""
        for row in await self.db.fetch("find_long_lines", self.settings.push_backlog):
            organisation_id, target_id = row["organisation_id"], row["target_id"]
            async with self.db.transaction(organisation_id) as tx:
                await tx.execute("disable_target", organisation_id, target_id, TOO_MANY)
            log.event(logger, "push.disabled", logging.WARNING, target=target_id, reason=TOO_MANY)

    async def _forget(self) -> None:
        """Delete what is older than deliveries are kept, a thousand at a time."""
        kept = timedelta(days=self.settings.push_kept_days)
        for row in await self.db.fetch("list_organisations"):
            deleted = 1
            while deleted:
                async with self.db.transaction(row["id"]) as tx:
                    deleted = await tx.execute("delete_old_deliveries", row["id"], kept)
