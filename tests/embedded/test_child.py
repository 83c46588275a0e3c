"""A child hears its parent, and ends with it however it ends."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from jobgate.embedded import Child
from tests.embedded.watching import DEADLINE_S, await_file, expect_ends, find_descendants, keep, on_linux

KEEP_CHILD = """
import json, sys
from jobgate.embedded import Child
child = Child.spawn(["/bin/sleep", "1000"], by_pipe=json.loads(sys.argv[1]))
print(json.dumps({"pid": child.pid}), flush=True)
sys.stdin.read()
"""


@on_linux
@pytest.mark.parametrize("by_pipe", [False, True])
def test_a_child_ends_with_its_killed_parent(by_pipe: bool) -> None:
    with keep(KEEP_CHILD, json.dumps(by_pipe)) as (owner, _), expect_ends(find_descendants(owner.pid)):
        owner.kill()


def spawn_shell(folder: Path, on_term: str, by_pipe: bool) -> Child:
    """A shell that does `on_term` when asked to end, and is ready to be asked."""
    script = f"trap '{on_term}' TERM; echo started; : > ready; while :; do sleep 0.02; done"
    environment = {"PATH": os.defpath}
    child = Child.spawn(["/bin/sh", "-c", script], env=environment, log=folder / "log", folder=folder, by_pipe=by_pipe)
    await_file(folder / "ready")
    return child


@pytest.mark.parametrize("by_pipe", [False, True])
def test_a_child_hears_signals_and_its_output_and_exit_code_are_kept(tmp_path: Path, by_pipe: bool) -> None:
    child = spawn_shell(tmp_path, "echo asked; exit 7", by_pipe)

    codes = [child.exit_code, child.terminate(timeout_s=DEADLINE_S), child.exit_code, child.terminate()]

    assert codes == [None, 7, 7, 7]
    assert (tmp_path / "log").read_text() == "started\nasked\n"


@pytest.mark.parametrize(("by_pipe", "killed"), [(False, -signal.SIGKILL), (True, 128 + signal.SIGKILL)])
def test_a_child_that_will_not_end_is_killed(tmp_path: Path, by_pipe: bool, killed: int) -> None:
    child = spawn_shell(tmp_path, "", by_pipe)

    assert child.terminate(timeout_s=0.1) == killed


@pytest.mark.parametrize("by_pipe", [False, True])
def test_a_program_that_does_not_exist_is_named(tmp_path: Path, by_pipe: bool) -> None:
    child = Child.spawn([str(tmp_path / "none")], log=tmp_path / "log", by_pipe=by_pipe)

    assert child.wait(DEADLINE_S) == 127
    assert (tmp_path / "log").read_text() == f"{tmp_path}/none: No such file or directory\n"
    child.terminate()
