"""Tasks that give their worker trouble."""

from __future__ import annotations

import asyncio
import os
import subprocess

from jobgate.context import Batch, Run
from jobgate.registry import task


@task("sleeping")
async def sleep_long(run: Run[dict[str, int]]) -> None:
    """Take far longer than anybody waits."""
    await asyncio.sleep(3600)


@task("stubborn", timeout_s=0.1)
async def ignore_cancellation(run: Run[dict[str, int]]) -> None:
    """Take no notice of being cancelled."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            continue


@task("forking")
async def fork(batch: Batch[dict[str, int]]) -> None:
    """Make a copy of the worker, and start a program."""
    copy = os.fork()
    if copy == 0:
        os._exit(0)  # not reached: the copy has ended by then
    code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
    program = subprocess.run(["true"], check=False)  # programs are no copies
    for job in batch.jobs:
        job.finish([{"copy": code, "program": program.returncode}])
