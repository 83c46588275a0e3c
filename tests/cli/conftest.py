"""A running `jobgate dev`, and commands that find it."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from jobgate.cli import main
from tests.cli.terminal import DEADLINE_S, Terminal, find_port, start
from tests.embedded.conftest import make_open_folder

FOLDERS = Path(__file__).with_name("folders")
"""A user's own actions and tasks."""


@dataclass(frozen=True)
class RunningDev:
    """A `dev` that has said where it is."""

    terminal: Terminal
    data: Path
    url: str
    curl: str
    call: str

    def run(self, *arguments: str, **settings: str) -> Result:
        """Run another command that finds this `dev` by its folder."""
        return run_here(*arguments, "--data", str(self.data), **settings)


def run_here(*arguments: str, given: str | None = None, **settings: str) -> Result:
    """Run a command in this process, with these settings and no others."""
    unset = dict.fromkeys(name for name in os.environ if name.startswith("JOBGATE_"))
    return CliRunner().invoke(main, arguments, input=given, env=unset | settings, prog_name="jobgate")


def await_dev(terminal: Terminal, data: Path) -> RunningDev:
    """Wait until it answers, and read what it printed."""
    said = terminal.await_line("jobgate answers at")
    url = re.search(r"http://\S+(?=;)", said)
    assert url
    curl, call = terminal.await_line("curl "), terminal.await_line(" call jobs/")
    return RunningDev(terminal, data, url[0], curl.strip(), call.strip())


def await_demo(dev: RunningDev) -> None:
    """Wait until the jobs of the demo are done: until then, pages of sessions end before what is stored meanwhile."""
    give_up_at = time.monotonic() + DEADLINE_S
    unfinished = '{"status": ["queued", "running"]}'
    while json.loads(dev.run("call", "jobs", "get", unfinished).stdout)["data"]:
        assert time.monotonic() < give_up_at
        time.sleep(0.1)


@pytest.fixture(scope="session")
def dev() -> Iterator[RunningDev]:
    """One `dev` for all tests of this process, with a user's own endpoint and task."""
    with make_open_folder() as folder:
        settings = {
            "JOBGATE_ACTIONS_DIR": str(FOLDERS / "actions"),
            "JOBGATE_TASKS_DIR": str(FOLDERS / "tasks"),
            "JOBGATE_CONSUMER_CACHE_S": "0.1",
        }
        with start("dev", "--port", str(find_port()), "--data", str(folder / "data"), **settings) as terminal:
            running = await_dev(terminal, folder / "data")
            await_demo(running)
            yield running
