"""Servers start, keep their data, and leave nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from redis import Redis

from jobgate.embedded import start_scratch_servers, start_servers
from tests.embedded.watching import (
    DEADLINE_S,
    KEEP_SERVERS,
    ask,
    await_file,
    expect_ends,
    find_descendants,
    find_sockets,
    hear_refusal,
    keep,
    on_linux,
)

LONGEST_SOCKET_PATH = 107


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


def test_a_link_that_someone_put_in_place_of_the_sockets_is_refused(data: Path, tmp_path: Path) -> None:
    with start_servers(data, durable=False, redis=False) as servers:
        sockets = find_sockets(servers.database_url)
    sockets.symlink_to(tmp_path)

    try:
        assert hear_refusal(data).startswith(f"{sockets} is not ours: remove it")
    finally:
        sockets.unlink()


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


def test_a_server_that_does_not_start_is_quoted(copied_data: Path) -> None:
    with (copied_data / "postgres" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")

    refusal = hear_refusal(copied_data, redis=False)

    assert refusal.startswith("Postgres did not start: ")
    assert refusal.endswith(f"(all of it: {copied_data}/postgres.log)")
