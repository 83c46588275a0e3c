"""Sending: due deliveries are claimed for a short while, posted, and written down, target by target.

Each target has up to four slots, over all processes; a slot claims, posts, writes down, and claims again in the same
transaction. No transaction is open while the target is being waited for. A sender that dies leaves claims that run out:
what it had posted and not written down is posted again, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from jobgate import log
from jobgate.db import CONTENDED, UNAVAILABLE, Database, Record, Transaction
from jobgate.keys import OuterKey
from jobgate.metrics import Metrics
from jobgate.outbound import Answer, Client, Forbidden, Unreachable
from jobgate.outbox.ladder import Verdict, judge
from jobgate.outbox.signatures import secret_owner, sign
from jobgate.settings import Settings

logger = logging.getLogger("jobgate")

PER_TARGET = 4
"""Tries under way at once for one target."""

OPENS_AFTER = 5
"""So many failures in a row open the circuit: the target is left alone, at no delivery's cost, then asked once."""

OPEN_FOR = timedelta(seconds=30)
DISABLED_AFTER = timedelta(days=5)

_LEASE_BEYOND_S = 15.0
"""How long a claim holds beyond the time of a try: writing it down may have to wait for Postgres."""

_PATIENCE = 5
"""A target that is paused or left alone is looked at again after so many ordinary looks, and not before."""

_STOP_S = 2.0
"""How long a stopping sender waits for tries under way; what is cut off is delivered again."""


class _Line(NamedTuple):
    """The deliveries of one target."""

    organisation_id: int
    target_id: uuid.UUID


class _Delivery(NamedTuple):
    """A claimed delivery, and all that is needed to post it."""

    id: uuid.UUID
    claims: int
    rung: int
    kind: str
    body: bytes
    url: str
    secrets: list[str]


class Sender:
    """Sends deliveries until cancelled."""

    def __init__(self, db: Database, settings: Settings, key: OuterKey, client: Client, metrics: Metrics) -> None:
        self.db = db
        self.settings = settings
        self.key = key
        self.client = client
        self.metrics = metrics
        self._patience_s = _PATIENCE * settings.push_poll_s
        self._lease = timedelta(seconds=client.timeout_s + _LEASE_BEYOND_S)
        self._slots: set[asyncio.Task[None]] = set()
        self._busy: Counter[_Line] = Counter()
        self._quiet: dict[uuid.UUID, float] = {}
        """Targets that nothing is sent to now, and until when, in monotonic time."""
        self._freed = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Send for ever; trouble with Postgres is logged once and waited for."""
        failing = False
        try:
            while True:
                self._freed.clear()
                try:
                    await self._look()
                    failing = False
                except Exception as error:  # whatever it is: without a sender nothing is delivered
                    if not failing:
                        log.failure(logger, "push.failed", error)
                    failing = True
                await self._wait()
        finally:
            await self._stop()

    async def _look(self) -> None:
        """Give a slot to every target that something is due for."""
        now = time.monotonic()
        self._quiet = {target: until for target, until in self._quiet.items() if until > now}
        free = self.settings.push_slots - len(self._slots)
        if free <= 0:
            return
        passed_over = [line.target_id for line in self._busy] + list(self._quiet)
        for row in await self.db.fetch("find_due_lines", passed_over, free):
            self._open_slot(_Line(row["organisation_id"], row["target_id"]))

    async def _wait(self) -> None:
        """Until the next look: after a while, or when a slot that others wait for is free."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.push_poll_s * random.uniform(0.8, 1.0)):
                await self._freed.wait()

    async def _stop(self) -> None:
        """Begin nothing more; let what is under way end, for a moment."""
        self._stopping = True
        if self._slots:
            _, late = await asyncio.wait(self._slots, timeout=_STOP_S)
            for slot in late:
                slot.cancel()
            if late:
                await asyncio.wait(late)

    # -- slots -------------------------------------------------------------------------------------------------------

    @property
    def _is_full(self) -> bool:
        return len(self._slots) >= self.settings.push_slots

    def _open_slot(self, line: _Line) -> None:
        """One more slot for a target, if there is one for it and in all."""
        if self._stopping or self._is_full or self._busy[line] >= PER_TARGET:
            return
        self._busy[line] += 1
        slot = asyncio.create_task(self._serve(line))
        self._slots.add(slot)
        slot.add_done_callback(lambda ended: self._close_slot(ended, line))

    def _close_slot(self, slot: asyncio.Task[None], line: _Line) -> None:
        if self._is_full:
            self._freed.set()
        self._slots.discard(slot)
        self._busy[line] -= 1
        if not self._busy[line]:
            del self._busy[line]
        if not slot.cancelled() and (error := slot.exception()) is not None:
            # Left alone for a while: the line would only come up again, and fail again, at once.
            self._quiet[line.target_id] = time.monotonic() + self._patience_s
            log.failure(logger, "push.failed", error)

    async def _serve(self, line: _Line) -> None:
        """Send what is due for one target, until nothing is, or others wait for the slot."""
        delivery = await self._settle(line, None)
        while delivery is not None:
            self._open_slot(line)
            try:
                verdict, ms = await self._try(delivery)
            except asyncio.CancelledError:
                await self._release(line, delivery)
                raise
            done = (delivery, verdict, ms)
            delivery = await self._settle(line, done, and_go_on=not (self._stopping or self._is_full))

    async def _try(self, delivery: _Delivery) -> tuple[Verdict, int]:
        """Post one delivery; how it ended, and after how many milliseconds."""
        started = time.perf_counter()
        headers = sign(str(delivery.id), int(time.time()), delivery.body, delivery.secrets)
        outcome: Answer | Exception
        try:
            outcome = await self.client.post(delivery.url, delivery.body, headers | {"jobgate-event": delivery.kind})
        except (Forbidden, Unreachable) as error:
            outcome = error
        except Exception as error:  # a bug, ours or a library's: the delivery waits its turn like every other
            log.failure(logger, "push.failed", error)
            outcome = Unreachable("the try failed on our side")
        seconds = time.perf_counter() - started
        verdict = judge(outcome, delivery.rung, random.random())
        self.metrics.delivery_seconds.observe(seconds)
        self.metrics.deliveries.labels("put off" if verdict.state == "queued" else verdict.state).inc()
        return verdict, round(seconds * 1000)

    # -- the outbox --------------------------------------------------------------------------------------------------

    async def _settle(
        self, line: _Line, done: tuple[_Delivery, Verdict, int] | None, *, and_go_on: bool = True
    ) -> _Delivery | None:
        """Write down how a try ended, and claim the target's next delivery; None: there is nothing to send now."""
        while True:
            try:
                async with self.db.transaction(line.organisation_id) as tx:
                    if done is not None:
                        await self._record(tx, line, *done)
                    return await self._claim(tx, line) if and_go_on else None
            except CONTENDED:
                continue  # one of two transactions that met had to give way: it was undone, and may run again
            except UNAVAILABLE as error:
                # What was not written down is posted again once its claim has run out.
                self._quiet[line.target_id] = time.monotonic() + self._patience_s
                log.event(logger, "push.waiting", logging.WARNING, reason=type(error).__name__)
                return None

    async def _claim(self, tx: Transaction, line: _Line) -> _Delivery | None:
        target = await tx.fetchrow("lock_target", *line)
        if target is None or target["disabled_reason"] is not None:
            while given_up := await tx.execute("give_up_deliveries", *line):
                self.metrics.deliveries.labels("given up").inc(given_up)
            return None
        quiet_s = self._must_rest(target)
        if quiet_s:
            self._quiet[line.target_id] = time.monotonic() + quiet_s
            return None
        row = await tx.fetchrow("claim_delivery", *line, self._lease)
        if row is None:
            return None
        wrapped = [target[name] for name in ("secret", "previous_secret") if target[name] is not None]
        owner = secret_owner(*line)
        secrets = [self.key.unwrap(secret, owner).decode() for secret in wrapped]
        return _Delivery(row["id"], row["claims"], row["rung"], row["kind"], row["body"], target["url"], secrets)

    def _must_rest(self, target: Record) -> float:
        """For how long nothing is to be sent to this target; 0: now is fine."""
        if target["is_paused"]:
            return self._patience_s
        if target["closed_s"] > 0:
            closed_s: float = target["closed_s"]
            return min(closed_s, self._patience_s)
        room = 1 if target["failures"] >= OPENS_AFTER else PER_TARGET
        return 0.0 if target["under_way"] < room else self.settings.push_poll_s

    async def _record(self, tx: Transaction, line: _Line, delivery: _Delivery, verdict: Verdict, ms: int) -> None:
        written = await tx.execute(
            "record_try",
            line.organisation_id,
            delivery.id,
            delivery.claims,
            verdict.state,
            timedelta(seconds=verdict.again_s),
            ms,
            verdict.status,
            verdict.error,
            verdict.answer,
        )
        if not written:
            log.event(logger, "push.fenced", logging.WARNING, delivery=delivery.id)
        elif verdict.state == "delivered":
            await tx.execute("count_success", *line)
        else:
            await self._count_failure(tx, line, verdict)

    async def _count_failure(self, tx: Transaction, line: _Line, verdict: Verdict) -> None:
        reason = await tx.fetchval(
            "count_failure",
            *line,
            verdict.error,
            timedelta(seconds=verdict.target_waits_s or 0.0),
            OPENS_AFTER,
            OPEN_FOR,
            verdict.error if verdict.is_gone else None,
            DISABLED_AFTER,
        )
        if reason is not None:
            log.event(logger, "push.disabled", logging.WARNING, target=line.target_id, reason=reason)

    async def _release(self, line: _Line, delivery: _Delivery) -> None:
        """Give a claim back whose try was cut off."""
        with suppress(*UNAVAILABLE):
            async with self.db.transaction(line.organisation_id) as tx:
                await tx.execute("release_delivery", line.organisation_id, delivery.id, delivery.claims)
