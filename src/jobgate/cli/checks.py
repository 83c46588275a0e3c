"""What must be right before a process may serve or work, and what `jobgate doctor` looks at."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jobgate.cli.failures import Unusable

if TYPE_CHECKING:
    import asyncpg

    from jobgate.settings import Settings

OLDEST_POSTGRES = 15
CONNECT_S = 5.0
SKEW_WARNED_S = 2.0
SKEW_REFUSED_S = 30.0
"""Beyond it a gateway is not ready."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: `text` says what is, or what is wrong and what to do."""

    name: str
    state: Literal["ok", "warning", "wrong"]
    text: str


def require(checks: Sequence[Check]) -> list[Check]:
    """Raise `Unusable` with everything that is wrong; otherwise the warnings."""
    wrong = [check.text for check in checks if check.state == "wrong"]
    if wrong:
        raise Unusable("\n".join(wrong))
    return [check for check in checks if check.state == "warning"]


@contextmanager
def reaching(setting: str) -> Iterator[None]:
    """Turn a failure to connect with the URL in `setting` into a line about it."""
    import asyncpg

    try:
        yield
    except (OSError, TimeoutError, ValueError, asyncpg.InterfaceError, asyncpg.PostgresError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Unusable(f"the database cannot be used ({reason}): start it, or correct {setting}") from error


async def check_database(settings: Settings, *, needs_key: bool, demo: bool = False) -> list[Check]:
    """Reach Postgres; judge its version, our role, the schema, the clocks and, when needed, the key.

    The demo consumer, whose secret everybody can read, is wrong unless `demo`.
    """
    import asyncpg

    key = [_check_key_form(settings)] if needs_key else []
    if not settings.database_url:
        return [
            Check("database", "wrong", "set JOBGATE_DATABASE_URL, or use `jobgate dev`, which brings its own"),
            *key,
        ]
    try:
        with reaching("JOBGATE_DATABASE_URL"):
            connection = await asyncpg.connect(
                settings.database_url, timeout=CONNECT_S, statement_cache_size=settings.statement_cache_size
            )
    except Unusable as error:
        return [Check("database", "wrong", error.message), *key]
    try:
        checks = await _check_server(connection)
        schema = await _check_schema(connection)
        checks.append(schema)
        if schema.state == "ok" and not demo:
            checks += await _check_demo(connection)
        if schema.state == "ok" and key and key[0].state == "ok":
            key = [await _check_stored_secrets(connection, settings)]
        return checks + key
    finally:
        await connection.close()


async def check_doorbell(settings: Settings) -> list[Check]:
    """Redis is a convenience: nothing about it is wrong enough to refuse to start."""
    from jobgate import doorbell

    if not settings.redis_url:
        return [
            Check("redis", "warning", "JOBGATE_REDIS_URL is not set: workers poll, jobs start up to a second later")
        ]
    problems = await doorbell.check(settings.redis_url)
    return [Check("redis", "warning", problem) for problem in problems] or [Check("redis", "ok", "Redis answers")]


def check_push(settings: Settings, *, sends: bool) -> Check:
    """Can the settings be followed, and, by a process that `sends`, deliveries be signed?"""
    from jobgate.outbound import read_rules
    from jobgate.settings import SettingsError

    try:
        rules = read_rules(settings)
    except SettingsError as error:
        return Check("push", "wrong", str(error))
    if sends and not settings.secret_key:
        return Check("push", "warning", "JOBGATE_SECRET_KEY is not set: this worker pushes nothing")
    listed = len(rules.networks) + len(rules.names)
    return Check("push", "ok", f"public addresses and {listed} listed places may be pushed to")


def check_files(settings: Settings) -> Check:
    """Is there the folder that file connections need, where they are wanted?"""
    import os
    from pathlib import Path

    if not settings.files_root:
        return Check("files", "ok", "JOBGATE_FILES_ROOT is not set: nothing is pulled from files, nor pushed to them")
    root = Path(settings.files_root)
    if not root.is_dir() or not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        text = f"JOBGATE_FILES_ROOT={root} is no folder that this process may read and write: make one, or correct it"
        return Check("files", "warning", text)
    return Check("files", "ok", f"file connections read and write in {root}")


async def _check_server(connection: asyncpg.Connection[asyncpg.Record]) -> list[Check]:
    from jobgate.db import QUERIES

    asked = time.time()
    state = await connection.fetchrow(QUERIES["server_state"])
    role = await connection.fetchrow(QUERIES["role_state"])
    assert state is not None  # both statements always give one row
    assert role is not None
    return [
        _judge_server(role["version"] // 10_000, state["read_only"]),
        _judge_role(role["name"], role["rolsuper"], role["rolbypassrls"]),
        _judge_clock(asked - state["now_s"]),
    ]


def _judge_server(major: int, read_only: bool) -> Check:
    if major < OLDEST_POSTGRES:
        return Check("database", "wrong", f"PostgreSQL {major} is too old: use {OLDEST_POSTGRES} or later")
    if read_only:
        text = "the database is read-only: name the primary, or add target_session_attrs=read-write to the URL"
        return Check("database", "wrong", text)
    return Check("database", "ok", f"PostgreSQL {major} answers")


def _judge_role(name: str, is_super: bool, bypasses: bool) -> Check:
    if is_super or bypasses:
        what = "is a superuser" if is_super else "has BYPASSRLS"
        advice = "connect as an ordinary role, so that row-level security holds"
        return Check("role", "wrong", f"the database role {name} {what}: {advice}")
    return Check("role", "ok", f"the role {name} is subject to row-level security")


def _judge_clock(skew_s: float) -> Check:
    if abs(skew_s) > SKEW_WARNED_S:
        state: Literal["warning", "wrong"] = "wrong" if abs(skew_s) > SKEW_REFUSED_S else "warning"
        return Check("clock", state, f"this clock is {skew_s:+.0f} s off the database's: set both by NTP")
    return Check("clock", "ok", "this clock agrees with the database's")


async def _check_schema(connection: asyncpg.Connection[asyncpg.Record]) -> Check:
    import asyncpg

    from jobgate.migrations import MigrationError, require_current

    try:
        await require_current(connection)
    except MigrationError as error:
        return Check("schema", "wrong", str(error))
    except asyncpg.InsufficientPrivilegeError as error:
        return Check("schema", "wrong", f"{error}: grant this role the tables that JOBGATE_MIGRATE_URL's role made")
    return Check("schema", "ok", "the schema is current")


def _check_key_form(settings: Settings) -> Check:
    from jobgate.keys import KeyUnusable, OuterKey

    try:
        OuterKey(settings.secret_key)
    except KeyUnusable as error:
        return Check("key", "wrong", str(error))
    return Check("key", "ok", "JOBGATE_SECRET_KEY is well-formed")


async def _check_stored_secrets(connection: asyncpg.Connection[asyncpg.Record], settings: Settings) -> Check:
    from jobgate.callers import secret_owner
    from jobgate.db import QUERIES
    from jobgate.keys import KeyUnusable, OuterKey

    key = OuterKey(settings.secret_key)
    try:
        for row in await connection.fetch(QUERIES["newest_secrets"]):
            key.unwrap(row["wrapped"], secret_owner(row["consumer_key"], row["id"]))
    except KeyUnusable as error:
        return Check("key", "wrong", str(error))
    return Check("key", "ok", "JOBGATE_SECRET_KEY opens the stored secrets")


async def _check_demo(connection: asyncpg.Connection[asyncpg.Record]) -> list[Check]:
    from jobgate.db import QUERIES
    from jobgate.demo import DEMO

    row = await connection.fetchrow(QUERIES["find_consumer"], DEMO.key)
    if row is None or not row["active"]:
        return []
    text = f"anybody knows the demo consumer's secret: use `jobgate dev`, or run: jobgate consumers revoke {DEMO.key}"
    return [Check("demo", "wrong", text)]
