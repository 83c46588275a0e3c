"""`jobgate serve`: it starts when everything is right, says what is not, and stops without losing a call."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from contextlib import ExitStack

import asyncpg
import pytest

from jobgate.callers import NewConsumer, add_consumer
from jobgate.cli.checks import check_database
from jobgate.client import Client, Credentials
from jobgate.db import Database
from jobgate.demo import DEMO
from jobgate.embedded import Servers
from jobgate.keys import OuterKey
from jobgate.settings import Settings
from jobgate.testing import database_url, fresh_database
from tests.cli.terminal import DEADLINE_S, Terminal, find_port, run, start


async def add(url: str, key: OuterKey, who: Credentials) -> None:
    """A consumer on a fresh database."""
    db = await Database.connect(url, size=1, acquire_s=3, statement_s=5, lock_s=5, name="test")
    try:
        async with db.transaction() as tx:
            await add_consumer(tx, key, NewConsumer(key=who.key, organisations=(1,)), who.secret)
    finally:
        await db.close()


def ask_readiness(port: int) -> int:
    """The status of `/readyz`."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def await_event(terminal: Terminal, name: str) -> None:
    """Wait for a line of the log."""
    terminal.await_line(f'"event":"{name}"')


def test_without_a_database_it_says_where_one_comes_from() -> None:
    refused = run("serve")

    assert refused.returncode == 2
    assert refused.stderr == "Error: set JOBGATE_DATABASE_URL, or use `jobgate dev`, which brings its own\n" + (
        "Error: JOBGATE_SECRET_KEY must be the base64 of 32 random bytes; make one with: openssl rand -base64 32\n"
    )


def test_every_bad_setting_is_a_line() -> None:
    refused = run("serve", JOBGATE_LEASE_S="never", JOBGATE_LOGLEVEL="info")

    assert refused.returncode == 2
    first, second = refused.stderr.splitlines()
    assert first.startswith("Error: JOBGATE_LEASE_S=never: ")
    assert second == "Error: JOBGATE_LOGLEVEL is not a setting; did you mean JOBGATE_LOG_LEVEL?"


async def test_a_superuser_and_a_missing_schema_stop_the_start(servers: Servers) -> None:
    refused = run("serve", JOBGATE_DATABASE_URL=servers.admin_url, JOBGATE_SECRET_KEY=OuterKey.make())

    assert refused.returncode == 2
    assert refused.stderr == (
        "Error: the database role postgres is a superuser: connect as an ordinary role, so that row-level security "
        "holds\nError: the database has no jobgate schema; run: jobgate migrate\n"
    )


async def test_a_role_that_bypasses_row_level_security_stops_the_start(servers: Servers) -> None:
    async with fresh_database(servers) as url:
        admin = await asyncpg.connect(servers.admin_url)
        try:
            await admin.execute("create role bypasser login bypassrls in role jobgate")
            settings = Settings(database_url=url.replace("//jobgate@", "//bypasser@"))
            checks = await check_database(settings, needs_key=False)
        finally:
            await admin.execute("drop role bypasser")
            await admin.close()

    assert [check.text for check in checks if check.state == "wrong"] == [
        "the database role bypasser has BYPASSRLS: connect as an ordinary role, so that row-level security holds"
    ]


async def test_a_key_that_does_not_open_what_is_stored_stops_the_start(servers: Servers) -> None:
    right = OuterKey.make()
    async with fresh_database(servers) as url:
        await add(url, OuterKey(right), Credentials("0123456789abcdef", "secret"))
        with_right = await check_database(Settings(database_url=url, secret_key=right), needs_key=True)
        with_other = await check_database(Settings(database_url=url, secret_key=OuterKey.make()), needs_key=True)

    assert [check.name for check in with_right if check.state == "wrong"] == []
    assert [check.name for check in with_other if check.state == "wrong"] == ["key"]


async def test_the_demo_consumer_stops_the_start_until_it_is_revoked(servers: Servers) -> None:
    key = OuterKey.make()
    async with fresh_database(servers) as url:
        await add(url, OuterKey(key), DEMO)
        settings = {"JOBGATE_DATABASE_URL": url, "JOBGATE_SECRET_KEY": key}
        refused = run("serve", **settings)
        assert run("consumers", "revoke", DEMO.key, **settings).returncode == 0
        checks = await check_database(Settings(database_url=url, secret_key=key), needs_key=True)

    assert refused.returncode == 2
    assert refused.stderr.endswith(f"or run: jobgate consumers revoke {DEMO.key}\n")
    assert [check.name for check in checks if check.state == "wrong"] == []


async def test_migrate_makes_a_schema_once(servers: Servers) -> None:
    admin = await asyncpg.connect(servers.admin_url)
    try:
        await admin.execute("create database migrated owner jobgate")
        url = database_url(servers, "migrated")
        first, second = (run("migrate", JOBGATE_DATABASE_URL=url) for _ in range(2))
        await admin.execute("drop database migrated")
    finally:
        await admin.close()
    unset = run("migrate")

    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("applied 001_")
    assert second.stdout == "the schema is up to date\n"
    assert unset.returncode == 2
    assert "set JOBGATE_DATABASE_URL" in unset.stderr


async def test_processes_that_migrate_together_apply_everything_once(servers: Servers) -> None:
    admin = await asyncpg.connect(servers.admin_url)
    try:
        await admin.execute("create database migrated_together owner jobgate")
        url = database_url(servers, "migrated_together")
        with ExitStack() as stack:
            terminals = [stack.enter_context(start("migrate", JOBGATE_DATABASE_URL=url)) for _ in range(5)]
            codes = [terminal.process.wait(DEADLINE_S) for terminal in terminals]
            said = sorted(terminal.await_line("")[:8] for terminal in terminals)
        await admin.execute("drop database migrated_together")
    finally:
        await admin.close()

    assert codes == [0] * 5
    assert said == ["applied ", *["the sche"] * 4]


async def test_migrations_may_run_as_another_role(servers: Servers) -> None:
    async with fresh_database(servers) as url:
        elsewhere = "postgresql://nobody@127.0.0.1:1/none"
        migrated = run("migrate", JOBGATE_DATABASE_URL=elsewhere, JOBGATE_MIGRATE_URL=url)

    assert (migrated.returncode, migrated.stdout) == (0, "the schema is up to date\n"), migrated.stderr


@pytest.mark.parametrize("hurry", [False, True])
async def test_a_stop_first_says_not_ready_and_still_answers(servers: Servers, hurry: bool) -> None:
    who, key, port = Credentials("0123456789abcdef", "secret"), OuterKey.make(), find_port()
    settings = {"JOBGATE_SECRET_KEY": key, "JOBGATE_STOP_DELAY_S": "30" if hurry else "0.3"}
    async with fresh_database(servers) as url:
        await add(url, OuterKey(key), who)
        with start("serve", "--port", str(port), JOBGATE_DATABASE_URL=url, **settings) as terminal:
            await_event(terminal, "gateway.started")
            before = ask_readiness(port)
            terminal.process.send_signal(signal.SIGTERM)
            await_event(terminal, "gateway.draining")
            draining = ask_readiness(port) if hurry else 503
            code = terminal.end(signal.SIGTERM) if hurry else terminal.process.wait(20)

    assert (before, draining, code) == (200, 503, 0)


async def test_a_port_that_is_taken_is_said_in_one_line(servers: Servers) -> None:
    who, key, port = Credentials("0123456789abcdef", "secret"), OuterKey.make(), find_port()
    async with fresh_database(servers) as url:
        await add(url, OuterKey(key), who)
        settings = {"JOBGATE_DATABASE_URL": url, "JOBGATE_SECRET_KEY": key, "JOBGATE_STOP_DELAY_S": "0"}
        with start("serve", "--port", str(port), **settings) as terminal:
            await_event(terminal, "gateway.started")
            reply = Client(f"http://127.0.0.1:{port}", who).call("jobs", "get")
            taken = run("serve", "--port", str(port), **settings)

    assert json.dumps(reply.data) == "[]"
    assert taken.returncode == 2
    said = "Error: the address is in use: stop what listens there, or choose another with --port"
    assert said in taken.stderr.splitlines()
    assert "Traceback" not in taken.stderr
