"""An embedded Postgres: its cluster, its start, its first role and database."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import asyncpg

from jobgate.embedded.child import Child
from jobgate.embedded.places import EmbeddedError, Place
from jobgate.embedded.starting import READY_S, fail_unless_starting, read_last_line

OLDEST_MAJOR = 15

PORT = 5432
"""Only part of the socket's name: nothing listens on the network."""

ENVIRONMENT = {"LC_ALL": "C"}


def make_url(place: Place, role: str, database: str) -> str:
    """A URL for asyncpg, which takes a socket's folder for one only when the host begins with a slash."""
    return f"postgresql://{role}@/{database}?host={place.sockets}&port={PORT}"


def start_postgres(program: Path, place: Place, durable: bool) -> Child:
    """Start Postgres, creating its cluster first when there is none."""
    cluster = place.home / "postgres"
    major = read_major(program)
    if not cluster.exists():
        create_cluster(program.with_name("initdb"), major, place, cluster, durable)
    check_cluster(cluster, major, place)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(place.sockets),
        "unix_socket_permissions": "0700",
        "port": str(PORT),
        "max_connections": "200",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    if not durable:
        settings |= dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit"), "off")
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    return Child.spawn(
        [str(program), "-D", str(cluster), *options],
        env=ENVIRONMENT,
        log=place.home / "postgres.log",
        folder=Path("/"),
        account=place.account,
        death_signal=signal.SIGINT,  # the clean shutdown that waits for no client
        keep_open=[place.lock],
    )


def create_cluster(initdb: Path, major: int, place: Place, cluster: Path, durable: bool) -> None:
    """Make an empty cluster; a killed attempt leaves nothing that a later start would take for one."""
    shutil.rmtree(place.home / "postgres.new", ignore_errors=True)
    fresh = place.make_private("postgres.new")
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    if major >= 17:  # before, plain C gives text the same order
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if not durable:
        options += ["--no-sync"]
    log = place.home / "initdb.log"
    child = Child.spawn(
        [str(initdb), "-D", str(fresh), *options],
        env=ENVIRONMENT,
        log=log,
        folder=Path("/"),
        account=place.account,
        keep_open=[place.lock],
    )
    try:
        code = child.wait()
    finally:
        child.terminate()
    if code != 0:
        raise EmbeddedError(f"Postgres could not create a database: {read_last_line(log)} (all of it: {log})")
    fresh.rename(cluster)


def check_cluster(cluster: Path, major: int, place: Place) -> None:
    """Refuse a cluster that this version or account cannot open, and clear what a killed server left."""
    advice = "choose another data folder"
    written_by = int((cluster / "PG_VERSION").read_text())
    if written_by != major:
        raise EmbeddedError(f"{cluster} is of PostgreSQL {written_by}, and {major} is installed: {advice}")
    if place.account and cluster.stat().st_uid != place.account.uid:
        raise EmbeddedError(f"{cluster} belongs to another user than nobody: start as that user, or {advice}")
    left = cluster / "postmaster.pid"
    with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
        os.kill(int(left.read_text().split("\n")[0] or 0), 0)
        left.unlink()  # a stranger got the number: we hold the lock that its servers would hold


def read_major(program: Path) -> int:
    """The major version of Postgres; refuses one that is too old."""
    ran = subprocess.run([program, "--version"], env=ENVIRONMENT, capture_output=True, text=True, check=False)
    version = re.search(r" (\d+)", ran.stdout)
    if not version:
        raise EmbeddedError(f"{program} does not run here: {ran.stderr.strip()}; set JOBGATE_DATABASE_URL")
    if int(version[1]) < OLDEST_MAJOR:
        raise EmbeddedError(f"{program} is older than PostgreSQL {OLDEST_MAJOR}: pip install 'jobgate[embedded]'")
    return int(version[1])


def create_database(server: Child, place: Place) -> None:
    """Wait until Postgres accepts connections, then make the role and its database unless they exist."""
    with ThreadPoolExecutor(1) as thread:  # the caller's may have a running loop already
        thread.submit(asyncio.run, fill_cluster(server, place)).result()


async def fill_cluster(server: Child, place: Place) -> None:
    """The role that the gateway uses is the owner of its database and nothing more."""
    connection = await connect(server, place)
    try:
        if not await connection.fetchval("select true from pg_roles where rolname = 'jobgate'"):
            await connection.execute("create role jobgate login nosuperuser nocreatedb nocreaterole nobypassrls")
        if not await connection.fetchval("select true from pg_database where datname = 'jobgate'"):
            await connection.execute("create database jobgate owner jobgate")
    finally:
        await connection.close()


async def connect(server: Child, place: Place) -> asyncpg.Connection[asyncpg.Record]:
    """The first connection as superuser, as soon as there can be one."""
    give_up_at = time.monotonic() + READY_S
    while True:
        try:
            return await asyncpg.connect(make_url(place, "postgres", "postgres"))
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.PostgresConnectionError) as error:
            fail_unless_starting("Postgres", server, place.home / "postgres.log", give_up_at, error)
        await asyncio.sleep(0.005)
