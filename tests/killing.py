"""A worker of its own process that is killed at a point of its work, so that a job has to go on elsewhere.

    await kill_worker(house, "before checkpoint_job", 3)     # SIGKILL when it passes there for the third time
    await house.carry()

A point is `before` or `after` a named statement, or `before commit`, `after commit`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec

from jobgate.db import Database
from jobgate.doorbell import Doorbell
from jobgate.metrics import Metrics
from jobgate.registry import load_tasks
from jobgate.settings import Settings
from jobgate.testing import House
from jobgate.worker import Worker
from tests.chaos.traps import lay_counted

LEASE_S = 0.5
"""How long the others wait for it."""

ROOT = Path(__file__).parents[1]


async def kill_worker(house: House, point: str, nth: int = 1) -> None:
    """Let a worker carry the jobs of the house until it dies at the point; fails the test if it does not."""
    settings = msgspec.structs.replace(house.settings, lease_s=LEASE_S)
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.killing", point, str(nth)),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        stdin=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(30):
            await worker.communicate(msgspec.json.encode(settings))
    finally:
        if worker.returncode is None:
            worker.kill()
    assert worker.returncode == -signal.SIGKILL


async def _work(settings: Settings) -> None:
    db = await Database.connect(settings.database_url, size=4, acquire_s=3, statement_s=30, lock_s=5, name="killed")
    await Worker(db, load_tasks(settings.tasks_dir), settings, Doorbell(""), Metrics()).run()


if __name__ == "__main__":
    lay_counted(sys.argv[1], int(sys.argv[2]))
    asyncio.run(_work(msgspec.json.decode(sys.stdin.buffer.read(), type=Settings)))
