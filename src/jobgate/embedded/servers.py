"""Postgres and Valkey, started for `dev` and for the tests, and stopped with them."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from jobgate.embedded.places import SOCKETS, EmbeddedError, choose_account, claim
from jobgate.embedded.postgres import create_database, make_url, start_postgres
from jobgate.embedded.programs import find_postgres, find_valkey
from jobgate.embedded.valkey import await_valkey, find_socket, start_valkey

MEMORY = Path("/dev/shm")
SCRATCH_BYTES = 4 * 1024**3
"""Free memory that scratch servers ask for."""


@dataclass(frozen=True)
class Servers:
    """Running servers. `database_url` is the owner of its database and nothing more, `admin_url` a superuser.

    `redis_url` is empty when there is no Valkey. Whoever may enter the sockets' folder needs no password.
    """

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
    """Run Postgres and Valkey on the folder `data`, which nobody else may use meanwhile; raises `EmbeddedError`.

    Not `durable` is faster, and a power failure may destroy the data. The folders hold programs to use instead of
    those that would be found. Call it from a thread that lives as long as the process: see `Child`.
    """
    with ExitStack() as stack:
        try:
            servers = start(stack, data, durable, redis, postgres_folder, valkey_folder)
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            raise EmbeddedError(f"{what}; choose a data folder that is yours, or set JOBGATE_DATABASE_URL") from error
        yield servers


def start(
    stack: ExitStack, data: Path, durable: bool, redis: bool, postgres_folder: Path | None, valkey_folder: Path | None
) -> Servers:
    """Start what `start_servers` promises, and leave the stopping to the stack."""
    account = choose_account()
    place = stack.enter_context(claim(data, account))
    valkey = None
    if redis:
        valkey = start_valkey(find_valkey(valkey_folder, account), place, durable)
        stack.callback(valkey.terminate, signal.SIGTERM)
    postgres = start_postgres(find_postgres(postgres_folder, account), place, durable)
    stack.callback(postgres.terminate, signal.SIGINT)
    create_database(postgres, place)
    if valkey:
        await_valkey(valkey, place)
    return Servers(
        database_url=make_url(place, "jobgate", "jobgate"),
        redis_url=f"unix://{find_socket(place)}?db=0" if valkey else "",
        admin_url=make_url(place, "postgres", "postgres"),
        data=place.data,
    )


def choose_scratch() -> Path:
    """Memory, where there is plenty: a database is hundreds of files, made in 40 ms there and in up to 370 on disk."""
    try:
        return MEMORY if shutil.disk_usage(MEMORY).free > SCRATCH_BYTES else SOCKETS
    except OSError:
        return SOCKETS


@contextmanager
def start_scratch_servers(
    *, redis: bool = True, postgres_folder: Path | None = None, valkey_folder: Path | None = None
) -> Iterator[Servers]:
    """Run fast servers on an empty folder that is removed afterwards: for tests."""
    with tempfile.TemporaryDirectory(prefix="jobgate-scratch-", dir=choose_scratch()) as folder:
        Path(folder).chmod(0o711)  # else root's servers, which run as nobody, would be elsewhere and stay
        programs = {"postgres_folder": postgres_folder, "valkey_folder": valkey_folder}
        with start_servers(Path(folder), durable=False, redis=redis, **programs) as servers:
            yield servers
