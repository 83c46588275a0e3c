"""Postgres and Valkey whose processes we may kill and start again, and a fresh jobgate schema in them."""

from __future__ import annotations

import asyncio
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from jobgate import migrations
from jobgate.embedded.child import Child
from jobgate.embedded.places import SOCKETS, Place, choose_account, claim
from jobgate.embedded.postgres import create_database, make_url, start_postgres
from jobgate.embedded.programs import find_postgres, find_valkey
from jobgate.embedded.valkey import await_valkey, find_socket, start_valkey

EFFECTS = """
create table effect (job_id bigint not null, step integer not null, at timestamptz not null default clock_timestamp())
"""


@dataclass
class Servers:
    """The two servers. Postgres is durable: what it acknowledged survives being killed."""

    place: Place
    postgres_program: Path
    valkey_program: Path
    postgres: Child
    valkey: Child

    @property
    def database_url(self) -> str:
        """As the ordinary role."""
        return make_url(self.place, "jobgate", "jobgate")

    @property
    def admin_url(self) -> str:
        """As a superuser, in the same database."""
        return make_url(self.place, "postgres", "jobgate")

    @property
    def socket(self) -> Path:
        """Where Postgres listens."""
        return self.place.sockets / ".s.PGSQL.5432"

    @property
    def redis_url(self) -> str:
        """Where Valkey listens."""
        return f"unix://{find_socket(self.place)}?db=0"

    async def restart_postgres(self) -> float:
        """Stop it as a crash would, start it again; the moment from which it accepted connections."""
        self.postgres.send(signal.SIGQUIT)
        await asyncio.to_thread(self.postgres.wait, 30)
        self.postgres = start_postgres(self.postgres_program, self.place, True)
        connection = await self.connect()
        await connection.close()
        return time.monotonic()

    def kill_redis(self) -> None:
        """End it without a word."""
        self.valkey.send(signal.SIGKILL)
        self.valkey.wait(10)

    async def start_redis(self) -> None:
        """Start it again, empty."""
        self.valkey = start_valkey(self.valkey_program, self.place, False)
        await asyncio.to_thread(await_valkey, self.valkey, self.place)

    async def connect(self) -> asyncpg.Connection[asyncpg.Record]:
        """A superuser's connection, as soon as there can be one."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return await asyncpg.connect(self.admin_url, timeout=5)
            except (OSError, TimeoutError, asyncpg.PostgresError):
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.02)

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """A superuser's connection, for as long as the block runs."""
        connection = await self.connect()
        try:
            yield connection
        finally:
            connection.terminate()

    def close(self) -> None:
        """Stop both."""
        self.postgres.terminate(signal.SIGINT)
        self.valkey.terminate()


@contextmanager
def start_servers() -> Iterator[Servers]:
    """Both servers on an empty folder, which is removed afterwards. Call it from the main thread."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jobgate-chaos-", dir=SOCKETS)))
        folder.chmod(0o711)  # root's servers run as nobody
        account = choose_account()
        place = stack.enter_context(claim(folder, account))
        postgres, valkey = find_postgres(None, account), find_valkey(None, account)
        servers = Servers(
            place, postgres, valkey, start_postgres(postgres, place, True), start_valkey(valkey, place, False)
        )
        stack.callback(servers.close)
        create_database(servers.postgres, place)
        await_valkey(servers.valkey, place)
        yield servers


async def prepare(servers: Servers) -> None:
    """Migrate, and make the table of effects."""
    await migrations.migrate(servers.database_url)
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute(EFFECTS)
    finally:
        await connection.close()
