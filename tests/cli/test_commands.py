"""What all commands have in common."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jobgate import __version__
from jobgate.cli import main
from tests.cli.conftest import run_here
from tests.cli.terminal import run


def test_the_module_is_the_command() -> None:
    assert run("--version").stdout == f"jobgate, version {__version__}\n"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_explains_itself(name: str) -> None:
    explained = run_here(name, "--help")

    assert explained.exit_code == 0
    assert main.commands[name].help


def test_naming_a_command_loads_nothing_that_another_needs() -> None:
    heavy = ["asyncpg", "arq", "cryptography", "starlette", "uvicorn", "prometheus_client", "jobgate.embedded"]
    script = f"import sys, jobgate.cli; print([name for name in {heavy} if name in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert loaded.stdout == "[]\n"


def test_routes_lists_every_action_without_a_path_of_this_machine() -> None:
    listed, table = run_here("routes", "--json"), run_here("routes")

    actions = {(row["endpoint"], row["action"]): row for row in json.loads(listed.stdout)}
    assert actions["jobs/sessions/statuses", "update"]["guarded"] is True
    assert actions["jobs", "get"]["guarded"] is False
    assert all(row["summary"] for row in actions.values())
    assert str(Path(__file__).parents[2]) not in listed.stdout + table.stdout
    assert len(table.stdout.splitlines()) == len(actions)


def test_a_folder_of_actions_that_does_not_exist_is_said_in_one_line(tmp_path: Path) -> None:
    refused = run_here("routes", JOBGATE_ACTIONS_DIR=str(tmp_path / "nothing"))

    assert refused.exit_code == 2
    assert refused.stderr == f"Error: {tmp_path}/nothing: no such folder\n"


def test_the_contract_is_written_compared_and_cleaned(tmp_path: Path) -> None:
    folder = ["--folder", str(tmp_path / "schemas")]
    missing = run_here("schemas", "--check", *folder)
    assert run_here("schemas", *folder).exit_code == 0
    current = run_here("schemas", "--check", *folder)
    (tmp_path / "schemas" / "jobs" / "gone.json").write_text("{}")
    obsolete = run_here("schemas", "--check", *folder)
    run_here("schemas", *folder)

    assert (missing.exit_code, current.exit_code, obsolete.exit_code) == (1, 0, 1)
    assert "run: make schemas" in missing.stderr
    assert current.stdout == ""
    assert obsolete.stdout == "obsolete: jobs/gone.json\n"
    assert not (tmp_path / "schemas" / "jobs" / "gone.json").exists()
