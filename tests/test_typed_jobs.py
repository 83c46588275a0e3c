"""Types of saved jobs: what the documentation shows works as printed, with a task beside it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from jobgate.registry import load_actions, load_tasks
from jobgate.typed_jobs import typed_jobs
from tests.conftest import MakeHouse

DOCUMENT = (Path(__file__).parent.parent / "docs" / "typed_jobs.md").read_text(encoding="utf-8")

TASK = '''"""Sweeping."""
import msgspec

from jobgate.context import WARNING, Run, TaskRefused
from jobgate.registry import task


class SweepingParams(msgspec.Struct, frozen=True, kw_only=True):
    """What is swept."""

    floor: int


@task("sweeping")
async def sweep(run: Run[SweepingParams]) -> None:
    """Sweep what can be swept."""
    async with run.chunk() as chunk:
        chunk.say("Found dust", WARNING, grams=3)
        chunk.save(None, done=0, total=1)
    if run.params.floor > 9:
        raise TaskRefused("The broom does not reach so far.")
    async with run.chunk() as chunk:
        chunk.finish([])
'''


@pytest.fixture
def user_dirs(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The file that is shown, and a task."""
    (block,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    actions, tasks = tmp_path / "actions", tmp_path / "tasks"
    (actions / "jobs").mkdir(parents=True)
    tasks.mkdir()
    (actions / "jobs" / "sweeping.py").write_text(block, encoding="utf-8")
    (tasks / "sweeping.py").write_text(TASK, encoding="utf-8")
    yield str(actions), str(tasks)
    for name in [name for name in sys.modules if name.startswith(("user_actions", "user_tasks"))]:
        del sys.modules[name]


async def test_a_dropped_file_makes_endpoints_of_a_type(make_house: MakeHouse, user_dirs: tuple[str, str]) -> None:
    actions, tasks = user_dirs
    settings = {"actions": load_actions(actions), "tasks": load_tasks(tasks), "tasks_dir": tasks}
    async with make_house(**settings) as house:
        request = {"repeat": "on", "date": "2999-01-01", "replay": True}
        for floor in (3, 12):
            assert (await house.call("jobs/sweeping", "set", request | {"floor": floor})).status == 200
        await house.carry()

        high, low = (await house.call("jobs/sweeping", "get")).data
        log = (await house.call("jobs/sweeping/logs", "get", {"id": high["id"]})).data

    assert (low["settings"], low["success"], low["feedback"]) == ({"floor": 3}, True, "Found dust (grams: 3)")
    assert (high["success"], high["feedback"]) == (False, "The broom does not reach so far.")
    assert [entry["feedback"] for entry in log] == [
        "The broom does not reach so far.",
        "Attempt 1: The broom does not reach so far. (halted)",
        "Found dust (grams: 3)",
        "",
    ]
    assert [entry["event"] for entry in log] == ["failed", None, None, "started"]


def test_a_parameter_that_all_types_have_is_refused_at_the_start() -> None:
    class Twice(msgspec.Struct, frozen=True, kw_only=True):
        """Parameters of which one is taken."""

        month: int

    with pytest.raises(TypeError, match="take `month`: Twice must call its own something else"):
        typed_jobs("twice", Twice)
