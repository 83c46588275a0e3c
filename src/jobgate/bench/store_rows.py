"""Rows 12 to 14: statements into a store, under pseudonyms, and out again. Without marks: the floors do less."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from jobgate import jobs, wire
from jobgate.bench.contest import WORKER, Contest, Sides
from jobgate.bench.engine_rows import await_jobs, measure_span
from jobgate.bench.gateway_rows import empty_queue
from jobgate.bench.stage import CALLER, ORGANISATION_ID, Stage
from jobgate.bench.table import Mark
from jobgate.bench.xapi_row import make_statement
from jobgate.stores.imports import Import, Line, import_statements
from jobgate.stores.options import EntryOptions
from jobgate.stores.spaces import add_store
from jobgate.xapi.pseudonyms import pseudonymise

STORE = "bench"
BATCH = 1000
SECRET = b"a secret of the bench"

TABLES = (
    "xapi_statement",
    "xapi_statement_agent",
    "xapi_statement_activity",
    "xapi_agent",
    "xapi_activity",
    "xapi_term",
)
LINKED = TABLES[:3]


@asynccontextmanager
async def open_ingest(stage: Stage) -> AsyncIterator[Sides]:
    """Row 12: JSON in this process, through the pipeline; beside the same rows with their links, copied by Postgres."""
    lines = make_lines(stage.effort.statements)
    await fill(stage, lines)

    async def take_in() -> float:
        await empty(stage, *TABLES)
        started = time.perf_counter()
        await load(stage, lines)
        return len(lines) / (time.perf_counter() - started)

    async def copy() -> float:
        await empty(stage, *TABLES)
        started = time.perf_counter()
        for batch in range(len(lines) // BATCH):
            async with stage.db.transaction(ORGANISATION_ID) as tx:
                for table in LINKED:
                    bounds = f"where number > {batch * BATCH} and number <= {(batch + 1) * BATCH}"
                    await tx.connection.execute(
                        f"insert into {table} overriding system value select * from kept_{table} {bounds}"  # noqa: S608
                    )
        return len(lines) / (time.perf_counter() - started)

    yield Sides(take_in, copy)


@asynccontextmanager
async def open_pseudonyms(stage: Stage) -> AsyncIterator[Sides]:
    """Row 13: a job that rewrites all, beside the function that does it in memory."""
    lines = make_lines(stage.effort.statements)
    await fill(stage, lines)

    async def rewrite_by_job() -> float:
        await restore(stage)
        seconds = await carry(stage, "pseudo", {"store": STORE, "until": "now"})
        await require_none(stage, "not pseudonymized")
        return len(lines) / seconds

    async def rewrite_in_memory() -> float:
        started = time.perf_counter()
        for line in lines:
            assert line.statement is not None
            wire.encode(pseudonymise(wire.decode(line.statement, dict[str, Any]), SECRET))
        return len(lines) / (time.perf_counter() - started)

    yield Sides(rewrite_by_job, rewrite_in_memory)


@asynccontextmanager
async def open_clearing(stage: Stage) -> AsyncIterator[Sides]:
    """Row 14: a job that deletes all, batch by batch, beside three deletes."""
    lines = make_lines(stage.effort.statements)
    await fill(stage, lines)

    async def clear_by_job() -> float:
        await restore(stage)
        seconds = await carry(stage, "clearing", {"store": STORE, "until": "now", "service": "statements"})
        await require_none(stage, "true")
        return len(lines) / seconds

    async def delete() -> float:
        await restore(stage)
        started = time.perf_counter()
        async with stage.db.transaction(ORGANISATION_ID) as tx:
            for table in LINKED:
                await tx.connection.execute(f"delete from {table} where organisation_id = {ORGANISATION_ID}")  # noqa: S608
        return len(lines) / (time.perf_counter() - started)

    yield Sides(clear_by_job, delete)


def make_lines(count: int) -> list[Line]:
    """What a course of a year sends: its questions come again, its learners too."""
    lines = []
    for number in range(count):
        statement = make_statement(number % 5_000)
        statement["id"] = str(uuid.UUID(int=number * 7919, version=4))
        lines.append(Line(number + 1, wire.encode(statement)))
    return lines


async def fill(stage: Stage, lines: Sequence[Line]) -> None:
    """A store with these statements, and a copy of its rows to go back to."""
    async with stage.db.transaction(ORGANISATION_ID) as tx:
        await add_store(tx, ORGANISATION_ID, STORE, STORE)
    await load(stage, lines)
    async with stage.db.transaction(ORGANISATION_ID) as tx:
        for table in TABLES:
            await tx.connection.execute(f"create table kept_{table} as table {table}")
            if table in LINKED:
                await tx.connection.execute(f"create index on kept_{table} (number)")


async def load(stage: Stage, lines: Sequence[Line]) -> None:
    """Record them, every one."""
    report = await import_statements(stage.db, ORGANISATION_ID, STORE, lines, Import(options=EntryOptions()))
    if report.accepted != len(lines) or report.known:
        raise RuntimeError(f"{report.accepted} of {len(lines)} statements were recorded: {report.problems[:1]}")


async def empty(stage: Stage, *tables: str) -> None:
    """Leave nothing in tables, and nothing left to write."""
    await stage.run_as_admin(f"truncate {', '.join(tables)} restart identity", "checkpoint")


async def restore(stage: Stage) -> None:
    """The store as it was filled."""
    await empty(stage, *TABLES)
    async with stage.db.transaction(ORGANISATION_ID) as tx:
        for table in TABLES:
            await tx.connection.execute(f"insert into {table} overriding system value select * from kept_{table}")  # noqa: S608
    await stage.run_as_admin(*(f"vacuum analyze {table}" for table in TABLES), "checkpoint")


async def carry(stage: Stage, type: str, params: dict[str, Any]) -> float:
    """The seconds that a worker takes for one job."""
    await empty_queue(stage)
    async with stage.db.transaction(ORGANISATION_ID) as tx:
        await jobs.insert(
            tx,
            reference=uuid.uuid4(),
            organisation_id=ORGANISATION_ID,
            consumer_key=CALLER.key,
            type=type,
            params=params,
        )
    async with stage.running(WORKER, "jobgate", "work"):
        await await_jobs(stage)
    return await measure_span(stage)


async def require_none(stage: Stage, condition: str) -> None:
    """Was every statement done?"""
    async with stage.db.reading(ORGANISATION_ID) as tx:
        left = await tx.connection.fetchval(f"select count(*) from xapi_statement where {condition}")  # noqa: S608
    if left:
        raise RuntimeError(f"{left} statements are left")


STORE_ROWS = (
    Contest(Mark(12, "statements ingested", "their rows, copied in SQL", 0), "statements", open_ingest),
    Contest(Mark(13, "statements pseudonymised", "the pure function, in memory", 0), "statements", open_pseudonyms),
    Contest(Mark(14, "statements cleared", "three deletes in SQL", 0), "statements", open_clearing),
)
