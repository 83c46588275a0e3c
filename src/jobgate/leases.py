"""Leases: which jobs this worker holds, until when by its own clock, and which of them it should stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

from jobgate import jobs
from jobgate.db import CONTENDED, UNAVAILABLE, Database
from jobgate.jobs import Claim, ClaimKey
from jobgate.metrics import Metrics


class Leases:
    """What one worker holds. A job that is forgotten here is not renewed: it ends, or its lease runs out."""

    def __init__(self, db: Database, metrics: Metrics, lease_s: float) -> None:
        self.db = db
        self.metrics = metrics
        self.lease_s = lease_s
        self.held: dict[ClaimKey, Claim] = {}
        self.unwanted: set[ClaimKey] = set()
        """Claims whose job somebody cancelled, or that hold no more."""
        self._attempts: dict[ClaimKey, asyncio.Task[None]] = {}
        self._deadline = 0.0
        self.renewed_at = 0.0

    @property
    def are_over(self) -> bool:
        """Whether the oldest lease has run out by our own clock: another worker may hold these jobs by now."""
        return time.monotonic() > self._deadline

    def hold(self, claims: Iterable[Claim], asked: float) -> None:
        """Claims that Postgres granted. Their lease counts from when it was asked for, however long the answer took."""
        deadline = asked + self.lease_s
        self._deadline = min(self._deadline, deadline) if self.held else deadline
        self.held |= {claim.key: claim for claim in claims}

    def forget(self, claims: Iterable[Claim]) -> None:
        """Jobs that have ended, or that another worker shall have."""
        for claim in claims:
            self.held.pop(claim.key, None)
            self.unwanted.discard(claim.key)

    def run(self, claims: Iterable[Claim], attempt: asyncio.Task[None]) -> None:
        """`attempt` carries these jobs from now on: it is cancelled when one of them becomes unwanted."""
        for claim in claims:
            self._attempts[claim.key] = attempt

    def rest(self, claims: Iterable[Claim]) -> None:
        """Nothing carries these jobs at the moment."""
        for claim in claims:
            self._attempts.pop(claim.key, None)

    def cancel_attempts(self) -> None:
        """Cancel whatever runs."""
        for attempt in set(self._attempts.values()):
            attempt.cancel()

    async def renew_forever(self) -> None:
        """Renew every third of a lease."""
        while True:
            await asyncio.sleep(self.lease_s / 3)
            with suppress(*CONTENDED, *UNAVAILABLE):  # the leases may survive until the next try
                await self.renew()

    async def renew(self) -> None:
        """Renew all leases in one statement, and stop what is no longer ours or wanted."""
        held = list(self.held.values())
        if not held:
            return
        asked = time.monotonic()
        cancels = await jobs.renew(self.db, held, self.lease_s)
        self._deadline = asked + self.lease_s
        self.metrics.lease_renew_seconds.observe(time.monotonic() - asked)
        for claim in held:
            # While the answer was on its way the attempt may have ended.
            if cancels.get(claim.key, True) and claim.key in self.held:
                self.unwanted.add(claim.key)
                if claim.key in self._attempts:
                    self._attempts[claim.key].cancel()
