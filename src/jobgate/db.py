"""The way to Postgres: a bounded pool, JSON as bytes, statements by name, transactions inside one organisation.

Every statement lives in `sql/*.sql` under a name; `Queries.fetch("claim_jobs", ...)` runs it. A `Database` runs a
statement on any free connection, a `Transaction` on its own.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, Self

import asyncpg

Record = asyncpg.Record

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def _read_queries() -> dict[str, str]:
    queries: dict[str, str] = {}
    for file in sorted((files("jobgate") / "sql").iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        parts = _NAME.split(file.read_text(encoding="utf-8"))
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            if name in queries:
                raise RuntimeError(f"{file.name}: a statement named {name} exists already")
            queries[name] = text.strip()
    return queries


QUERIES = _read_queries()
"""Every statement that jobgate runs, by its name."""

UNAVAILABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # asked on a connection that Postgres has just ended, before the driver noticed
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, cancelled, statement timeout, starting up
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""Postgres is away, full, or too slow: nothing is wrong with the statement."""

CONTENDED: tuple[type[Exception], ...] = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Two transactions got into each other's way; one of them may simply run again."""


class Queries:
    """Runs statements by name on a connection."""

    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy[Record]) -> None:
        self.connection = connection

    async def fetch(self, name: str, *args: Any) -> list[Record]:
        """All rows of the statement."""
        return await self.connection.fetch(QUERIES[name], *args)

    async def fetchrow(self, name: str, *args: Any) -> Record | None:
        """The first row of the statement, or None."""
        return await self.connection.fetchrow(QUERIES[name], *args)

    async def fetchval(self, name: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        return await self.connection.fetchval(QUERIES[name], *args)

    async def execute(self, name: str, *args: Any) -> int:
        """Run the statement; the number of rows that it touched."""
        status = await self.connection.execute(QUERIES[name], *args)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0


class Transaction(Queries):
    """Statements that commit together."""

    async def copy_rows(self, table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """COPY `rows` into `table`: the fastest way in."""
        await self.connection.copy_records_to_table(table, columns=list(columns), records=rows)


class Database:
    """The pool. Each call waits at most `acquire_s` for a connection, then raises `TimeoutError`."""

    def __init__(self, pool: asyncpg.Pool[Record], acquire_s: float) -> None:
        self.pool = pool
        self.acquire_s = acquire_s

    @classmethod
    async def connect(
        cls,
        url: str,
        *,
        size: int,
        acquire_s: float,
        statement_s: float,
        lock_s: float,
        cache_size: int = 256,
        name: str,
    ) -> Self:
        """Open the pool; raises what the driver raises when Postgres cannot be reached."""
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            init=_speak_json,
            reset=_keep_session,
            statement_cache_size=cache_size,
            max_inactive_connection_lifetime=60,
            timeout=acquire_s * 2,
            # Longer than the server's own limit: this one is for a server that does not answer at all.
            command_timeout=statement_s * 2,
            server_settings={
                "application_name": f"jobgate {name}",
                "timezone": "UTC",
                "jit": "off",
                "statement_timeout": str(int(statement_s * 1000)),
                "lock_timeout": str(int(lock_s * 1000)),
                "idle_in_transaction_session_timeout": "10000",
            },
        )
        return cls(pool, acquire_s)

    async def close(self) -> None:
        """Close every connection; those still busy are cut off."""
        self.pool.terminate()

    async def fetch(self, name: str, *args: Any) -> list[Record]:
        """All rows of the statement, in a transaction of its own."""
        async with self.connection() as queries:
            return await queries.fetch(name, *args)

    async def fetchrow(self, name: str, *args: Any) -> Record | None:
        """The first row of the statement, or None."""
        async with self.connection() as queries:
            return await queries.fetchrow(name, *args)

    async def fetchval(self, name: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        async with self.connection() as queries:
            return await queries.fetchval(name, *args)

    async def execute(self, name: str, *args: Any) -> int:
        """Run the statement; the number of rows that it touched."""
        async with self.connection() as queries:
            return await queries.execute(name, *args)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Queries]:
        """A connection without a transaction. After a time-out or a cut it is thrown away, never used again."""
        async with self.pool.acquire(timeout=self.acquire_s) as connection:
            try:
                yield Queries(connection)
            except (TimeoutError, OSError):
                connection.terminate()
                raise

    @asynccontextmanager
    async def transaction(self, organisation_id: int | None = None) -> AsyncIterator[Transaction]:
        """A transaction that sees and writes the rows of one organisation, or of none where it is None.

        It takes its transaction number before any clock is read: `session_horizon` relies on that.
        """
        async with self.connection() as queries:
            connection = queries.connection
            try:
                await connection.execute("begin; select pg_current_xact_id()" + _bind_organisation(organisation_id))
                yield Transaction(connection)
                await connection.execute("commit")
            except BaseException:
                await _roll_back(connection)
                raise

    @asynccontextmanager
    async def reading(self, organisation_id: int) -> AsyncIterator[Transaction]:
        """A read-only transaction inside one organisation; all its statements see what the first one saw."""
        async with self.connection() as queries:
            connection = queries.connection
            try:
                await connection.execute(
                    "begin isolation level repeatable read read only" + _bind_organisation(organisation_id)
                )
                yield Transaction(connection)
            finally:
                await _roll_back(connection)


def _bind_organisation(organisation_id: int | None) -> str:
    return "" if organisation_id is None else f"; set local jobgate.organisation = '{int(organisation_id)}'"


async def _roll_back(connection: asyncpg.pool.PoolConnectionProxy[Record]) -> None:
    """Leave the transaction; a connection that cannot is thrown away, and what went wrong before is what counts."""
    try:
        if not connection.is_closed():
            await connection.execute("rollback", timeout=1)
    except Exception:
        with suppress(asyncpg.InterfaceError):  # the pool was closed under us: there is no connection any more
            connection.terminate()


async def _speak_json(connection: asyncpg.Connection[Record]) -> None:
    """JSON columns carry bytes both ways; `wire` is the only place that decodes them."""
    await connection.set_type_codec("json", schema="pg_catalog", encoder=_as_is, decoder=_as_is, format="binary")


def _as_is(value: bytes) -> bytes:
    return value


async def _keep_session(connection: asyncpg.Connection[Record]) -> None:
    """Nothing here outlives its transaction (`set local` only), so a released connection needs no round trip."""
