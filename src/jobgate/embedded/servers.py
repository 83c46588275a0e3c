"""Postgres and Valkey, started for `dev` and for the tests and stopped with them."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from jobgate.embedded.child import Child
from jobgate.embedded.places import EmbeddedError, Place, choose_account, claim, is_alive
from jobgate.embedded.programs import find_postgres, find_valkey

READY_S = 30.0
"""A server that accepts no connection for this long has failed; crash recovery happens within it."""

PORT = 5432
"""Only part of the socket's name: nothing listens on the network."""


@dataclass(frozen=True)
class Servers:
    """Running servers. `database_url` is the owner of the database and nothing more, `admin_url` a superuser."""

    database_url: str
    redis_url: str
    admin_url: str
    data: Path


@contextmanager
def start_servers(
    data: Path,
    *,
    durable: bool = True,
    redis: bool = True,
    postgres_folder: Path | None = None,
    valkey_folder: Path | None = None,
) -> Iterator[Servers]:
    """Start Postgres and Valkey on the folder `data`, which nobody else may use meanwhile; stop them at the end.

    Not `durable` is for tests: faster, and a power failure may destroy the data. Call it from a thread that lives as
    long as the process. Raises `EmbeddedError`.
    """
    account = choose_account()
    with ExitStack() as stack:
        postgres = find_postgres(postgres_folder, account)
        valkey = find_valkey(valkey_folder, account) if redis else None
        place = stack.enter_context(claim(data, account))
        stack.callback(shutil.rmtree, place.sockets, ignore_errors=True)
        redis_url = ""
        if valkey:
            waiting = start_valkey(valkey, place, durable)
            stack.callback(waiting.terminate, signal.SIGTERM)
            redis_url = f"unix://{place.sockets}/valkey.sock?db=0"
        database = start_postgres(postgres, place, durable)
        stack.callback(database.terminate, signal.SIGINT)
        create_database(database, place)
        if valkey:
            await_valkey(waiting, place)
        yield Servers(
            make_url(place, "jobgate", "jobgate"), redis_url, make_url(place, "postgres", "postgres"), place.data
        )


@contextmanager
def start_scratch_servers(*, redis: bool = True) -> Iterator[Servers]:
    """Fast servers on an empty folder that is removed afterwards: for tests."""
    with tempfile.TemporaryDirectory(prefix="jobgate-scratch-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with start_servers(Path(folder), durable=False, redis=redis) as servers:
            yield servers


def make_url(place: Place, role: str, database: str) -> str:
    """A URL for asyncpg, which takes a socket's folder for one only when the host begins with a slash."""
    return f"postgresql://{role}@/{database}?host={place.sockets}&port={PORT}"


def start_postgres(programs: Path, place: Place, durable: bool) -> Child:
    """Start Postgres, creating its cluster first when there is none."""
    cluster = place.home / "postgres"
    if not (cluster / "PG_VERSION").exists():
        create_cluster(programs, place, cluster)
    check_cluster(programs, place, cluster)
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
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    return Child.spawn(
        [str(programs / "postgres"), "-D", str(cluster), *options],
        env={"LC_ALL": "C"},
        log=place.home / "postgres.log",
        folder=Path("/"),
        account=place.account,
        death_signal=signal.SIGINT,  # the fast, clean shutdown; SIGTERM would wait for clients
        keep_open=place.locks,
    )


def create_cluster(programs: Path, place: Place, cluster: Path) -> None:
    """Make an empty cluster; a killed attempt leaves nothing that a later start would take for one."""
    shutil.rmtree(place.home / "postgres.new", ignore_errors=True)
    fresh = place.make_private("postgres.new")
    locale = ["--locale=C", "--encoding=UTF8"]
    if read_major(programs) >= 17:  # before, C orders text by code point as well
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    log = place.home / "initdb.log"
    initdb = Child.spawn(
        [str(programs / "initdb"), "-D", str(fresh), "-U", "postgres", "--auth=trust", "--no-sync", *locale],
        env={"LC_ALL": "C"},
        log=log,
        folder=Path("/"),
        account=place.account,
        keep_open=place.locks,
    )
    if initdb.wait() != 0:
        raise EmbeddedError(f"Postgres could not create a database: {read_last_line(log)} (all of it: {log})")
    fresh.rename(cluster)


def check_cluster(programs: Path, place: Place, cluster: Path) -> None:
    """Refuse a cluster that these programs or this account cannot open, and clear what a killed server left."""
    written_by, ours = int((cluster / "PG_VERSION").read_text()), read_major(programs)
    if written_by != ours:
        raise EmbeddedError(
            f"{cluster} is of PostgreSQL {written_by}, but {ours} is installed: choose another data folder"
        )
    if place.account and cluster.stat().st_uid != place.account.uid:
        raise EmbeddedError(f"{cluster} belongs to another user: run as that user, or choose another data folder")
    with suppress(FileNotFoundError):
        left = cluster / "postmaster.pid"
        # We hold the lock that its servers held, so a live process with this id is a stranger that got the number.
        if is_alive(int(left.read_text().split("\n")[0])):
            left.unlink()


def read_major(programs: Path) -> int:
    """The major version of Postgres."""
    answer = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return int(answer.split()[2].split(".")[0])


def create_database(server: Child, place: Place) -> None:
    """Wait until Postgres accepts connections, then make the role and its database unless they exist."""
    failure: list[BaseException] = []

    def run() -> None:  # in a thread, because the caller's may have a running loop already
        try:
            asyncio.run(create())
        except BaseException as error:
            failure.append(error)

    async def create() -> None:
        connection = await connect(server, place)
        try:
            if not await connection.fetchval("select true from pg_roles where rolname = 'jobgate'"):
                await connection.execute("create role jobgate login nosuperuser nocreatedb nocreaterole nobypassrls")
            if not await connection.fetchval("select true from pg_database where datname = 'jobgate'"):
                await connection.execute("create database jobgate owner jobgate")
        finally:
            await connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]


async def connect(server: Child, place: Place) -> asyncpg.Connection:
    """The first connection as superuser."""
    give_up_at = time.monotonic() + READY_S
    while True:
        try:
            return await asyncpg.connect(make_url(place, "postgres", "postgres"))
        except (OSError, asyncpg.CannotConnectNowError) as error:
            fail_unless_starting("Postgres", server, place.home / "postgres.log", give_up_at, error)
        await asyncio.sleep(0.005)


def start_valkey(program: Path, place: Place, durable: bool) -> Child:
    """Start Valkey; it never drops keys, and keeps them on disk when `durable`."""
    folder = place.make_private("valkey")
    options = {
        "port": "0",
        "unixsocket": f"{place.sockets}/valkey.sock",
        "unixsocketperm": "700",
        "dir": str(folder),
        "save": "",
        "appendonly": "yes" if durable else "no",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return Child.spawn(
        [str(program), *(word for name, value in options.items() for word in (f"--{name}", value))],
        env={"LC_ALL": "C"},
        log=place.home / "valkey.log",
        folder=Path("/"),
        account=place.account,
        keep_open=place.locks,
    )


def await_valkey(server: Child, place: Place) -> None:
    """Wait until Valkey answers."""
    give_up_at = time.monotonic() + READY_S
    while True:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(READY_S)
                connection.connect(f"{place.sockets}/valkey.sock")
                connection.sendall(b"PING\r\n")
                if (answer := connection.recv(100)).startswith(b"+PONG"):
                    return
                raise OSError(answer.decode())
        except OSError as error:
            fail_unless_starting("Valkey", server, place.home / "valkey.log", give_up_at, error)
        time.sleep(0.005)


def fail_unless_starting(name: str, server: Child, log: Path, give_up_at: float, error: Exception) -> None:
    """Raise when waiting longer is useless."""
    if server.exit_code is not None:
        raise EmbeddedError(f"{name} did not start: {read_last_line(log)} (all of it: {log})") from error
    if time.monotonic() > give_up_at:
        raise EmbeddedError(f"{name} accepts no connection after {READY_S:.0f} s: {error} (its log: {log})") from error


def read_last_line(log: Path) -> str:
    """What a server said last."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
