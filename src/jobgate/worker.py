"""The worker: claims jobs from Postgres, runs them in groups, and stops without losing one.

Each slot is a loop: claim, run, again; with nothing due it waits for the doorbell or the next poll. Set slots claim
batches, long slots one job each, and one slot takes suspects (jobs that lost a worker before) alone, so that a job that
kills its worker is caught without dragging its neighbours down.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import groupby
from typing import Any

import asyncpg

from jobgate import jobs, log, wire
from jobgate.context import Batch, BatchJob, Chunk, LogEntry, Run, TaskDeferred, TaskRefused
from jobgate.db import CONTENDED, UNAVAILABLE, Database
from jobgate.doorbell import Doorbell
from jobgate.errors import ApiError
from jobgate.jobs import Claim, Fenced
from jobgate.metrics import Metrics
from jobgate.registry import Task, Tasks
from jobgate.settings import Settings

logger = logging.getLogger("jobgate")

MAX_CONTENTION_RETRIES = 3


class WorkerUnusable(Exception):
    """This process must be replaced: an attempt ignores its cancellation, or memory has grown beyond its limit."""


class _Stopped(Exception):
    """The run ends between two chunks, because the worker stops or its job was cancelled."""


class _TimedOut(Exception):
    """The attempt took longer than its task allows."""


class Worker:
    """Carries jobs until `stop` is called."""

    def __init__(self, db: Database, tasks: Tasks, settings: Settings, doorbell: Doorbell, metrics: Metrics) -> None:
        self.db = db
        self.tasks = tasks
        self.settings = settings
        self.doorbell = doorbell
        self.metrics = metrics
        self.id = uuid.uuid4()
        self._stopping = asyncio.Event()
        self._bell = asyncio.Event()
        self._held: dict[int, Claim] = {}
        self._attempts: dict[int, asyncio.Task[None]] = {}
        self._cancelled: set[int] = set()
        self._deadline = 0.0

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what runs has ended or was given back. A second call skips the wait."""
        if self._stopping.is_set():
            for attempt in list(self._attempts.values()):
                attempt.cancel()
        self._stopping.set()
        self._bell.set()

    async def run(self) -> None:
        """Work until stopped. Raises `WorkerUnusable` when the process must be replaced."""
        log.event(logger, "worker.started", worker=self.id, types=list(self.tasks))
        kinds = {kind: [type for type, task in self.tasks.items() if task.kind == kind] for kind in ("set", "long")}
        slots = [
            asyncio.create_task(self._serve(types, jobs=count, suspects=suspects))
            for types, count, suspects in (
                *[(kinds["set"], self.settings.claim_jobs, False)] * self.settings.set_slots,
                *[(kinds["long"], 1, False)] * self.settings.long_slots,
                (list(self.tasks), 1, True),
            )
        ]
        beside = [asyncio.create_task(self.doorbell.listen(self._bell.set)), asyncio.create_task(self._renew_forever())]
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([stopped, *slots, *beside], return_when=asyncio.FIRST_COMPLETED)
            for ended in (*slots, *beside):
                if ended.done():
                    ended.result()
            await self._drain(slots)
        finally:
            for left in (stopped, *beside, *slots):
                left.cancel()
            await asyncio.wait([stopped, *beside, *slots])
            log.event(logger, "worker.stopped", worker=self.id)

    async def _drain(self, slots: Sequence[asyncio.Task[None]]) -> None:
        """Let what runs end, for a while; then give it back."""
        _, late = await asyncio.wait(slots, timeout=self.settings.drain_s)
        for attempt in list(self._attempts.values()):
            attempt.cancel()
        if late:
            await asyncio.wait(late, timeout=self.settings.abandon_s)
        if self._held:
            released = await jobs.release(self.db, list(self._held.values()))
            self.metrics.released.inc(released)
            log.event(logger, "worker.released", jobs=released)

    # -- claiming ----------------------------------------------------------------------------------------------------

    async def _serve(self, types: Sequence[str], *, jobs: int, suspects: bool) -> None:
        while not self._stopping.is_set():
            try:
                claims = await self._claim(types, jobs, suspects)
                for group in _group(claims):
                    await self._carry(self.tasks[group[0].facts.type], group)
            except CONTENDED + UNAVAILABLE as error:
                log.event(logger, "worker.waiting", logging.WARNING, reason=type(error).__name__)
                await self._rest(random.uniform(0.2, 1))
            else:
                if not claims:
                    polls = self.settings.poll_s if self.doorbell.healthy else self.settings.poll_unhealthy_s
                    await self._listen(polls)

    async def _claim(self, types: Sequence[str], count: int, suspects: bool) -> list[Claim]:
        settings = self.settings
        # Leases count from here by our own clock: an answer that took long must not make them look longer.
        asked = time.monotonic()
        claims = await jobs.claim(
            self.db,
            types,
            owner=self.id,
            lease_s=settings.lease_s,
            jobs=count,
            entries=settings.claim_entries,
            suspects=suspects,
        )
        if claims:
            self._deadline = min(self._deadline, asked + settings.lease_s) if self._held else asked + settings.lease_s
            self._held |= {claim.facts.id: claim for claim in claims}
            for claim in claims:
                self.metrics.start_latency_seconds.labels(claim.facts.type).observe(max(0.0, claim.waited_s))
        return claims

    async def _listen(self, polls_s: float) -> None:
        """Wait for the doorbell, or the next poll."""
        self._bell.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(polls_s * random.uniform(0.8, 1.0)):
                await self._bell.wait()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _renew_forever(self) -> None:
        """Renew all leases in one statement every third of a lease, and stop what is no longer ours or wanted."""
        lease_s = self.settings.lease_s
        while True:
            await asyncio.sleep(lease_s / 3)
            held = list(self._held.values())
            if not held:
                continue
            asked = time.monotonic()
            try:
                wanted = await jobs.renew(self.db, held, lease_s)
            except CONTENDED + UNAVAILABLE:
                continue  # the lease may survive the next try
            self._deadline = asked + lease_s
            self.metrics.lease_renew_seconds.observe(time.monotonic() - asked)
            for claim in held:
                id = claim.facts.id
                if wanted.get(id, True) and id in self._held:
                    self._cancelled.add(id)
                    attempt = self._attempts.get(id)
                    if attempt is not None:
                        attempt.cancel()

    # -- carrying ----------------------------------------------------------------------------------------------------

    async def _carry(self, task: Task, group: list[Claim]) -> None:
        """Run one group to its end, whatever happens; afterwards nothing of it is held."""
        token = log.scope.set({"type": task.type, "jobs": [str(claim.facts.reference) for claim in group[:5]]})
        started = time.perf_counter()
        try:
            await self._attempt(task, group)
        finally:
            log.scope.reset(token)
            self.metrics.run_seconds.labels(task.type).observe(time.perf_counter() - started)
            if not self._stopping.is_set():
                self._forget(group)

    def _forget(self, group: Iterable[Claim]) -> None:
        for claim in group:
            self._held.pop(claim.facts.id, None)
            self._cancelled.discard(claim.facts.id)

    async def _attempt(self, task: Task, group: list[Claim]) -> None:
        """Run the group; what fails is halved until the job that fails stands alone."""
        contention = 0
        while group:
            try:
                await self._limit(task, group)
                self._forget(group)
                self.metrics.jobs.labels(task.type, "completed").inc(len(group))
                return
            except Fenced:
                self.metrics.fenced.inc()
                log.event(logger, "job.fenced", logging.WARNING, count=len(group))
            except asyncio.CancelledError:
                if not await self._end_cancelled(group):
                    raise
            except CONTENDED as error:
                contention += 1
                if contention > MAX_CONTENTION_RETRIES:
                    return await self._fail(task, group, error)
                await self._rest(random.uniform(0, 0.05 * 2**contention))
            except UNAVAILABLE as error:
                # The commit may have happened: what is still held did not. A dead lease means another worker's turn.
                if isinstance(error, asyncpg.QueryCanceledError) or time.monotonic() > self._deadline:
                    return await self._fail(task, group, error)
                await self._rest(random.uniform(0.05, 0.5))
            except WorkerUnusable:
                raise
            except Exception as error:
                return await self._fail(task, group, error)
            group = await self._still_held(group)

    async def _still_held(self, group: list[Claim]) -> list[Claim]:
        """Wait for Postgres; then those of the group that are ours and wanted."""
        while True:
            try:
                held = await jobs.held(self.db, group)
            except CONTENDED + UNAVAILABLE:
                if time.monotonic() > self._deadline:
                    return []
                await self._rest(random.uniform(0.1, 0.5))
            else:
                return [claim for claim in held if claim.facts.id not in self._cancelled]

    async def _limit(self, task: Task, group: list[Claim]) -> None:
        """Run one attempt within its task's time. One that ignores its cancellation makes the process unusable."""
        attempt = asyncio.create_task(_contain(self._run(task, group)))
        for claim in group:
            self._attempts[claim.facts.id] = attempt
        try:
            done, _ = await asyncio.wait([attempt], timeout=task.timeout_s)
            if not done:
                attempt.cancel()
                done, _ = await asyncio.wait([attempt], timeout=self.settings.abandon_s)
                if not done:
                    attempt.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody waits for it
                    log.event(logger, "worker.abandons", logging.ERROR, type=task.type)
                    raise WorkerUnusable(f"a {task.type} attempt ignores its cancellation")
                if attempt.cancelled():
                    raise _TimedOut(f"longer than {task.timeout_s:.0f} s")
            attempt.result()
        except asyncio.CancelledError:
            attempt.cancel()
            await asyncio.wait([attempt], timeout=self.settings.abandon_s)
            raise
        finally:
            for claim in group:
                self._attempts.pop(claim.facts.id, None)

    async def _run(self, task: Task, group: list[Claim]) -> None:
        if task.kind == "set":
            await self._run_set(task, group)
        else:
            await self._run_long(task, group[0])

    async def _run_set(self, task: Task, group: list[Claim]) -> None:
        """Effects, results and final states of the whole group in one transaction."""
        carried = [BatchJob(claim.facts, wire.decode(claim.params, task.params)) for claim in group]
        organisation_id = group[0].facts.organisation_id
        async with self.db.transaction(organisation_id) as tx:
            await task.carry(Batch(organisation_id, tx, carried))
            await jobs.log(tx, [(job.facts.id, entry) for job in carried for entry in job.log])
            await jobs.complete(tx, group, [wire.encode(job.results) for job in carried], [None] * len(group))

    async def _run_long(self, task: Task, claim: Claim) -> None:
        """One job, chunk by chunk; every chunk commits its effects, cursor, progress and log under the fence."""
        finished = False

        @asynccontextmanager
        async def open_chunk() -> AsyncIterator[Chunk]:
            nonlocal finished
            if self._stopping.is_set():
                raise _Stopped
            async with self.db.transaction(claim.facts.organisation_id) as tx:
                chunk = Chunk(tx)
                yield chunk
                await jobs.log(tx, [(claim.facts.id, entry) for entry in chunk.log])
                cancel = False
                if chunk.results is not None:
                    progress = wire.encode({"done": chunk.total, "total": chunk.total})
                    await jobs.checkpoint(tx, claim, None, chunk.total, chunk.total)
                    await jobs.complete(tx, [claim], [wire.encode(chunk.results)], [progress])
                    finished = True
                else:
                    cancel = await jobs.checkpoint(tx, claim, chunk.cursor, chunk.done, chunk.total)
            if cancel:
                self._cancelled.add(claim.facts.id)
                raise _Stopped

        cursor = None if claim.cursor is None else wire.decode(claim.cursor, Any)
        params = wire.decode(claim.params, task.params)
        try:
            await task.carry(Run(claim.facts, params, cursor, open_chunk))
        except _Stopped:
            if claim.facts.id in self._cancelled:
                await jobs.end_cancelled(self.db, [claim])
            else:
                self.metrics.released.inc(await jobs.release(self.db, [claim]))
            return
        if not finished:
            raise RuntimeError(f"the task {task.type} returned without finishing its job")

    # -- ending badly ------------------------------------------------------------------------------------------------

    async def _end_cancelled(self, group: list[Claim]) -> bool:
        """Halt the jobs of the group that somebody cancelled; False: it was the worker that was cancelled."""
        unwanted = [claim for claim in group if claim.facts.id in self._cancelled]
        if not unwanted:
            return False
        ended = await jobs.end_cancelled(self.db, unwanted)
        for claim in unwanted:
            self.metrics.jobs.labels(claim.facts.type, "cancelled").inc()
            self._held.pop(claim.facts.id, None)
        log.event(logger, "job.cancelled", count=ended)
        return True

    async def _fail(self, task: Task, group: list[Claim], error: Exception) -> None:
        """Halve a failed group, or end the attempt of the one job that failed."""
        if len(group) > 1:
            half = len(group) // 2
            for part in (group[:half], group[half:]):
                await self._attempt(task, part)
            return
        (claim,) = group
        self._forget(group)
        if isinstance(error, TaskDeferred):
            await jobs.defer(self.db, claim, error.delay_s)
            return
        message, code, final = _explain(error)
        settings = self.settings
        failure = await jobs.fail(
            self.db,
            claim,
            code=code,
            message=message,
            final=final,
            max_failures=settings.max_failures,
            retry_base_s=settings.retry_base_s,
            retry_max_s=settings.retry_max_s,
        )
        if failure is None:
            self.metrics.fenced.inc()
            return
        outcome = code if failure.halted else "retried"
        self.metrics.jobs.labels(task.type, outcome).inc()
        if not failure.halted:
            self.metrics.retries.inc()
        log.failure(
            logger, "job.failed", error, job=claim.facts.reference, halted=failure.halted, failures=failure.failures
        )


def _explain(error: Exception) -> tuple[str, str, bool]:
    """What a job's consumer is told about a failed attempt: message, code, and whether trying again is pointless."""
    if isinstance(error, TaskRefused | ApiError):
        return error.message, "failed", True
    if isinstance(error, wire.Undecodable):
        return "The stored parameters do not fit the task any more.", "failed", True
    if isinstance(error, _TimedOut):
        return "The attempt took too long.", "timeout", False
    if isinstance(error, CONTENDED + UNAVAILABLE):
        return "The database did not take the work in time.", "failed", False
    return "The task failed; the operator's log knows more.", "failed", False


async def _contain(work: Any) -> None:
    """Await `work`; what would end the process (SystemExit and its like) becomes an ordinary failure."""
    try:
        await work
    except (Exception, asyncio.CancelledError):
        raise
    except BaseException as error:
        raise RuntimeError(f"the task raised {type(error).__name__}") from error


def _group(claims: Sequence[Claim]) -> list[list[Claim]]:
    """Claims by organisation and type, the oldest job first in each group."""

    def key(claim: Claim) -> tuple[int, str]:
        return claim.facts.organisation_id, claim.facts.type

    return [list(group) for _, group in groupby(sorted(claims, key=key), key)]
