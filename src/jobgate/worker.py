"""The worker: claims jobs from Postgres, runs them in groups, and stops without losing one.

Each slot is a loop: claim, run, again; with nothing due it waits for the doorbell or the next poll. Set slots claim
batches, long slots one job each; of several long slots one takes no job that calls out, and waits for nobody. One slot
takes suspects (jobs that lost a worker before) apart from each other, so that a job that kills its worker is caught
without dragging its neighbours down.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import NamedTuple

from jobgate import jobs, log
from jobgate.carrying import TROUBLE, Carrier, WorkerUnusable
from jobgate.context import Outside
from jobgate.db import Database
from jobgate.doorbell import Doorbell
from jobgate.jobs import Claim
from jobgate.keys import OuterKey
from jobgate.leases import Leases
from jobgate.metrics import Metrics
from jobgate.outbound import Client, read_rules
from jobgate.registry import Tasks
from jobgate.scoring.maths.evaluator import Evaluator
from jobgate.settings import Settings

__all__ = ["Worker", "WorkerUnusable"]

logger = logging.getLogger("jobgate")

CROWD = 30
"""Suspects that run together after their first loss; the one that is to blame loses a worker once more, then alone."""


class _Look(NamedTuple):
    """What a slot looks for."""

    types: Sequence[str]
    jobs: int
    suspects: bool = False


class Worker:
    """Carries jobs until `stop` is called."""

    def __init__(self, db: Database, tasks: Tasks, settings: Settings, doorbell: Doorbell, metrics: Metrics) -> None:
        self.db = db
        self.tasks = tasks
        self.settings = settings
        self.doorbell = doorbell
        self.metrics = metrics
        self.id = uuid.uuid4()
        self.leases = Leases(db, metrics, settings.lease_s)
        self.looked_at = time.monotonic()
        """When Postgres last answered whether there is work."""
        self._stopping = asyncio.Event()
        self._hurrying = asyncio.Event()
        self._bell = asyncio.Event()
        self._maths = Evaluator()
        self._client = Client(read_rules(settings), timeout_s=settings.push_timeout_s)
        key = OuterKey(settings.secret_key) if settings.secret_key else None
        outside = Outside(db, settings, self._client, key)
        self._carrier = Carrier(db, settings, metrics, self.leases, self._maths, outside, self._stopping)

    def problem(self) -> str | None:
        """What keeps this worker from working, if anything."""
        if self._stopping.is_set():
            return "stopping"
        silent_s = time.monotonic() - max(self.looked_at, self.leases.renewed_at)
        return f"no word from the database in {silent_s:.0f} s" if silent_s > self.settings.lease_s else None

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what runs has ended or was given back. A second call does not wait."""
        if self._stopping.is_set():
            self._hurrying.set()
        self._stop_claiming()

    def _stop_claiming(self) -> None:
        self._stopping.set()
        self._ring()

    def _ring(self) -> None:
        """Wake every slot, also one that is just looking: each waits for the bell that it saw before it looked."""
        rung, self._bell = self._bell, asyncio.Event()
        rung.set()

    async def run(self) -> None:
        """Work until stopped. Raises `WorkerUnusable` when the process must be replaced."""
        log.event(logger, "worker.started", worker=self.id, types=list(self.tasks))
        settings = self.settings
        kinds = {kind: [type for type, task in self.tasks.items() if task.kind == kind] for kind in ("set", "long")}
        near = [type for type in kinds["long"] if not self.tasks[type].calls_out]
        crowd = CROWD if settings.max_losses > 2 else 1
        looks = (
            *[(_Look(kinds["set"], settings.claim_jobs),)] * settings.set_slots,
            *[(_Look(near, 1),)] * (settings.long_slots > 1),
            *[(_Look(kinds["long"], 1),)] * max(1, settings.long_slots - 1),
            (_Look(kinds["set"], crowd, suspects=True), _Look(kinds["long"], 1, suspects=True)),
        )
        slots = [asyncio.create_task(self._serve(each)) for each in looks]
        beside = [
            asyncio.create_task(self.doorbell.listen(self._ring)),
            asyncio.create_task(self.leases.renew_forever()),
        ]
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([stopped, *slots, *beside], return_when=asyncio.FIRST_COMPLETED)
            self._stop_claiming()
            await self._drain(slots)
        finally:
            for left in (stopped, *beside, *slots):
                left.cancel()
            await asyncio.wait([stopped, *beside, *slots])
            await self._maths.close()
            self._client.close()
            log.event(logger, "worker.stopped", worker=self.id)
        for ended in (*slots, *beside):
            if not ended.cancelled():
                ended.result()

    async def _drain(self, slots: Sequence[asyncio.Task[None]]) -> None:
        """Let what runs end, for a while or until somebody is in a hurry; then give it back."""
        ended = asyncio.create_task(asyncio.wait(slots))
        hurrying = asyncio.create_task(self._hurrying.wait())
        await asyncio.wait([ended, hurrying], timeout=self.settings.drain_s, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        hurrying.cancel()
        late = [slot for slot in slots if not slot.done()]
        if late:
            self.leases.cancel_attempts()
            await asyncio.wait(late, timeout=self.settings.abandon_s)
        await self._give_back(list(self.leases.held.values()))

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        """Release what was left undone, so that its lease need not run out first."""
        while claims and not self.leases.are_over:
            try:
                released = await jobs.release(self.db, claims)
            except TROUBLE:
                await self._rest(random.uniform(0.1, 0.5))
            else:
                self.metrics.released.inc(released)
                log.event(logger, "worker.released", jobs=released)
                break
        self.leases.forget(claims)

    async def _serve(self, looks: Sequence[_Look]) -> None:
        while not self._stopping.is_set():
            bell = self._bell
            claims: list[Claim] = []
            try:
                for look in looks:
                    claims = claims or await self._claim(look)
                for group in _group(claims):
                    await self._carrier.carry(self.tasks[group[0].facts.type], group)
            except TROUBLE as error:
                log.event(logger, "worker.waiting", logging.WARNING, reason=type(error).__name__)
                await self._give_back(claims)
                await self._rest(random.uniform(0.2, 1))
            else:
                if not claims:
                    await self._listen(bell)

    async def _claim(self, look: _Look) -> list[Claim]:
        asked = time.monotonic()
        claims = await jobs.claim(
            self.db,
            look.types,
            owner=self.id,
            lease_s=self.settings.lease_s,
            jobs=look.jobs,
            entries=self.settings.claim_entries,
            suspects=look.suspects,
        )
        self.looked_at = time.monotonic()
        self.leases.hold(claims, asked)
        for claim in claims:
            self.metrics.start_latency_seconds.add(claim.facts.type, max(0.0, claim.waited_s))
        return claims

    async def _listen(self, bell: asyncio.Event) -> None:
        """Wait for the doorbell, or the next poll."""
        poll_s = self.settings.poll_s if self.doorbell.healthy else self.settings.poll_unhealthy_s
        with suppress(TimeoutError):
            async with asyncio.timeout(poll_s * random.uniform(0.8, 1.0)):
                await bell.wait()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


def _group(claims: Sequence[Claim]) -> list[list[Claim]]:
    """Claims by organisation and type, the oldest job first in each group."""

    def key(claim: Claim) -> tuple[int, str]:
        return claim.facts.organisation_id, claim.facts.type

    return [list(group) for _, group in groupby(sorted(claims, key=key), key)]
