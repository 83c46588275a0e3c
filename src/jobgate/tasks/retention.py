"""Jobs of `jobs/retention`: delete the organisation's finished jobs, with what they logged, that are old enough."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from jobgate import wire
from jobgate.context import JobFacts, Run
from jobgate.db import Transaction
from jobgate.definitions import read_clock
from jobgate.registry import task
from jobgate.times import show_moment
from jobgate.windows import Window

CHUNK_JOBS = 1000
CHUNK_ENTRIES = 10_000
"""How many log entries go together with the jobs of a chunk; those of one job are never parted."""

STATEMENTS = {"queue": "delete_finished_jobs", "archive": "delete_archived_jobs"}


class Position(msgspec.Struct, kw_only=True):
    """How far a run is."""

    cutoff: datetime
    total: int
    step: Literal["queue", "archive", "done"] = "queue"
    latest: datetime = datetime.min.replace(tzinfo=UTC)
    """When the last that was deleted had ended."""
    jobs: int = 0
    entries: int = 0


class RetentionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was deleted."""

    status: Literal["ok"] = "ok"
    until: str
    """Jobs that had ended by then are gone, whatever came of them."""
    jobs: int
    entries: int
    """Of their logs."""


@task("retention", timeout_s=3600)
async def forget_jobs(run: Run[Window]) -> None:
    """Delete the oldest first, a chunk at a time: first where the queue is, then in the archive."""
    position = None if run.cursor is None else msgspec.convert(run.cursor, Position)
    while position is None or position.step != "done":
        async with run.chunk() as chunk:
            if position is None:
                position = await _begin(chunk.db, run)
                chunk.say(f"Deleting what had ended by {show_moment(position.cutoff)}", jobs=position.total)
            else:
                await delete_chunk(chunk.db, run.facts.organisation_id, position)
            chunk.save(position, done=min(position.jobs, position.total), total=position.total)
            if position.step == "done":
                result = RetentionResult(
                    until=str(show_moment(position.cutoff)), jobs=position.jobs, entries=position.entries
                )
                chunk.say("Deleted finished jobs and their log entries", jobs=result.jobs, entries=result.entries)
                await _audit(chunk.db, run.facts, result)
                chunk.finish([result])


async def _begin(db: Transaction, run: Run[Window]) -> Position:
    cutoff = run.params.find_cutoff(await read_clock(db))
    return Position(cutoff=cutoff, total=await db.fetchval("count_finished_jobs", run.facts.organisation_id, cutoff))


async def delete_chunk(db: Transaction, organisation_id: int, position: Position) -> None:
    """Delete a chunk, or go to the next step where there is nothing left."""
    assert position.step != "done"
    row = await db.fetchrow(
        STATEMENTS[position.step], organisation_id, position.cutoff, position.latest, CHUNK_JOBS, CHUNK_ENTRIES
    )
    assert row is not None  # aggregates always give one row
    if row["found"] == 0:
        position.step = "archive" if position.step == "queue" else "done"
        position.latest = datetime.min.replace(tzinfo=UTC)
    position.jobs += row["jobs"]
    position.entries += row["entries"]
    position.latest = row["latest"] or position.latest


async def _audit(db: Transaction, facts: JobFacts, result: RetentionResult) -> None:
    told = wire.encode({"job": facts.reference} | msgspec.structs.asdict(result))
    await db.execute("insert_audit", facts.organisation_id, facts.consumer_key, "jobs.retention", "job", told, None)
