"""What README shows works as printed."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobgate.registry import load_actions, load_tasks
from tests.conftest import MakeHouse

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def user_dirs(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """The two example files, in folders of their own."""
    actions, tasks = tmp_path / "actions", tmp_path / "tasks"
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for folder, name, marker in ((actions, "greetings.py", "@action"), (tasks, "greeting.py", "@task")):
        folder.mkdir()
        (block,) = [block for block in blocks if marker in block]
        assert len(block.splitlines()) < 30
        (folder / name).write_text(block, encoding="utf-8")
    yield actions, tasks
    for name in [name for name in sys.modules if name.startswith(("user_actions", "user_tasks"))]:
        del sys.modules[name]


async def test_two_dropped_files_make_a_signed_endpoint_and_its_job(
    make_house: MakeHouse, user_dirs: tuple[Path, Path]
) -> None:
    actions, tasks = user_dirs
    async with make_house(actions=load_actions(str(actions)), tasks=load_tasks(str(tasks))) as house:
        started = await house.call("greetings", "set", {"names": ["Ada", "Alan"]})

        await house.carry()

        query = {"references": [started.data["job_reference"]], "include": ["status", "results"]}
        jobs = await house.call("jobs", "get", query)
        assert jobs.data == [{"status": "completed", "results": ["Hello, Ada!", "Hello, Alan!"]}]


def test_the_endpoint_table_is_the_one_that_loads() -> None:
    printed = set(re.findall(r"^\| `([a-z0-9/-]+)` \| (get|set|update|delete) \|", README, re.MULTILINE))

    assert printed == {(endpoint, verb) for endpoint, verbs in load_actions().items() for verb in verbs}


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_a_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


async def test_make_lists_every_verb_that_readme_names() -> None:
    make = await asyncio.create_subprocess_exec("make", "-C", str(ROOT), "help", stdout=asyncio.subprocess.PIPE)
    listed, _ = await make.communicate()

    for verb in set(re.findall(r"`?make ([a-z]+)", README)):
        assert f"make {verb}" in listed.decode()
