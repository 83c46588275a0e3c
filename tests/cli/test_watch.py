"""Following a job: what it says is shown while it runs, and the exit code tells how it ended."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from jobgate.cli.following import find_fresh
from tests.cli.conftest import RunningDev
from tests.cli.terminal import start


def save(dev: RunningDev, heard: Path) -> str:
    """Save a peal; its id."""
    definition = {"name": "peal", "type": "peal", "params": {"heard": str(heard)}}
    saved = json.loads(dev.run("call", "jobs/definitions", "set", json.dumps(definition)).stdout)
    id: str = saved["data"]["id"]
    return id


def execute(dev: RunningDev, id: str, *options: str) -> Any:
    """Execute what was saved."""
    return dev.run("call", "jobs/executions", "set", json.dumps({"job_id": id}), *options)


def test_what_a_job_says_is_shown_while_it_runs(dev: RunningDev, tmp_path: Path) -> None:
    id = save(dev, tmp_path / "heard")
    request = json.dumps({"job_id": id})

    with start("call", "jobs/executions", "set", request, "--follow", "--data", str(dev.data)) as terminal:
        rings = terminal.await_line("It rings")
        (tmp_path / "heard").touch()
        terminal.await_line("It rang")
        code = terminal.end()

    assert rings.endswith("info     It rings bells=3")
    assert code == 0


def test_a_saved_job_is_watched_by_its_id(dev: RunningDev, tmp_path: Path) -> None:
    id = save(dev, tmp_path / "heard")
    execute(dev, id)

    with start("watch", id, "--data", str(dev.data)) as terminal:
        terminal.await_line("It rings")
        (tmp_path / "heard").touch()
        terminal.await_line("warning  It rang")
        ended = terminal.await_line("peal ")
        code = terminal.end()

    assert ended.endswith(" completed")
    assert code == 0


def test_executions_that_are_read_are_followed_from_the_newest(dev: RunningDev, tmp_path: Path) -> None:
    (tmp_path / "heard").touch()
    id = save(dev, tmp_path / "heard")
    execute(dev, id, "--wait")

    followed = dev.run("call", "jobs/executions", "get", json.dumps({"job_id": id}), "--follow")
    record = json.loads(execute(dev, id, "--follow", "--json").stdout)

    assert followed.exit_code == 0
    tail = followed.stdout.splitlines()[-4:]
    assert [line.rpartition("  ")[2] for line in tail[:2]] == ["It rings bells=3", "It rang"]
    assert tail[2].startswith("peal ")
    assert tail[3] == "1 of 1 entries ok"
    assert (record["type"], record["status"]) == ("peal", "completed")


def test_a_job_is_watched_by_its_reference_or_as_the_newest(dev: RunningDev) -> None:
    answer = json.loads(dev.run("call", "school/bells", "set", '{"bell": "south"}').stdout)

    named = dev.run("watch", answer["data"]["job_reference"])
    newest = dev.run("watch")

    assert (named.exit_code, newest.exit_code) == (1, 1)
    assert named.stdout == newest.stdout
    assert "halted: the bell south has no clapper (failed)" in named.stdout


@pytest.mark.parametrize("name", ["nonsense", str(uuid.UUID(int=1))])
def test_what_nobody_knows_cannot_be_watched(dev: RunningDev, name: str) -> None:
    watched = dev.run("watch", name)

    assert watched.exit_code == 2
    assert watched.stderr == f"Error: {name} is neither a job of this consumer nor a definition that was executed\n"


@pytest.mark.parametrize(
    ("heard", "said", "fresh"),
    [
        ("", "", ""),
        ("", "ab", "ab"),
        ("ab", "ab", ""),
        ("ab", "abc", "c"),
        ("abc", "cde", "de"),
        ("abc", "def", "def"),
        ("aa", "aab", "b"),
        ("ab", "b", ""),
    ],
)
def test_only_what_was_not_heard_is_said(heard: str, said: str, fresh: str) -> None:
    assert "".join(find_fresh(list(heard), list(said))) == fresh
