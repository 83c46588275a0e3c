"""Tasks that leave one row for every effect, in a table that would take a second one."""

from __future__ import annotations

import asyncio

import msgspec

from jobgate.context import Batch, Run
from jobgate.registry import task

STEP_S = 0.1
INSERT = "insert into effect (job_id, step) select * from unnest($1::bigint[], $2::integer[])"


class Work(msgspec.Struct, frozen=True):
    """What `start_job` accepted."""

    word: str
    steps: int
    mode: str


@task("chaos", timeout_s=20)
async def note(batch: Batch[Work]) -> None:
    """One effect per job, in the transaction of the batch."""
    await batch.db.connection.execute(INSERT, [job.facts.id for job in batch.jobs], [0] * len(batch.jobs))
    for job in batch.jobs:
        job.finish([{"word": job.params.word}])


@task("chaoslong", timeout_s=60)
async def note_slowly(run: Run[Work]) -> None:
    """One effect per chunk, from where the last attempt stopped."""
    steps = run.params.steps
    for step in range(run.cursor or 0, steps):
        async with run.chunk() as chunk:
            await chunk.db.connection.execute(INSERT, [run.facts.id], [step])
            await asyncio.sleep(STEP_S)
            if step + 1 < steps:
                chunk.save(step + 1, done=step + 1, total=steps)
            else:
                chunk.finish([{"word": run.params.word}])
