"""`jobgate work`: it ends when told, when it must be replaced, and never in two copies."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from jobgate import jobs
from jobgate.testing import House
from tests.cli.conftest import FOLDERS
from tests.cli.terminal import DEADLINE_S, Terminal, start


@asynccontextmanager
async def at_work(house: House, **settings: str) -> AsyncIterator[Terminal]:
    """A worker with the tasks that give trouble."""
    given = {"JOBGATE_DATABASE_URL": house.settings.database_url, "JOBGATE_TASKS_DIR": str(FOLDERS / "tasks")}
    with start("work", **(given | {"JOBGATE_ABANDON_S": "0.2"} | settings)) as terminal:
        yield terminal


async def submit(house: House, type: str) -> uuid.UUID:
    """Queue a job."""
    reference = uuid.uuid4()
    async with house.db.transaction(1) as tx:
        await jobs.insert(tx, reference=reference, organisation_id=1, consumer_key=house.home.key, type=type, params={})
    return reference


async def await_state(house: House, reference: uuid.UUID, state: str) -> Any:
    """The row of the job once it is in this state."""
    async with asyncio.timeout(DEADLINE_S), house.db.connection() as queries:
        while True:
            row = await queries.connection.fetchrow("select * from job where reference = $1", reference)
            if row is not None and row["state"] == state:
                return row
            await asyncio.sleep(0.02)  # another process writes it


async def test_told_once_it_ends_well(house: House) -> None:
    async with at_work(house) as terminal:
        await asyncio.to_thread(terminal.await_line, '"event":"worker.started"')
        code = await asyncio.to_thread(terminal.end, signal.SIGTERM)

    assert code == 0


async def test_told_twice_it_gives_back_what_runs_at_once(house: House) -> None:
    reference = await submit(house, "sleeping")
    async with at_work(house, JOBGATE_DRAIN_S="3600") as terminal:
        await await_state(house, reference, "running")
        code = await asyncio.to_thread(terminal.end, signal.SIGTERM, signal.SIGINT)

    row = await await_state(house, reference, "queued")
    assert code == 0
    assert (row["releases"], row["failures"], row["losses"]) == (1, 0, 0)


async def test_a_forked_copy_of_a_worker_ends_at_once(house: House) -> None:
    reference = await submit(house, "forking")
    async with at_work(house):
        row = await await_state(house, reference, "completed")

    assert json.loads(row["results"]) == [{"copy": 1, "program": 0}]
    assert row["attempt"] == 1


async def test_an_attempt_that_ignores_its_end_costs_the_process(house: House) -> None:
    await submit(house, "stubborn")
    async with at_work(house) as terminal:
        code = await asyncio.to_thread(terminal.process.wait, DEADLINE_S)

    assert code == 75


async def test_memory_beyond_the_limit_costs_the_process(house: House) -> None:
    async with at_work(house, JOBGATE_WORKER_MEMORY_MIB="1") as terminal:
        await asyncio.to_thread(terminal.await_line, '"event":"worker.large"')
        code = await asyncio.to_thread(terminal.process.wait, DEADLINE_S)

    assert code == 75
