"""Rows 1 to 4: what an HTTP call costs beside the least that could answer it."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from jobgate import wire
from jobgate.bench.contest import Contest, Sides
from jobgate.bench.load import Load, build_post, put_load
from jobgate.bench.stage import CALLER, ORGANISATION_ID, Stage
from jobgate.bench.table import Mark
from jobgate.client import FORM_TYPE, Credentials, sign_form

JOBS = "/v2025.1.LTS/jobs"
STATUSES = "/v2025.1.LTS/jobs/sessions/statuses"
STATUS = "Discarded"
"""What sessions are set to. Completed would have them scored anew as well, which is another row."""

STORED_JOBS = 1000
POLLED_JOBS = 100
FORGED_CALLS = 2000
ACCEPTS_PREPARED_PER_S = 6000
"""More packets than any gateway process accepts in a second."""

_numbers = itertools.count()


def build_call(path: str, action: str, request: Any, who: Credentials = CALLER) -> bytes:
    """A signed call, as it goes over the wire."""
    return build_post(path, sign_form(who, request, action, now=datetime.now(UTC)), FORM_TYPE)


@asynccontextmanager
async def open_refusals(stage: Stage) -> AsyncIterator[Sides]:
    """Row 1: no two calls in a row are alike."""
    forger = CALLER._replace(secret="not-the-secret-that-anybody-here-has-ever-had")
    calls = [
        build_call(JOBS, "get", {"references": [str(uuid.uuid4()), str(uuid.uuid4())], "limit": 2}, forger)
        for _ in range(FORGED_CALLS)
    ]
    async with (
        stage.serving("gateway", "jobgate", "serve") as gateway,
        stage.serving("refusing", "jobgate.bench.peers", "refusing") as peer,
    ):
        yield Sides(
            lambda: repeat(stage, gateway, calls, 403, awake=True), lambda: repeat(stage, peer, calls, 403, awake=True)
        )


@asynccontextmanager
async def open_lookups(stage: Stage) -> AsyncIterator[Sides]:
    """Row 2: jobs that are polled, each with the bytes that an SDK sends for it all minute long."""
    references = await store_jobs(stage)
    calls = [build_call(JOBS, "get", {"references": [reference]}) for reference in references]
    plain = [build_post(JOBS, wire.encode({"references": [each]}), "application/json") for each in references]
    async with (
        stage.serving("gateway", "jobgate", "serve") as gateway,
        stage.serving("finding", "jobgate.bench.peers", "finding") as peer,
    ):
        yield Sides(lambda: repeat(stage, gateway, calls, 200), lambda: repeat(stage, peer, plain, 200))


@asynccontextmanager
async def open_framework(stage: Stage) -> AsyncIterator[Sides]:
    """Row 3: the same calls."""
    calls = [build_call(JOBS, "get", {"references": [reference]}) for reference in await store_jobs(stage)]
    async with (
        stage.serving("gateway", "jobgate", "serve") as gateway,
        stage.serving("fastapi", "jobgate.bench.peers", "fastapi") as peer,
    ):
        yield Sides(lambda: repeat(stage, gateway, calls, 200), lambda: repeat(stage, peer, calls, 200))


@asynccontextmanager
async def open_accepts(stage: Stage) -> AsyncIterator[Sides]:
    """Row 4."""

    async def accept() -> float:
        await empty_queue(stage)
        prepared = int(ACCEPTS_PREPARED_PER_S * stage.effort.seconds)
        calls = [build_call(STATUSES, "update", make_update(next(_numbers), 1)) for _ in range(prepared)]
        load = await put_load(gateway, iter(calls), status=200, seconds=stage.effort.seconds)
        await require_jobs(stage, load)
        return load.rate

    async def insert() -> float:
        await empty_queue(stage)
        until = time.perf_counter() + stage.effort.seconds
        params = wire.encode({"statuses": make_update(0, 1)["statuses"]})
        started = time.perf_counter()
        counts = await asyncio.gather(
            *(insert_until(stage, params, until) for _ in range(stage.db.pool.get_max_size()))
        )
        return sum(counts) / (time.perf_counter() - started)

    async with stage.serving("gateway", "jobgate", "serve") as gateway:
        yield Sides(accept, insert)


async def insert_until(stage: Stage, params: bytes, until: float) -> int:
    """Insert job rows one at a time; how many."""
    count = 0
    while time.perf_counter() < until:
        await stage.db.execute(
            "insert_job", uuid.uuid4(), ORGANISATION_ID, CALLER.key, "sessionstatusupdate", params, 1
        )
        count += 1
    return count


def make_update(number: int, entries: int) -> dict[str, Any]:
    """A request to discard `entries` sessions from `number` on; no two are alike."""
    return {
        "statuses": [
            {"session_id": f"session-{each:08}", "user_id": "learner", "status": STATUS}
            for each in range(number, number + entries)
        ],
        "meta": {"request_id": next(_numbers)},
    }


async def repeat(stage: Stage, port: int, calls: Sequence[bytes], status: int, *, awake: bool = False) -> float:
    """Send the calls again and again; the rate."""
    seconds = stage.effort.seconds
    return (await put_load(port, itertools.cycle(calls), status=status, seconds=seconds, awake=awake)).rate


async def store_jobs(stage: Stage) -> list[str]:
    """Queue some jobs; the references of those that are polled."""
    references = [uuid.uuid4() for _ in range(STORED_JOBS)]
    async with stage.db.transaction() as tx:
        for reference in references:
            await tx.execute("insert_job", reference, ORGANISATION_ID, CALLER.key, "bench", b"{}", 1)
    await stage.run_as_admin("vacuum analyze job")
    return [str(reference) for reference in references[:POLLED_JOBS]]


async def empty_queue(stage: Stage) -> None:
    """Every round begins with empty tables and nothing left to write."""
    await stage.run_as_admin("truncate job, replay", "checkpoint")


async def require_jobs(stage: Stage, load: Load) -> None:
    """Was everything stored that was answered?"""
    gauges = await stage.db.fetchrow("job_gauges")
    assert gauges is not None  # aggregates always give one row
    if gauges["queued"] != load.answers:
        raise RuntimeError(f"{load.answers} accepted, {gauges['queued']} stored")


GATEWAY_ROWS = (
    Contest(Mark(1, "refused call", "bare ASGI app, same server", 0.8), "calls", open_refusals),
    Contest(Mark(2, "signed jobs get", "bare ASGI app, same query", 0.8), "calls", open_lookups),
    Contest(Mark(3, "signed jobs get", "hand-written FastAPI", 2.0), "calls", open_framework),
    Contest(Mark(4, "durable accepts", "one insert per call", 0.5), "jobs", open_accepts),
)
