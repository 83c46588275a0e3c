"""A task with every bad habit. It misbehaves at its first attempt, or, when told "always …", at every one."""

from __future__ import annotations

import asyncio
import os
import time

from jobgate.context import Batch, BatchJob
from jobgate.registry import task
from tests.chaos.content.tasks.chaos import INSERT, Work

EXIT_CODE = 17
LEAK_BYTES = 400 * 2**20
_leaked: list[bytearray] = []


class Broken(Exception):
    """What a task raises that nobody foresaw."""


@task("chaosbad", timeout_s=1)
async def misbehave(batch: Batch[Work]) -> None:
    """One effect per job, unless a job of the batch misbehaves."""
    await batch.db.connection.execute(INSERT, [job.facts.id for job in batch.jobs], [0] * len(batch.jobs))
    for job in batch.jobs:
        habit, always = job.params.mode.removeprefix("always "), job.params.mode.startswith("always ")
        if always or job.facts.attempt == 1:
            await _show(habit, batch, job)


async def _show(habit: str, batch: Batch[Work], job: BatchJob[Work]) -> None:
    match habit:
        case "raise":
            raise Broken("a bug")
        case "oserror":
            raise FileNotFoundError("not Postgres")
        case "wrong argument":
            await batch.db.connection.execute("select $1::integer", "a word")
        case "wrong sql":
            await batch.db.connection.execute("select nonsense from nowhere")
        case "hang":
            await asyncio.Event().wait()
        case "block":
            time.sleep(2 * float(os.environ["JOBGATE_LEASE_S"]))  # F3: nothing of the worker moves
        case "cancel":
            raise asyncio.CancelledError
        case "swallow":
            await _ignore_every_end()
        case "unencodable":
            job.finish([object()])
        case "fork":
            if os.fork() == 0:
                os.write(2, b"a forked worker lives\n")
        case "leak":
            _leaked.append(bytearray(LEAK_BYTES))
        case "system exit":
            raise SystemExit(3)
        case "exit":
            os._exit(EXIT_CODE)


async def _ignore_every_end() -> None:
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue
