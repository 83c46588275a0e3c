"""`jobgate beacon`: real processes that pick up, run, report, die, and are replaced."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from jobgate.client import Client
from jobgate.embedded import Servers
from jobgate.testing import HOME, Server, open_server
from tests.cli.conftest import run_here
from tests.cli.terminal import Terminal, start

WITHIN_S = 40.0

SETTINGS: dict[str, Any] = {"beacon_lease_s": 2, "sweep_s": 0.1, "max_losses": 100}

TASK = """
import json, os, sys, time
task = json.load(sys.stdin)
facts = {name: os.environ["BEACON_" + name] for name in ("JOB_ID", "TASK_INDEX", "ATTEMPT")}
with open(sys.argv[1], "a") as effects:
    effects.write(f"{facts['JOB_ID']} {facts['TASK_INDEX']}\\n")
for line in task.get("say", []):
    print(line, file=sys.stderr, flush=True)
time.sleep(task.get("sleep", 0))
if task.get("prints"):
    print(task["prints"])
else:
    print(json.dumps({"doubled": task.get("n", 0) * 2}))
sys.exit(task.get("code", 0))
"""


class Field:
    """A gateway with beacons around it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.client = Client(server.url, HOME)
        self.effects = folder / "effects"
        self.effects.touch()
        self.settings = {"JOBGATE_URL": server.url, "JOBGATE_KEY": HOME.key, "JOBGATE_SECRET": HOME.secret}
        script = folder / "task.py"
        script.write_text(TASK)
        self.command = f"{sys.executable} -S {script} {self.effects}"

    def beacon(self, *options: str) -> Any:
        """A running beacon, while the block runs."""
        return start("beacon", "--exec", self.command, *options, **self.settings)

    async def call(self, endpoint: str, action: str, **request: Any) -> Any:
        """What the gateway answers."""
        reply = await asyncio.to_thread(self.client.call, f"beacons{endpoint}", action, request)
        assert reply.accepted, reply
        return reply.data

    async def make(self, *tasks: Any, name: str = "job") -> str:
        """A queued job; its id."""
        job = await self.call("/jobs", "set", name=name, q=True, tasks=list(tasks))
        id: str = job["id"]
        return id

    async def read(self, id: str) -> Any:
        """The job."""
        (job,) = await self.call("/jobs", "get", job_id=id)
        return job

    async def until(self, id: str, fits: Callable[[Any], bool]) -> Any:
        """The job, once it fits."""
        async with asyncio.timeout(WITHIN_S):
            while not fits(job := await self.read(id)):
                await asyncio.sleep(0.02)
        return job

    async def until_ended(self, id: str) -> Any:
        """The job in its last state."""
        return await self.until(id, lambda job: job["end_time"] is not None)

    async def await_line(self, terminal: Terminal, text: str) -> str:
        """The next line of a beacon with this text in it."""
        return await asyncio.to_thread(terminal.await_line, text)


@pytest.fixture
async def field(servers: Servers, tmp_path: Path) -> AsyncIterator[Field]:
    """A gateway of its own."""
    async with open_server(servers, **SETTINGS) as server:
        yield Field(server, tmp_path)


async def test_a_job_is_carried_task_by_task_with_log_and_results_in_order(field: Field) -> None:
    with field.beacon("--tag", "fast") as beacon:
        id = await field.make({"n": 1, "say": ["one", "é"]}, {"n": 2, "say": ["two"]}, {"prints": "done"})

        job = await field.until_ended(id)
        log = await field.call("/jobs/logs", "get", job_id=id)
        (box,) = await field.call("", "get")
        code = await asyncio.to_thread(beacon.end, signal.SIGTERM)

    assert (job["status"], job["cur_task"], job["attempt"]) == ("completed", 3, 1)
    assert job["result"] == [
        {"doubled": 2, "task_index": 0},
        {"doubled": 4, "task_index": 1},
        {"output": "done", "task_index": 2},
    ]
    assert [line["line"] for line in log] == ["one", "é", "two"]
    assert (box["name"], box["tags"], box["held"]) == ("default", ["fast"], 0)
    assert code == 0


async def test_a_task_that_fails_ends_its_job_and_keeps_what_was_done(field: Field) -> None:
    with field.beacon():
        job = await field.until_ended(await field.make({"n": 1}, {"code": 3}, {"n": 3}))

    assert job["status"] == "halted"
    assert job["error"] == {"code": "failed", "message": "task 2 of 3: exit code 3", "kind": "exit"}
    assert job["result"] == [{"doubled": 2, "task_index": 0}]


@pytest.mark.usefixtures("wild_clock")
async def test_a_task_longer_than_the_lease_keeps_its_job_whatever_the_clock_of_the_gateway(field: Field) -> None:
    with field.beacon():
        job = await field.until_ended(await field.make({"n": 1, "sleep": 4}))

    assert (job["status"], job["attempt"]) == ("completed", 1)


async def test_a_cancelled_job_ends_though_its_task_runs(field: Field) -> None:
    with field.beacon():
        id = await field.make({"sleep": 30})
        await field.until(id, lambda job: job["cur_task"] == 1)
        await field.call("/jobs", "update", job_id=id, cancel=True)
        job = await field.until_ended(id)

    assert (job["status"], job["error"]["code"]) == ("halted", "cancelled")


async def test_a_stopped_beacon_finishes_its_task_and_gives_the_rest_back(field: Field) -> None:
    with field.beacon() as beacon:
        id = await field.make({"n": 1, "sleep": 1}, {"n": 2})
        await field.until(id, lambda job: job["cur_task"] == 1)
        assert await asyncio.to_thread(beacon.end, signal.SIGTERM) == 0
    assert (await field.read(id))["status"] == "eligible"
    with field.beacon():
        job = await field.until_ended(id)

    assert [result["doubled"] for result in job["result"]] == [2, 4]
    assert field.effects.read_text().split("\n")[:-1] == [f"{id} 0", f"{id} 1"]


async def test_a_second_signal_ends_the_task_and_gives_the_job_back(field: Field) -> None:
    with field.beacon() as beacon:
        id = await field.make({"sleep": 30})
        await field.until(id, lambda job: job["cur_task"] == 1)
        beacon.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)  # two equal signals that meet are one
        assert await asyncio.to_thread(beacon.end, signal.SIGTERM) == 0

    assert (await field.read(id))["status"] == "eligible"


async def test_a_drained_beacon_ends_by_itself(field: Field) -> None:
    await field.call("", "set", name="default")
    await field.call("", "update", name="default", state="draining")

    with field.beacon() as beacon:
        assert await asyncio.to_thread(beacon.end) == 0
    assert "the beacon drains" in await field_lines(beacon)


async def field_lines(beacon: Terminal) -> list[str]:
    """What an ended beacon has said."""
    await asyncio.to_thread(beacon.await_line, "stopped")
    return beacon.lines


async def test_another_beacon_goes_on_where_a_killed_one_was(field: Field) -> None:
    with field.beacon() as beacon:
        id = await field.make({"n": 1}, {"n": 2, "sleep": 3}, {"n": 3})
        await field.until(id, lambda _: f"{id} 1\n" in field.effects.read_text())
        beacon.process.kill()
        with field.beacon():
            job = await field.until_ended(id)

    assert (job["status"], job["attempt"]) == ("completed", 2)
    assert [result["doubled"] for result in job["result"]] == [2, 4, 6]
    indexes = [line.split()[1] for line in field.effects.read_text().splitlines()]
    assert indexes == ["0", "1", "1", "2"]  # the task that ran when the beacon died, and no other, was begun twice


async def test_a_beacon_that_is_killed_while_it_waits_takes_no_job_with_it(field: Field) -> None:
    room = field.server.app.gate.room
    with field.beacon() as beacon:
        async with asyncio.timeout(WITHIN_S):
            while not room.count:
                await asyncio.sleep(0.01)
            beacon.process.kill()
            while room.count:
                await asyncio.sleep(0.01)
    id = await field.make({})
    with field.beacon():
        job = await field.until_ended(id)

    assert (job["status"], job["attempt"]) == ("completed", 1)


@pytest.mark.timeout(180)
async def test_beacons_that_are_killed_again_and_again_end_each_job_once_in_order(field: Field) -> None:
    """`python -m tests.cli.beacon_storm` does it with 200 jobs."""
    await storm(field, 20)


async def storm(field: Field, count: int) -> int:
    """Two beacons end so many jobs of three tasks, one of them killed and replaced every second; how often it was."""
    ids = [await field.make({"n": 1}, {"n": 2}, {"n": 3}, name=f"job {number}") for number in range(count)]
    deaths = 0

    async def keep_killing() -> None:
        nonlocal deaths
        while True:
            with field.beacon() as beacon:
                await field.await_line(beacon, "beacon default at")
                await asyncio.sleep(1)
                beacon.process.kill()
                deaths += 1

    killing = asyncio.create_task(keep_killing())
    with field.beacon():
        jobs = [await field.until_ended(id) for id in ids]
    killing.cancel()
    await asyncio.wait([killing])

    assert [job["status"] for job in jobs] == ["completed"] * count
    assert all([result["doubled"] for result in job["result"]] == [2, 4, 6] for job in jobs)
    assert len(field.effects.read_text().splitlines()) <= 3 * count + deaths
    return deaths


@pytest.mark.parametrize("command", ["", "no-such-program-anywhere", "'unclosed"])
def test_a_program_that_cannot_be_run_is_refused_at_once(command: str) -> None:
    settings = {"JOBGATE_URL": "http://127.0.0.1:1", "JOBGATE_KEY": "key", "JOBGATE_SECRET": "secret"}

    ended = run_here("beacon", "--exec", command, **settings)

    assert ended.exit_code == 2
    assert ended.output.startswith("Error: --exec")
