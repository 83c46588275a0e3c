"""`jobgate doctor`: it finds what would stop a start, and says what to do."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from jobgate.embedded import Servers
from jobgate.keys import OuterKey
from jobgate.testing import fresh_database
from tests.cli.conftest import RunningDev, run_here
from tests.cli.terminal import find_port, run


def examine(*arguments: str, **settings: str) -> dict[str, Any]:
    """What is said about each thing."""
    return {row["check"]: row for row in json.loads(run_here("doctor", "--json", *arguments, **settings).stdout)}


def test_a_running_dev_is_well(dev: RunningDev) -> None:
    port = dev.url.rpartition(":")[2]

    healthy = dev.run("doctor", "--port", port)
    states = {row["check"]: row["state"] for row in json.loads(dev.run("doctor", "--port", port, "--json").stdout)}

    assert healthy.exit_code == 0
    assert set(states) == {
        "settings",
        "url",
        "code",
        "database",
        "role",
        "clock",
        "schema",
        "key",
        "redis",
        "push",
        "files",
        "port",
    }
    assert set(states.values()) == {"ok"}


def test_everything_that_is_unset_is_said_at_once(tmp_path: Path) -> None:
    checks = examine("--data", str(tmp_path), "--port", str(find_port()))

    assert checks["database"]["state"] == "wrong"
    assert "set JOBGATE_DATABASE_URL" in checks["database"]["text"]
    assert checks["redis"]["state"] == "warning"
    assert checks["port"]["state"] == "ok"


def test_a_root_for_files_that_is_none_is_warned_of(tmp_path: Path) -> None:
    unset = examine("--data", str(tmp_path))["files"]
    missing = examine("--data", str(tmp_path), JOBGATE_FILES_ROOT=str(tmp_path / "none"))["files"]
    there = examine("--data", str(tmp_path), JOBGATE_FILES_ROOT=str(tmp_path))["files"]

    assert [each["state"] for each in (unset, missing, there)] == ["ok", "warning", "ok"]


def test_bad_settings_are_listed_one_a_line(tmp_path: Path) -> None:
    refused = run_here("doctor", "--data", str(tmp_path), JOBGATE_LEASE="5", JOBGATE_POLL_S="soon")

    assert refused.exit_code == 1
    assert len(refused.stdout.splitlines()) == 2
    assert "did you mean JOBGATE_LEASE_S?" in refused.stdout


def test_servers_that_do_not_answer_are_named() -> None:
    nowhere = f"127.0.0.1:{find_port()}"

    checks = examine(JOBGATE_DATABASE_URL=f"postgresql://jobgate@{nowhere}/x", JOBGATE_REDIS_URL=f"redis://{nowhere}")

    assert "the database cannot be used" in checks["database"]["text"]
    assert "correct JOBGATE_DATABASE_URL" in checks["database"]["text"]
    assert "correct JOBGATE_REDIS_URL" in checks["redis"]["text"]


async def test_a_database_without_schema_and_a_role_above_the_law_are_wrong(servers: Servers) -> None:
    settings = {"JOBGATE_DATABASE_URL": servers.admin_url, "JOBGATE_SECRET_KEY": OuterKey.make()}

    checks = {row["check"]: row for row in json.loads(run("doctor", "--json", **settings).stdout)}

    assert checks["schema"]["text"] == "the database has no jobgate schema; run: jobgate migrate"
    assert "the database role postgres is a superuser" in checks["role"]["text"]


async def test_a_key_that_is_none_is_wrong(servers: Servers) -> None:
    async with fresh_database(servers) as url:
        checked = run("doctor", "--json", JOBGATE_DATABASE_URL=url, JOBGATE_SECRET_KEY="changeme")

    checks = {row["check"]: row for row in json.loads(checked.stdout)}
    assert checks["schema"]["state"] == "ok"
    assert "make one with: openssl rand -base64 32" in checks["key"]["text"]
    assert checked.returncode == 1


def test_a_port_that_somebody_else_listens_on_is_a_warning(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        checks = examine("--data", str(tmp_path), "--port", port)

    assert checks["port"]["state"] == "warning"


def test_a_public_url_that_nobody_can_follow_is_wrong(tmp_path: Path) -> None:
    checks = examine("--data", str(tmp_path), JOBGATE_PUBLIC_URL="gate.example")

    assert "give https://your.host" in checks["url"]["text"]
