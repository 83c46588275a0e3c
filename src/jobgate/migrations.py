"""Schema migrations: numbered SQL files, forward only, applied once however many processes start together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files

import asyncpg

_LOCK = 7_061_627
"""The advisory lock that migrators take; any constant will do."""


class MigrationError(Exception):
    """The schema does not fit this program; the text says what to do."""


@dataclass(frozen=True)
class Migration:
    """One file: its name orders it, its checksum pins it."""

    name: str
    statements: str
    checksum: str


def shipped() -> list[Migration]:
    """The migrations of this version, in order."""
    found = []
    for file in sorted((files("jobgate") / "sql" / "migrations").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            text = file.read_text(encoding="utf-8")
            found.append(Migration(file.name[:-4], text, hashlib.sha256(text.encode()).hexdigest()))
    return found


async def migrate(url: str) -> list[str]:
    """Bring the schema up to date in one transaction; the names of what was applied, empty when nothing was due."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("set local lock_timeout = '60s'; set local statement_timeout = 0")
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            await connection.execute(
                "create table if not exists migration (name text primary key, checksum text not null,"
                " applied_at timestamptz not null default clock_timestamp())"
            )
            known = {row["name"]: row["checksum"] for row in await connection.fetch("select * from migration")}
            _compare(known)
            due = [migration for migration in shipped() if migration.name not in known]
            for migration in due:
                await connection.execute(migration.statements)
                await connection.execute(
                    "insert into migration (name, checksum) values ($1, $2)", migration.name, migration.checksum
                )
            return [migration.name for migration in due]
    finally:
        await connection.close()


async def require_current(
    connection: asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record],
) -> None:
    """Raise `MigrationError` unless the schema is exactly the one that this version knows."""
    if await connection.fetchval("select to_regclass('migration')") is None:
        raise MigrationError("the database has no jobgate schema; run: jobgate migrate")
    known = {row["name"]: row["checksum"] for row in await connection.fetch("select * from migration")}
    _compare(known)
    missing = [migration.name for migration in shipped() if migration.name not in known]
    if missing:
        raise MigrationError(f"the schema lacks {', '.join(missing)}; run: jobgate migrate")


def _compare(known: dict[str, str]) -> None:
    mine = {migration.name: migration.checksum for migration in shipped()}
    newer = sorted(set(known) - set(mine))
    if newer:
        raise MigrationError(f"the schema is newer than this program ({', '.join(newer)}); install that version")
    changed = sorted(name for name, checksum in known.items() if mine[name] != checksum)
    if changed:
        raise MigrationError(f"{', '.join(changed)} changed after it was applied; a schema change needs a new file")
