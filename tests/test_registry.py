"""Files become endpoints and job types; what cannot be used stops the start and says where."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobgate.registry import RegistryError, load_actions, load_tasks

GOOD_ACTION = '''"""A toy."""
from jobgate.context import Context, Request
from jobgate.registry import action


@action("get")
async def answer(ctx: Context, request: Request) -> list[int]:
    """Answer."""
    return []
'''

GOOD_TASK = '''"""A toy."""
from jobgate.context import Batch
from jobgate.registry import task


@task("toy")
async def carry(batch: Batch[int]) -> None:
    """Carry."""
'''

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Put a file into the user's folder."""

    def put(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return tmp_path

    yield put
    for name in [name for name in sys.modules if name.startswith(("user_actions", "user_tasks"))]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("file", "endpoint"),
    [
        ("toys.py", "toys"),
        ("toys/index.py", "toys"),
        ("toys/red_cars.py", "toys/red-cars"),
        ("deep/er/down.py", "deep/er/down"),
    ],
)
def test_the_place_of_a_file_is_its_endpoint(write: Write, file: str, endpoint: str) -> None:
    folder = write(file, GOOD_ACTION)

    action = load_actions(str(folder))[endpoint]["get"]

    assert (action.endpoint, action.guarded, action.summary) == (endpoint, False, "Answer.")
    assert action.answer == list[int]


def test_shipped_endpoints_load_beside_a_users_own(write: Write) -> None:
    folder = write("toys.py", GOOD_ACTION)

    assert set(load_actions(str(folder))) == set(load_actions()) | {"toys"}


def test_the_tables_cannot_be_changed() -> None:
    actions = load_actions()

    with pytest.raises(TypeError):
        actions["toys"] = {}  # type: ignore[index]  # that is the point
    with pytest.raises(TypeError):
        load_tasks()["toys"] = None  # type: ignore[index]  # that is the point


def test_a_shipped_endpoint_cannot_be_taken_over(write: Write) -> None:
    folder = write("jobs.py", GOOD_ACTION)

    with pytest.raises(RegistryError, match=r"jobs\.py: get jobs is already answered by .*index\.py"):
        load_actions(str(folder))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("async def", "def"), "must be async"),
        (("request: Request", "request"), "must take 2 annotated parameters"),
        ((" -> list[int]", ""), "annotate its answer"),
        (("request: Request", "request: int"), "a subclass of Request"),
        (('action("get")', 'action("fetch")'), "one of get, set, update, delete"),
        (('    """Answer."""\n', ""), "needs a docstring"),
        (("list[int]", "list[Nowhere]"), "Nowhere"),
        (("import action", "import nothing"), "ImportError"),
    ],
    ids=["sync", "unannotated", "no answer", "no request", "unknown verb", "no docstring", "unknown type", "broken"],
)
def test_a_malformed_action_stops_the_start(write: Write, change: tuple[str, str], message: str) -> None:
    folder = write("toys.py", GOOD_ACTION.replace(*change))

    with pytest.raises(RegistryError, match=message) as refused:
        load_actions(str(folder))

    assert "toys.py" in str(refused.value)


def test_a_file_name_must_be_an_identifier(write: Write) -> None:
    folder = write("red-cars.py", GOOD_ACTION)

    with pytest.raises(RegistryError, match="write _ for -"):
        load_actions(str(folder))


def test_two_handlers_for_one_verb_stop_the_start(write: Write) -> None:
    folder = write("toys.py", GOOD_ACTION + GOOD_ACTION.partition("\n\n\n")[2].replace("answer(", "answer_again("))

    with pytest.raises(RegistryError, match="already answered"):
        load_actions(str(folder))


def test_a_file_beside_its_own_folder_is_told_where_to_go(write: Write) -> None:
    write("toys.py", GOOD_ACTION)
    folder = write("toys/red.py", GOOD_ACTION)

    with pytest.raises(RegistryError, match=r"move it there as index\.py"):
        load_actions(str(folder))


def test_a_handler_imported_from_elsewhere_answers_only_at_home(write: Write) -> None:
    write("toys.py", GOOD_ACTION)
    folder = write("more.py", '"""More."""\nfrom user_actions.toys import answer\n')

    assert "more" not in load_actions(str(folder))


def test_a_missing_folder_is_named() -> None:
    with pytest.raises(RegistryError, match="no such folder"):
        load_actions("/nowhere/at/all")


def test_another_package_of_the_same_name_is_refused(write: Write, tmp_path: Path) -> None:
    folder = write("one/toys.py", GOOD_ACTION)
    load_actions(str(folder / "one"))
    write("two/toys.py", GOOD_ACTION)

    with pytest.raises(RegistryError, match="already taken"):
        load_actions(str(folder / "two"))


def test_a_task_file_adds_a_job_type(write: Write) -> None:
    folder = write("toy.py", GOOD_TASK)

    task = load_tasks(str(folder))["toy"]

    assert (task.kind, task.params) == ("set", int)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("Batch[int]", "int"), "must take Batch"),
        (('task("toy")', 'task("sessions")'), "reserved"),
        (('task("toy")', 'task("sessionstatusupdate")'), "already carried by"),
        (('    """Carry."""', "    pass"), "needs a docstring"),
    ],
    ids=["no batch", "reserved", "taken", "no docstring"],
)
def test_a_malformed_task_stops_the_start(write: Write, change: tuple[str, str], message: str) -> None:
    folder = write("toy.py", GOOD_TASK.replace(*change))

    with pytest.raises(RegistryError, match=message):
        load_tasks(str(folder))


# -- families ----------------------------------------------------------------------------------------------------------

FAMILY = '''"""Toys that are declared."""
from jobgate.typed_jobs import typed_jobs
from jobgate.windows import Window

toys = typed_jobs("red-toys", Window)
'''


def test_a_file_declares_actions_at_its_place_and_below(write: Write) -> None:
    actions = load_actions(str(write("jobs/red_toys.py", FAMILY)))

    assert sorted(actions["jobs/red-toys"]) == ["delete", "get", "set", "update"]
    assert list(actions["jobs/red-toys/logs"]) == ["get"]
    action = actions["jobs/red-toys"]["set"]
    assert (action.request.__name__, action.guarded) == ("SetRedToysJob", True)
    assert (action.about, action.file.name) == ("Toys that are declared.", "red_toys.py")


def test_what_is_declared_and_written_at_one_place_stops_the_start(write: Write) -> None:
    folder = write("red_toys.py", FAMILY + GOOD_ACTION)

    with pytest.raises(RegistryError, match=r"red_toys\.py: get red-toys is already answered by .*red_toys\.py"):
        load_actions(str(folder))
