"""Carrying: one group of jobs from its claim to its end, whatever the task or Postgres does meanwhile.

run ──> committed: done
 │
 ├── fenced, cancelled ──────> go on with those that are still held
 ├── Postgres in trouble ────> wait for it, go on with those that are still held, a few times
 └── anything else ──────────> halve the group; the job that stands alone fails
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import asyncpg

from jobgate import jobs, log, wire
from jobgate.context import Batch, BatchJob, Chunk, JobFacts, Outside, Run, TaskDeferred, TaskFailed, TaskRefused
from jobgate.db import CONTENDED, UNAVAILABLE, Database, Transaction
from jobgate.errors import ApiError
from jobgate.jobs import Claim, Fenced
from jobgate.keys import KeyUnusable
from jobgate.leases import Leases
from jobgate.metrics import Metrics
from jobgate.registry import Task
from jobgate.scoring.maths.evaluator import Evaluator
from jobgate.settings import Settings
from jobgate.stores import chronicle

logger = logging.getLogger("jobgate")

T = TypeVar("T")

TROUBLE = CONTENDED + UNAVAILABLE
MAX_TROUBLE = 4
"""How often a group runs again because of Postgres before that counts as its own failure."""


class WorkerUnusable(Exception):
    """This process must be replaced: an attempt ignores its cancellation."""


class _Stopped(BaseException):
    """A long job ends between two chunks: the worker stops, the job was cancelled, or it shall go on elsewhere.

    No `Exception`: a task that catches everything must not catch this.
    """


class _TimedOut(Exception):
    """The attempt took longer than its task allows."""


class Carrier:
    """Runs groups of one organisation and type."""

    def __init__(
        self,
        db: Database,
        settings: Settings,
        metrics: Metrics,
        leases: Leases,
        maths: Evaluator,
        outside: Outside,
        stopping: asyncio.Event,
    ) -> None:
        self.db = db
        self.settings = settings
        self.metrics = metrics
        self.leases = leases
        self.maths = maths
        self.outside = outside
        self.stopping = stopping

    async def carry(self, task: Task, group: list[Claim]) -> None:
        """Run the group to its end. Raises `WorkerUnusable`; otherwise nothing of the group is held afterwards."""
        token = log.scope.set({"type": task.type, "jobs": [str(claim.facts.reference) for claim in group[:5]]})
        started = time.perf_counter()
        try:
            await self._attempt(task, group)
        finally:
            log.scope.reset(token)
            self.metrics.run_seconds.labels(task.type).observe(time.perf_counter() - started)

    async def _attempt(self, task: Task, group: list[Claim]) -> None:
        trouble = 0
        while group:
            try:
                await self._limit(task, group)
                self.leases.forget(group)
                self.metrics.jobs.labels(task.type, "completed").inc(len(group))
                return
            except _Stopped:
                self.leases.forget(group)
                return
            except Fenced:
                self.metrics.fenced.inc()
                log.event(logger, "job.fenced", logging.WARNING, count=len(group))
            except asyncio.CancelledError:
                if not await self._end_unwanted(group):
                    raise  # it is the worker that stops; it gives back what it holds
            except TROUBLE as error:
                # The commit may have happened: what is still held did not. But a task can raise such errors too.
                trouble += 1
                if trouble > MAX_TROUBLE or isinstance(error, asyncpg.QueryCanceledError):
                    await self._fail(task, group, error)
                    return
                await asyncio.sleep(random.uniform(0, 0.05 * 2**trouble))
            except WorkerUnusable:
                raise
            except Exception as error:
                await self._fail(task, group, error)
                return
            group = await self._still_held(group)

    async def _still_held(self, group: list[Claim]) -> list[Claim]:
        """Those of the group that are ours and wanted, with the cursors that were saved; the others are forgotten."""
        held = await self._insist(lambda: jobs.held(self.db, group)) or []
        wanted = [claim for claim in held if claim.key not in self.leases.unwanted]
        kept = {claim.key for claim in wanted}
        self.leases.forget([claim for claim in group if claim.key not in kept])
        return wanted

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """The answer of Postgres, waited for while the leases last; None: they are over, and so is our say."""
        while True:
            try:
                return await ask()
            except TROUBLE:
                if self.leases.are_over:
                    return None
                await asyncio.sleep(random.uniform(0.1, 0.5))

    async def _limit(self, task: Task, group: list[Claim]) -> None:
        """Run one attempt within its task's time. One that ignores its cancellation makes the process unusable."""
        attempt = asyncio.create_task(_contain(self._run(task, group)))
        self.leases.run(group, attempt)
        try:
            done, _ = await asyncio.wait([attempt], timeout=task.timeout_s)
            if not done:
                await self._end(attempt, task, group)
                if attempt.cancelled():
                    raise _TimedOut(f"longer than {task.timeout_s:.0f} s")
            attempt.result()
        except asyncio.CancelledError:
            await self._end(attempt, task, group)
            raise
        finally:
            self.leases.rest(group)

    async def _end(self, attempt: asyncio.Task[None], task: Task, group: list[Claim]) -> None:
        """Cancel the attempt and wait for its end, which is not up to us."""
        attempt.cancel()
        done, _ = await asyncio.wait([attempt], timeout=self.settings.abandon_s)
        if not done:
            attempt.add_done_callback(lambda late: late.cancelled() or late.exception())  # nobody waits for it
            log.event(logger, "worker.abandons", logging.ERROR, type=task.type)
            self.leases.forget(group)
            raise WorkerUnusable(f"a {task.type} attempt ignores its cancellation")

    # -- running -----------------------------------------------------------------------------------------------------

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
            await task.carry(Batch(organisation_id, tx, carried, self.maths))
            await jobs.log(tx, [(job.facts.id, entry) for job in carried for entry in job.log])
            await jobs.complete(tx, group, [wire.encode(job.results) for job in carried], [None] * len(group))

    async def _run_long(self, task: Task, claim: Claim) -> None:
        """One job, chunk by chunk; every chunk commits its effects, cursor, progress and log under the fence."""
        finished = has_moved = False

        @asynccontextmanager
        async def open_chunk() -> AsyncIterator[Chunk]:
            nonlocal finished, has_moved
            # A suspect that gets ahead is none any more: it goes on among the others, and frees its lane for the next.
            if self.stopping.is_set() or (claim.suspected and has_moved):
                raise _Stopped
            async with self.db.transaction(claim.facts.organisation_id) as tx:
                chunk = Chunk(tx)
                yield chunk
                await jobs.log(tx, [(claim.facts.id, entry) for entry in chunk.log])
                if claim.cursor is None and not has_moved:
                    await chronicle.tell_start(tx, claim.facts)
                cancel = False
                if chunk.results is None:
                    cancel = await jobs.checkpoint(tx, claim, chunk.cursor, chunk.done, chunk.total)
                else:
                    progress = wire.encode({"done": chunk.total, "total": chunk.total})
                    await jobs.checkpoint(tx, claim, None, chunk.total, chunk.total)
                    await jobs.complete(tx, [claim], [wire.encode(chunk.results)], [progress])
                    await chronicle.tell_completion(tx, claim.facts, chunk.log[-1] if chunk.log else None)
            has_moved = has_moved or wire.encode(chunk.cursor) != claim.cursor
            finished = chunk.results is not None
            if cancel:
                self.leases.unwanted.add(claim.key)
                raise _Stopped

        cursor = None if claim.cursor is None else wire.decode(claim.cursor, Any)
        params = wire.decode(claim.params, task.params)
        try:
            await task.carry(Run(claim.facts, params, cursor, open_chunk, self.outside))
        except _Stopped:
            if not await self._end_unwanted([claim]):
                self.metrics.released.inc(await jobs.release(self.db, [claim]))
            raise
        if not finished:
            raise RuntimeError(f"the task {task.type} returned without finishing its job")

    # -- ending badly ------------------------------------------------------------------------------------------------

    async def _end_unwanted(self, group: Sequence[Claim]) -> bool:
        """Halt the jobs of the group that somebody cancelled; False: there are none."""
        unwanted = [claim for claim in group if claim.key in self.leases.unwanted]
        if not unwanted:
            return False
        ended = await self._insist(lambda: jobs.end_cancelled(self.db, unwanted))
        if ended:
            self.metrics.jobs.labels(unwanted[0].facts.type, "cancelled").inc(ended)
            log.event(logger, "job.cancelled", count=ended)
        if ended == len(unwanted):
            await self._chronicle(unwanted, chronicle.tell_cancellation)
        return True

    async def _chronicle(
        self, ended: Sequence[Claim], tell: Callable[[Transaction, JobFacts], Awaitable[None]]
    ) -> None:
        """Tell the log of a store what became of runs of saved jobs."""

        async def tell_one(facts: JobFacts) -> None:
            async with self.db.transaction(facts.organisation_id) as tx:
                await tell(tx, facts)

        for claim in ended:
            if claim.facts.definition_id is not None:
                await self._insist(partial(tell_one, claim.facts))

    async def _fail(self, task: Task, group: list[Claim], error: Exception) -> None:
        """Halve a failed group, or end the attempt of the one job that failed."""
        if len(group) > 1:
            half = len(group) // 2
            for part in (group[:half], group[half:]):
                await self._attempt(task, part)
            return
        (claim,) = group
        if isinstance(error, TaskDeferred):
            delay_s = error.delay_s
            await self._insist(lambda: jobs.defer(self.db, claim, delay_s))
        else:
            await self._end_failed(task, claim, error)
        self.leases.forget(group)

    async def _end_failed(self, task: Task, claim: Claim, error: Exception) -> None:
        message, code, final = _explain(error)
        settings = self.settings
        failure = await self._insist(
            lambda: jobs.fail(
                self.db,
                claim,
                code=code,
                message=message,
                final=final,
                max_failures=settings.max_failures,
                retry_base_s=settings.retry_base_s,
                retry_max_s=settings.retry_max_s,
            )
        )
        if failure is None:
            self.metrics.fenced.inc()
            return
        self.metrics.jobs.labels(task.type, code if failure.halted else "retried").inc()
        if not failure.halted:
            self.metrics.retries.inc()
        is_exception = not isinstance(error, TaskRefused | TaskFailed | ApiError | _TimedOut)
        tell = partial(chronicle.tell_failure, message=message, is_halted=failure.halted, is_exception=is_exception)
        await self._chronicle([claim], tell)
        reference = claim.facts.reference
        if isinstance(error, TaskRefused | ApiError):
            log.event(logger, "job.refused", logging.WARNING, job=reference, reason=error.message)
        else:
            log.failure(logger, "job.failed", error, job=reference, halted=failure.halted, failures=failure.failures)


def _explain(error: Exception) -> tuple[str, str, bool]:
    """What a job's consumer is told about a failed attempt: message, code, and whether trying again is pointless."""
    if isinstance(error, TaskRefused | ApiError):
        return error.message, "failed", True
    if isinstance(error, TaskFailed):
        return error.message, "failed", False
    if isinstance(error, KeyUnusable):
        return f"Of this worker: {error}.", "failed", False
    if isinstance(error, wire.Undecodable):
        return "The stored parameters do not fit the task any more.", "failed", True
    if isinstance(error, _TimedOut):
        return "The attempt took too long.", "timeout", False
    return "The task failed; the operator's log knows more.", "failed", False


async def _contain(work: Awaitable[None]) -> None:
    """Await `work`; what would end the process (SystemExit and its like) becomes an ordinary failure."""
    try:
        await work
    except (Exception, _Stopped):
        raise
    except asyncio.CancelledError as error:
        attempt = asyncio.current_task()
        if attempt is not None and attempt.cancelling():
            raise
        raise RuntimeError("the task raised CancelledError, and nobody had cancelled it") from error
    except BaseException as error:
        raise RuntimeError(f"the task raised {type(error).__name__}") from error
