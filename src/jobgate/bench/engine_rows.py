"""Rows 5 and 6: how fast a worker process carries what is queued."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobgate.bench.contest import WORKER, Contest, Sides
from jobgate.bench.gateway_rows import STATUS, STATUSES, build_call, empty_queue, make_update
from jobgate.bench.load import put_load
from jobgate.bench.stage import CALLER, ORGANISATION_ID, Stage
from jobgate.bench.table import Mark

ARQ_SHARE = 10
"""arq gets so much less to do, or it would take all the time."""

ENTRIES = 100
"""Sessions that one update names: as many as the protocol allows."""

DONE_WITHIN_S = 120.0
_LOOK_S = 0.05

NO_OP = '''"""A job type that does nothing."""

import msgspec

from jobgate.context import Batch
from jobgate.registry import task


class Nothing(msgspec.Struct):
    """No parameters."""


@task("no-op")
async def do_nothing(batch: Batch[Nothing]) -> None:
    """Do nothing."""
'''


@asynccontextmanager
async def open_drain(stage: Stage) -> AsyncIterator[Sides]:
    """Row 5."""
    folder = stage.folder / "tasks"
    folder.mkdir()
    (folder / "no_op.py").write_text(NO_OP)
    redis_url = stage.servers.redis_url.replace("db=0", "db=1")

    async def carry() -> float:
        await empty_queue(stage)
        await queue_jobs(stage)
        async with stage.running(WORKER, "jobgate", "work", JOBGATE_TASKS_DIR=str(folder)):
            await await_jobs(stage)
        return stage.effort.jobs / await measure_span(stage)

    async def carry_with_arq() -> float:
        count = max(1, stage.effort.jobs // ARQ_SHARE)
        argv = (sys.executable, "-m", "jobgate.bench.arq_peer", redis_url, str(count))
        process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        told, _ = await asyncio.wait_for(process.communicate(), DONE_WITHIN_S)
        return count / float(told)

    yield Sides(carry, carry_with_arq)


@asynccontextmanager
async def open_updates(stage: Stage) -> AsyncIterator[Sides]:
    """Row 6."""
    count = stage.effort.updates * ENTRIES

    async def update_through_jobs() -> float:
        await empty_queue(stage)
        await store_sessions(stage, count)
        calls = [build_call(STATUSES, "update", make_update(n, ENTRIES)) for n in range(0, count, ENTRIES)]
        started = time.perf_counter()
        await put_load(gateway, iter(calls), status=200)
        await await_jobs(stage)
        seconds = time.perf_counter() - started
        await require_updates(stage, count)
        return count / seconds

    async def update_at_once() -> float:
        await store_sessions(stage, count)
        names = [f"session-{number:08}" for number in range(count)]
        started = time.perf_counter()
        async with stage.db.transaction(ORGANISATION_ID) as tx:
            args = (names, [STATUS] * count, [1] * count)
            await tx.execute("update_session_statuses", ORGANISATION_ID, *args)
        seconds = time.perf_counter() - started
        await require_updates(stage, count)
        return count / seconds

    async with (
        stage.serving("gateway", "jobgate", "serve") as gateway,
        stage.running(WORKER, "jobgate", "work"),
    ):
        yield Sides(update_through_jobs, update_at_once)


QUEUE_JOBS = """insert into job (reference, organisation_id, consumer_key, type, params)
select gen_random_uuid(), $1, $2, 'no-op', '{}' from generate_series(1, $3)"""


async def queue_jobs(stage: Stage) -> None:
    """Queue the no-ops of row 5, all at once."""
    async with stage.db.transaction() as tx:
        await tx.connection.execute(QUEUE_JOBS, ORGANISATION_ID, CALLER.key, stage.effort.jobs)
    await stage.run_as_admin("vacuum analyze job", "checkpoint")


STORE_SESSIONS = """insert into session
    (organisation_id, session_id, user_id, activity_id, status, dt_saved, dt_started, updated_at)
select $1, 'session-' || lpad((number - 1)::text, 8, '0'), 'learner', 'activity', 'Incomplete',
    clock_timestamp(), clock_timestamp(), clock_timestamp() from generate_series(1, $2) as number"""


async def store_sessions(stage: Stage, count: int) -> None:
    """Store sessions that nobody has updated yet, in a table without old versions."""
    await stage.run_as_admin("truncate session, response")
    async with stage.db.transaction(ORGANISATION_ID) as tx:
        await tx.connection.execute(STORE_SESSIONS, ORGANISATION_ID, count)
    await stage.run_as_admin("vacuum analyze session", "checkpoint")


async def require_updates(stage: Stage, count: int) -> None:
    """Was every session changed?"""
    async with stage.db.reading(ORGANISATION_ID) as tx:
        changed = await tx.connection.fetchval("select count(*) from session where status = $1", STATUS)
    if changed != count:
        raise RuntimeError(f"{changed} of {count} sessions were changed")


async def await_jobs(stage: Stage, within_s: float = DONE_WITHIN_S) -> None:
    """Wait until no job is queued or running."""
    looking = (
        "select exists (select from job where state = 'queued') or exists (select from job where state = 'running')"
    )
    async with asyncio.timeout(within_s), stage.db.connection() as queries:
        while await queries.connection.fetchval(looking):  # noqa: ASYNC110  # Postgres has no event for "nothing left"
            await asyncio.sleep(_LOOK_S)


async def measure_span(stage: Stage) -> float:
    """Seconds from the first claim to the last completion. Raises when a job did not end well."""
    async with stage.db.connection() as queries:
        row = await queries.connection.fetchrow(
            "select extract(epoch from max(completed_at) - min(started_at))::float8 as seconds, "
            "count(*) filter (where state <> 'completed') as others from job"
        )
    assert row is not None  # an aggregate always gives one row
    if row["others"]:
        raise RuntimeError(f"{row['others']} jobs did not complete")
    seconds: float = row["seconds"]
    return seconds


ENGINE_ROWS = (
    Contest(Mark(5, "no-op jobs drained", "arq alone", 8), "jobs", open_drain),
    Contest(Mark(6, "session updates, end to end", "one update from unnest", 0.5), "sessions", open_updates),
)
