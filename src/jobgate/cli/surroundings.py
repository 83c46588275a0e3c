"""Where a command works: the environment, or else a `jobgate dev` that runs on a data folder."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from jobgate.cli.failures import Unusable

if TYPE_CHECKING:
    from jobgate.client import Client
    from jobgate.db import Database
    from jobgate.settings import Settings

DEFAULT_DATA = ".jobgate"

data_option = click.option(
    "--data",
    default=DEFAULT_DATA,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Data folder of a running `jobgate dev`, used where the environment says nothing.",
)


class Dev(msgspec.Struct, frozen=True, kw_only=True):
    """A running `jobgate dev`, as other commands need to know it; it lies in its data folder, for its owner only."""

    pid: int
    url: str
    database_url: str
    redis_url: str
    secret_key: str
    key: str = ""
    secret: str = ""


def dev_file(data: Path) -> Path:
    """Where a running `dev` describes itself."""
    return data / "dev.json"


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only we can read, from its first moment on, and that is never seen half written."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:  # noqa: PTH123  # a mode
        opened.write(content)
    fresh.replace(file)


def find_dev(data: Path) -> Dev | None:
    """The `dev` that runs on this folder, if any."""
    try:
        dev = msgspec.json.decode(dev_file(data).read_bytes(), type=Dev)
        os.kill(dev.pid, 0)
    except (FileNotFoundError, NotADirectoryError, ProcessLookupError):
        return None  # it was never there, or was killed before it could say goodbye
    except (OSError, msgspec.DecodeError) as error:
        raise Unusable(f"{dev_file(data)} cannot be used ({error}): start `jobgate dev` again, as yourself") from error
    return dev


def find_settings(data: Path) -> Settings:
    """The settings of the environment; a database, and what belongs to it, may come from a running `dev`."""
    from jobgate.settings import read_settings

    settings = read_settings(os.environ)
    dev = None if settings.database_url else find_dev(data)
    if dev is None:
        return settings
    return msgspec.structs.replace(
        settings, database_url=dev.database_url, redis_url=dev.redis_url, secret_key=dev.secret_key, public_url=dev.url
    )


def find_client(data: Path) -> Client:
    """A client of the gateway that the environment or a running `dev` names."""
    from jobgate.client import Client, Credentials

    url = os.environ.get("JOBGATE_URL", "")
    dev = None if url else find_dev(data)
    if not url and dev is None:
        raise Unusable("no gateway is known: start `jobgate dev`, or set JOBGATE_URL, JOBGATE_KEY and JOBGATE_SECRET")
    # The demo consumer's key goes to its own gateway only.
    key = os.environ.get("JOBGATE_KEY") or (dev.key if dev else "")
    secret = os.environ.get("JOBGATE_SECRET") or (dev.secret if dev else "")
    missing = [name for name, value in (("JOBGATE_KEY", key), ("JOBGATE_SECRET", secret)) if not value]
    if missing:
        raise Unusable(f"set {' and '.join(missing)}: the consumer that signs")
    try:
        return Client(
            url or (dev.url if dev else ""), Credentials(key, secret, os.environ.get("JOBGATE_DOMAIN", "localhost"))
        )
    except ValueError as error:
        raise Unusable(str(error)) from error


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """A small pool on a database whose schema is current."""
    from jobgate.cli.checks import reaching
    from jobgate.db import Database
    from jobgate.migrations import require_current

    if not settings.database_url:
        raise Unusable("no database is known: set JOBGATE_DATABASE_URL, or start `jobgate dev`")
    with reaching("JOBGATE_DATABASE_URL"):
        db = await Database.connect(
            settings.database_url,
            size=2,
            acquire_s=settings.worker_acquire_s,
            statement_s=settings.worker_statement_s,
            lock_s=settings.worker_lock_s,
            cache_size=settings.statement_cache_size,
            name="command",
        )
    try:
        async with db.connection() as queries:
            await require_current(queries.connection)
        yield db
    finally:
        await db.close()


async def require_organisation(db: Database, organisation_id: int) -> None:
    """Refuse an organisation that does not exist: it may be a typing error."""
    if await db.fetchrow("find_organisation", organisation_id) is None:
        raise Unusable(
            f"there is no organisation {organisation_id}: "
            f"jobgate consumers add --organisation {organisation_id} makes one"
        )
