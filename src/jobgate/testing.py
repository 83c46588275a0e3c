"""For tests of jobgate and of a user's own actions and tasks: a whole house on a fresh database, and signed calls.

    async with open_house(servers) as house:
        reply = await house.call("jobs", "get", {"status": ["queued"]})
        await house.carry()          # a real worker, until nothing is queued or running

Real Postgres, the real application, the real worker; only the network is left out.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from jobgate import migrations
from jobgate.app import Application, create_app
from jobgate.callers import NewConsumer, add_consumer
from jobgate.client import FORM_TYPE, Credentials, sign_form
from jobgate.db import Database
from jobgate.dispatch import Gateway
from jobgate.doorbell import Doorbell
from jobgate.embedded import Servers
from jobgate.keys import OuterKey
from jobgate.metrics import Metrics
from jobgate.registry import Actions, Tasks, load_actions, load_tasks
from jobgate.server import GatewayServer, build_server
from jobgate.settings import Settings
from jobgate.worker import Worker

HOME = Credentials("houseofhomekey01", "home-secret-home-secret-home-secret-0001")
OTHER = Credentials("houseofotherkey2", "other-secret-other-secret-other-secret-2")
STRANGER = Credentials("houseofstranger3", "stranger-secret-stranger-secret-strang-3")

DONE_WITHIN_S = 30.0

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as a client sees it."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def meta(self) -> Any:
        """The envelope's `meta`."""
        return self.body["meta"]

    @property
    def data(self) -> Any:
        """The envelope's `data`; fails the test when the call was refused."""
        assert self.meta["status"] is True, self.body
        return self.body["data"]

    @property
    def code(self) -> int:
        """The number of the refusal."""
        assert self.meta["status"] is False, self.body
        code: int = self.meta["code"]
        return code


@dataclass(slots=True)
class House:
    """A gateway and its database. Organisation 1 has the consumers `home` and `other`, organisation 2 `stranger`."""

    app: Application
    db: Database
    settings: Settings
    tasks: Tasks
    metrics: Metrics
    home: Credentials = HOME
    other: Credentials = OTHER
    stranger: Credentials = STRANGER

    @property
    def gate(self) -> Gateway:
        """What the application answers with."""
        gate: Gateway = self.app.gate
        return gate

    async def call(
        self,
        endpoint: str,
        action: str | None,
        request: Any = None,
        *,
        as_: Credentials | None = None,
        version: str = "v2025.1.LTS",
        now: datetime | None = None,
        distinct: bool = True,
    ) -> Reply:
        """Sign and send a call. `distinct` adds a key to `meta`, so that equal calls are not taken for retries."""
        if distinct and not isinstance(request, str):
            request = (request or {}) | {"meta": {"request_id": next(_numbers)}}
        body = sign_form(as_ or self.home, request if request is not None else {}, action, now=now or datetime.now(UTC))
        return await self.post(f"/{version}/{endpoint}", body)

    async def post(self, path: str, body: bytes, content_type: str = FORM_TYPE) -> Reply:
        """Send a POST as it is."""
        return await self.send("POST", path, body, {"content-type": content_type})

    async def send(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
        """Send any request through the whole application."""
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        inbox = [{"type": "http.request", "body": body, "more_body": False}]
        outbox: list[Any] = []

        async def receive() -> Any:
            if not inbox:
                await asyncio.Event().wait()  # the client stays until it is answered
            return inbox.pop()

        async def send(message: Any) -> None:
            outbox.append(message)

        await self.app(scope, receive, send)
        start, *parts = outbox
        content = b"".join(part.get("body", b"") for part in parts)
        answered = {name.decode(): value.decode() for name, value in start["headers"]}
        is_json = answered.get("content-type", "").startswith("application/json")
        return Reply(start["status"], msgspec.json.decode(content) if is_json else {"text": content.decode()}, answered)

    async def carry(self, *, settings: Settings | None = None, tasks: Tasks | None = None) -> None:
        """Run a worker until no job is queued or running."""
        worker = Worker(self.db, tasks or self.tasks, settings or self.settings, Doorbell(""), self.metrics)
        running = asyncio.create_task(worker.run())
        try:
            async with asyncio.timeout(DONE_WITHIN_S):
                while await self.unfinished() and not running.done():  # noqa: ASYNC110  # Postgres tells nobody
                    await asyncio.sleep(0.005)
        finally:
            worker.stop()
            await running

    async def unfinished(self) -> int:
        """How many jobs are queued or running."""
        row = await self.db.fetchrow("job_gauges")
        assert row is not None
        count: int = row["queued"] + row["running"]
        return count


@dataclass(frozen=True, slots=True)
class Server:
    """A gateway behind real HTTP; `settings` has its database."""

    url: str
    port: int
    app: Application
    settings: Settings


@asynccontextmanager
async def open_server(
    servers: Servers, *, actions: Actions | None = None, workers: int = 0, **overrides: Any
) -> AsyncIterator[Server]:
    """A gateway on 127.0.0.1 and a fresh database, with so many workers beside it. `overrides` are settings."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_database(servers))
        settings = shrunk(**({"database_url": url, "redis_url": servers.redis_url} | overrides))
        metrics = Metrics()
        db = await Database.connect(url, size=4, acquire_s=3, statement_s=30, lock_s=5, name="test")
        stack.push_async_callback(db.close)
        await add_house_consumers(db, settings)
        app = create_app(settings, load_actions() if actions is None else actions, load_tasks(), metrics)
        server = build_server(app, settings, host="127.0.0.1", port=0)
        serving = asyncio.create_task(server.serve())
        stack.push_async_callback(_stop, server, serving)
        await asyncio.wait([serving, asyncio.create_task(server.started.wait())], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        for _ in range(workers):
            worker = Worker(db, load_tasks(), settings, Doorbell(settings.redis_url), metrics)
            stack.push_async_callback(_finish, worker, asyncio.create_task(worker.run()))
        yield Server(f"http://127.0.0.1:{server.port}", server.port, app, settings)


async def _stop(server: GatewayServer, serving: asyncio.Task[None]) -> None:
    server.hurry()
    await serving


async def _finish(worker: Worker, running: asyncio.Task[None]) -> None:
    worker.stop()
    await running


async def add_house_consumers(db: Database, settings: Settings) -> None:
    """The consumers that a house has."""
    key = OuterKey(settings.secret_key)
    async with db.transaction() as tx:
        for who, home in ((HOME, 1), (OTHER, 1), (STRANGER, 2)):
            await add_consumer(tx, key, NewConsumer(key=who.key, organisations=(home,)), who.secret)


def shrunk(**overrides: Any) -> Settings:
    """Settings whose waits are short enough for tests."""
    values: dict[str, Any] = {
        "secret_key": OuterKey.make(),
        "lease_s": 2,
        "beacon_lease_s": 2,
        "archive_after_s": 1e9,
        "poll_s": 0.05,
        "poll_unhealthy_s": 0.05,
        "sweep_s": 0.1,
        "retry_base_s": 0.01,
        "retry_max_s": 0.05,
        "drain_s": 2,
        "abandon_s": 0.5,
        "stop_delay_s": 0,
        "consumer_cache_s": 0.2,
    }
    return Settings(**(values | overrides))


async def make_template(servers: Servers) -> str:
    """A migrated database to clone from; its name."""
    name = "house_template"
    admin = await asyncpg.connect(servers.admin_url)
    try:
        if await admin.fetchval("select 1 from pg_database where datname = $1", name) is None:
            await admin.execute(f"create database {name} owner jobgate")
            await migrations.migrate(database_url(servers, name))
    finally:
        await admin.close()
    return name


def database_url(servers: Servers, name: str) -> str:
    """The URL of another database on the same server, for the ordinary role."""
    return servers.database_url.replace("/jobgate?", f"/{name}?")


@asynccontextmanager
async def fresh_database(servers: Servers) -> AsyncIterator[str]:
    """The URL of a migrated, empty database of its own."""
    template = await make_template(servers)
    name = f"house_{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(servers.admin_url)
    try:
        await admin.execute(f"create database {name} template {template} owner jobgate")
        yield database_url(servers, name)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


@asynccontextmanager
async def open_house(
    servers: Servers, *, actions: Actions | None = None, tasks: Tasks | None = None, **overrides: Any
) -> AsyncIterator[House]:
    """A house on a fresh database. `overrides` are settings."""
    async with fresh_database(servers) as url:
        settings = shrunk(database_url=url, **overrides)
        metrics = Metrics()
        db = await Database.connect(
            url, size=6, acquire_s=3, statement_s=settings.worker_statement_s, lock_s=5, name="test"
        )
        try:
            await add_house_consumers(db, settings)
            tasks = load_tasks() if tasks is None else tasks
            app = create_app(settings, load_actions() if actions is None else actions, tasks, metrics)
            async with app.router.lifespan_context(app):
                yield House(app, db, settings, tasks, metrics)
        finally:
            await db.close()
