"""Sending: due deliveries are claimed for a short while, posted, and written down, target by target.

Each target that something is due for has a lane: it keeps up to four tries under way, and when some of them have ended
writes them down and claims as many again in one transaction. No transaction is open while a target is being waited for.
A sender that dies leaves claims that run out: what it had posted and not written down is posted again, under the same
id.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from jobgate import log
from jobgate.db import CONTENDED, UNAVAILABLE, Database, Transaction
from jobgate.keys import KeyUnusable, OuterKey
from jobgate.metrics import Metrics
from jobgate.outbound import Answer, Client, Forbidden, Unreachable
from jobgate.outbox.ladder import Verdict, judge
from jobgate.outbox.signatures import secret_owner, sign
from jobgate.settings import Settings

logger = logging.getLogger("jobgate")

PER_TARGET = 4
"""Tries under way at once for one target, over all processes."""

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


class _Ended(NamedTuple):
    """A try that is over."""

    delivery: _Delivery
    verdict: Verdict
    ms: int


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
        self._free = settings.push_slots
        self._is_crowded = False
        """All slots are in use: lanes end when their tries have, so that every target gets its turn."""
        self._lanes: dict[_Line, asyncio.Task[None]] = {}
        self._quiet: dict[uuid.UUID, float] = {}
        """Targets that nothing is sent to now, and until when, in monotonic time."""
        self._freed = asyncio.Event()
        self._is_stopping = False

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
        """Open a lane for every target that something is due for, as long as there are slots."""
        now = time.monotonic()
        self._quiet = {target: until for target, until in self._quiet.items() if until > now}
        self._is_crowded = self._free <= 0
        if self._is_crowded:
            return
        passed_over = [line.target_id for line in self._lanes] + list(self._quiet)
        for row in await self.db.fetch("find_due_lines", passed_over, self._free):
            line = _Line(row["organisation_id"], row["target_id"])
            self._lanes[line] = asyncio.create_task(self._serve(line))

    async def _wait(self) -> None:
        """Until the next look: after a while, or when there is room that others wait for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.push_poll_s * random.uniform(0.8, 1.0)):
                await self._freed.wait()

    async def _stop(self) -> None:
        """Begin nothing more; let what is under way end, for a moment."""
        self._is_stopping = True
        lanes = list(self._lanes.values())
        if lanes:
            _, late = await asyncio.wait(lanes, timeout=_STOP_S)
            for lane in late:
                lane.cancel()
            await asyncio.wait(lanes)

    # -- lanes -------------------------------------------------------------------------------------------------------

    async def _serve(self, line: _Line) -> None:
        """Send what is due for one target, until nothing is, or others wait for the slots."""
        under_way: dict[asyncio.Task[_Ended], _Delivery] = {}
        ended: list[_Ended] = []
        try:
            while True:
                wanted = min(PER_TARGET - len(under_way), self._free)
                wanted = 0 if self._is_stopping or self._is_crowded else wanted
                self._free -= wanted  # nobody else may count on them while we ask for deliveries
                claimed: Sequence[_Delivery] = ()
                try:
                    if ended or wanted:
                        claimed = await self._settle(line, ended, wanted)
                finally:
                    self._free += wanted - len(claimed)
                under_way |= {asyncio.create_task(self._try(delivery)): delivery for delivery in claimed}
                if not under_way:
                    return
                done, _ = await asyncio.wait(
                    under_way, timeout=self.settings.push_poll_s, return_when=asyncio.FIRST_COMPLETED
                )
                ended = [task.result() for task in done]
                for task in done:
                    del under_way[task]
                self._free += len(done)
        except Exception as error:  # a bug: it must not keep the other targets waiting
            self._rest(line, self._patience_s)
            log.failure(logger, "push.failed", error)
        finally:
            self._free += len(under_way)
            del self._lanes[line]
            if self._is_crowded:
                self._freed.set()
            await self._give_back(line, under_way)

    def _rest(self, line: _Line, seconds: float) -> None:
        """Leave the target alone for a while."""
        self._quiet[line.target_id] = time.monotonic() + seconds

    async def _try(self, delivery: _Delivery) -> _Ended:
        """Post one delivery."""
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
        return _Ended(delivery, verdict, round(seconds * 1000))

    async def _give_back(self, line: _Line, under_way: dict[asyncio.Task[_Ended], _Delivery]) -> None:
        """Cut tries off, and give their claims back."""
        if not under_way:
            return
        for task in under_way:
            task.cancel()
        await asyncio.wait(under_way)
        claims = [(delivery.id, delivery.claims) for delivery in under_way.values()]
        with suppress(*UNAVAILABLE):  # else they run out by themselves
            async with self.db.transaction(line.organisation_id) as tx:
                await tx.execute("release_deliveries", line.organisation_id, *zip(*claims, strict=True))

    # -- the outbox --------------------------------------------------------------------------------------------------

    async def _settle(self, line: _Line, ended: Sequence[_Ended], wanted: int) -> Sequence[_Delivery]:
        """Write down how tries ended, and claim as many deliveries as wanted, or as there are to be sent now."""
        while True:
            try:
                async with self.db.transaction(line.organisation_id) as tx:
                    if ended:
                        await self._record(tx, line, ended)
                    return await self._claim(tx, line, wanted) if wanted else ()
            except CONTENDED:
                continue  # one of two transactions that met had to give way: it was undone, and may run again
            except UNAVAILABLE as error:
                # What was not written down is posted again once its claim has run out.
                self._rest(line, self._patience_s)
                log.event(logger, "push.waiting", logging.WARNING, reason=type(error).__name__)
                return ()

    async def _record(self, tx: Transaction, line: _Line, ended: Sequence[_Ended]) -> None:
        rows = await tx.fetch(
            "record_tries",
            line.organisation_id,
            [each.delivery.id for each in ended],
            [each.delivery.claims for each in ended],
            [each.verdict.state for each in ended],
            [timedelta(seconds=each.verdict.again_s) for each in ended],
            [each.ms for each in ended],
            [each.verdict.status for each in ended],
            [each.verdict.error for each in ended],
            [each.verdict.answer for each in ended],
        )
        written = {row["delivery_id"] for row in rows}
        verdicts = [each.verdict for each in ended if each.delivery.id in written]
        if len(verdicts) < len(ended):
            log.event(logger, "push.fenced", logging.WARNING, count=len(ended) - len(verdicts))
        if any(verdict.state == "delivered" for verdict in verdicts):
            await tx.execute("count_success", *line)
        if failed := [verdict for verdict in verdicts if verdict.state != "delivered"]:
            await self._count_failures(tx, line, failed)

    async def _count_failures(self, tx: Transaction, line: _Line, failed: Collection[Verdict]) -> None:
        gone = [verdict.error for verdict in failed if verdict.is_gone]
        *_, last = failed
        reason = await tx.fetchval(
            "count_failures",
            *line,
            last.error,
            len(failed),
            timedelta(seconds=max(verdict.target_waits_s or 0.0 for verdict in failed)),
            OPENS_AFTER,
            OPEN_FOR,
            gone[0] if gone else None,
            DISABLED_AFTER,
        )
        if reason is not None:
            log.event(logger, "push.disabled", logging.WARNING, target=line.target_id, reason=reason)

    async def _claim(self, tx: Transaction, line: _Line, wanted: int) -> Sequence[_Delivery]:
        target = await tx.fetchrow("lock_target", *line)
        if target is None or target["disabled_reason"] is not None:
            while given_up := await tx.execute("give_up_deliveries", *line):
                self.metrics.deliveries.labels("given up").inc(given_up)
            return ()
        if target["is_paused"] or target["closed_s"] > 0:
            closed_s: float = target["closed_s"] or self._patience_s
            self._rest(line, min(closed_s, self._patience_s))
            return ()
        room = (1 if target["failures"] >= OPENS_AFTER else PER_TARGET) - target["under_way"]
        if room <= 0:
            self._rest(line, self.settings.push_poll_s)
            return ()
        wrapped = [target[name] for name in ("secret", "previous_secret") if target[name] is not None]
        try:
            secrets = [self.key.unwrap(secret, secret_owner(*line)).decode() for secret in wrapped]
        except KeyUnusable as error:
            self._rest(line, self._patience_s)
            log.failure(logger, "push.failed", error)
            return ()
        rows = await tx.fetch("claim_deliveries", *line, min(wanted, room), self._lease)
        return [
            _Delivery(row["id"], row["claims"], row["rung"], row["kind"], row["body"], target["url"], secrets)
            for row in rows
        ]
