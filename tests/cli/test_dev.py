"""`jobgate dev`: everything runs, what it prints works, it stops as a whole, and keeps what it was given."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import RunningDev, await_dev, run_here
from tests.cli.terminal import DEADLINE_S, Terminal, find_port, run, start
from tests.embedded.conftest import make_open_folder
from tests.embedded.test_accounts import as_root, find_ordinary_python
from tests.embedded.watching import expect_ends, find_descendants, on_linux

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

UNKNOWN_SESSION = '{"statuses": [{"session_id": "none", "user_id": "nobody", "status": "Completed"}]}'


def paste(line: str) -> subprocess.CompletedProcess[str]:
    """Run a printed line."""
    return subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=DEADLINE_S, check=False)


def test_the_printed_curl_is_answered(dev: RunningDev) -> None:
    answer = json.loads(paste(dev.curl).stdout)

    assert answer["meta"]["status"] is True
    assert answer["meta"]["versions"]["requested"] == "latest-lts"


def test_the_printed_call_carries_a_job_to_its_end(dev: RunningDev) -> None:
    called = paste(dev.call)

    assert called.returncode == 0, called.stderr
    assert " completed" in called.stdout
    assert "1 of 1 entries ok" in called.stdout


def test_every_read_of_sessions_and_of_the_item_bank_has_something_to_show(dev: RunningDev) -> None:
    request = json.dumps({"activity_id": ["mental-arithmetic"], "status": ["Completed"], "limit": 1})
    sessions = [f"sessions/{read}" for read in ("statuses", "scores", "responses", "responses/scores", "metadata")]
    bank = [f"itembank/{kind}" for kind in ("questions", "items", "activities")]

    answers = [dev.run("call", endpoint, "get", request) for endpoint in (*sessions, "sessions/reports/adaptive")]
    answers += [dev.run("call", endpoint, "get") for endpoint in bank]

    assert all(json.loads(answer.stdout)["data"] for answer in answers)


@pytest.mark.parametrize("line", re.findall(r"^\.venv/bin/jobgate (call \S+ get.*)$", README, re.MULTILINE))
def test_what_readme_reads_is_there(dev: RunningDev, line: str) -> None:
    answer = json.loads(dev.run(*shlex.split(line)).stdout)

    assert answer["data"]


def test_what_it_keeps_for_itself_nobody_else_can_read(dev: RunningDev) -> None:
    modes = {name: (dev.data / name).stat().st_mode & 0o777 for name in ("dev.json", "secret.key")}

    assert modes == {"dev.json": 0o600, "secret.key": 0o600}


def test_a_folder_in_use_is_refused_in_one_line(dev: RunningDev) -> None:
    second = run("dev", "--port", str(find_port()), "--data", str(dev.data))

    assert second.returncode == 2
    assert second.stdout == ""
    assert second.stderr == (
        f"Error: {dev.data} is in use by process {dev.terminal.process.pid}: stop it, or choose another data folder\n"
    )


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = run_here("dev", "--port", str(port), "--data", str(tmp_path / "data"))

    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"Error: 127.0.0.1:{port} cannot be listened on (Address already in use)")
    assert not (tmp_path / "data").exists()


@on_linux
def test_a_worker_that_dies_is_replaced(dev: RunningDev) -> None:
    (worker,) = [
        pid
        for pid in find_descendants(dev.terminal.process.pid)
        if b"\0work\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]

    os.kill(worker, signal.SIGKILL)

    assert "the worker was killed by signal 9" in dev.terminal.await_line("starting it again")
    request = '{"session_metadata": [{"session_id": "none", "user_id": "nobody", "metadata": {}}]}'
    waited = dev.run("call", "jobs/sessions/metadata", "set", request, "--wait")
    assert "0 of 1 entries ok" in waited.stdout


@on_linux
def test_a_stop_ends_everything_and_the_next_start_finds_what_was_done() -> None:
    with make_open_folder() as folder:
        data = folder / "data"
        arguments = ["dev", "--port", str(find_port()), "--data", str(data)]
        with start(*arguments) as terminal:
            first = await_dev(terminal, data)
            assert paste(first.call).returncode == 0
            with expect_ends(find_descendants(terminal.process.pid)):
                code = terminal.end(signal.SIGTERM)
            assert code == 0
            assert not (data / "dev.json").exists()

        with start(*arguments, "--workers", "2") as terminal:
            second = await_dev(terminal, data)
            assert (data / "worker-2.log").exists()
            request = '{"session_id": ["5fcd12aa-c1ce-4c1a-ae0e-3cfc591915e2"]}'
            (session,) = json.loads(second.run("call", "sessions/statuses", "get", request).stdout)["data"]
            with expect_ends(find_descendants(terminal.process.pid)):
                terminal.end(signal.SIGKILL)

        assert session["status"] == "Completed"
        assert "start `jobgate dev`" in second.run("call", "jobs", "get").stderr
        assert not any("loaded" in line for line in terminal.lines)


@as_root
@on_linux
def test_an_ordinary_user_runs_everything() -> None:
    user, python, environment = find_ordinary_python("jobgate.app", "jobgate.worker")
    with make_open_folder() as folder:
        os.chown(folder, user.pw_uid, user.pw_gid)
        command = [python, "-m", "jobgate", "dev", "--port", str(find_port()), "--data", str(folder / "data")]
        account: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "env": environment}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen(command, cwd="/", **account, **pipes) as process:
            terminal = Terminal(process)
            printed = await_dev(terminal, folder / "data")
            waited = printed.run("call", "jobs/sessions/statuses", "update", UNKNOWN_SESSION, "--wait")
            descendants = find_descendants(process.pid)
            owners = {Path(f"/proc/{each}").stat().st_uid for each in (process.pid, *descendants)}
            with expect_ends(descendants):
                code = terminal.end(signal.SIGTERM)

    assert "0 of 1 entries ok" in waited.stdout
    assert owners == {user.pw_uid}
    assert code == 0
