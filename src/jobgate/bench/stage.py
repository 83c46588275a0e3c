"""Where a row is played: durable servers of its own, a fresh database, and processes that end with the row."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import asyncpg

from jobgate.callers import NewConsumer, add_consumer
from jobgate.client import Credentials
from jobgate.db import Database
from jobgate.embedded import Child, Servers
from jobgate.keys import OuterKey
from jobgate.settings import PREFIX, Settings
from jobgate.testing import fresh_database

CALLER = Credentials("benchconsumer001", "bench-secret-bench-secret-bench-secret-01")
ORGANISATION_ID = 1

READY_S = 20.0
_LOOK_S = 0.02


class StageError(Exception):
    """A process of the bench did not start or ended early; the text has the end of what it said."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured."""

    seconds: float = 2.0
    """How long one side of one round runs, where a row has no amount of its own."""
    jobs: int = 50_000
    """Jobs to drain in row 5, and for arq a tenth of it."""
    updates: int = 400
    """Jobs of a hundred sessions each in row 6."""
    rescores: int = 100
    """Jobs of a hundred sessions each in row 7."""
    users: int = 200_000
    """Users of the dataset in row 8."""
    stored: int = 10_000_000
    """Jobs of a year in row 9."""
    statements: int = 20_000
    """xAPI statements in rows 12 to 14."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One row's surroundings. `db` has as many connections as a gateway."""

    servers: Servers
    folder: Path
    effort: Effort
    db: Database
    database: str
    env: dict[str, str]
    peaks: dict[str, int] = field(default_factory=dict)
    """The most memory that each process had, in bytes, by its name; nothing where the system does not tell."""

    @asynccontextmanager
    async def running(self, name: str, *argv: str, **env: str) -> AsyncIterator[Child]:
        """`python -m <argv>` with the settings of this stage and a log file, until the end of the block."""
        log = self.folder / f"{name}.log"
        child = Child.spawn([sys.executable, "-m", *argv], env=self.env | env, log=log)
        try:
            yield child
            if child.exit_code is not None:
                raise StageError(f"{name} ended early: {read_end(log)}")
        finally:
            self.peaks[name] = max(self.peaks.get(name, 0), read_peak(child.pid))
            await asyncio.to_thread(child.terminate)

    @asynccontextmanager
    async def serving(self, name: str, *argv: str, ready: str = "/readyz") -> AsyncIterator[int]:
        """A process that serves HTTP on a free port, once it answers `ready`."""
        port = find_port()
        async with self.running(name, *argv, "--port", str(port)) as child:
            await asyncio.to_thread(self._await_answer, name, child, f"http://127.0.0.1:{port}{ready}")
            yield port

    def _await_answer(self, name: str, child: Child, url: str) -> None:
        log = self.folder / f"{name}.log"
        give_up_at = time.monotonic() + READY_S
        while True:
            try:
                with urlopen(url, timeout=1):
                    return
            except OSError as error:
                if child.exit_code is not None or time.monotonic() > give_up_at:
                    raise StageError(f"{name} does not serve ({error}): {read_end(log)}") from error
            time.sleep(_LOOK_S)

    async def run_as_admin(self, *statements: str) -> None:
        """Statements that only a superuser may run, in this database."""
        admin = await asyncpg.connect(self.servers.admin_url.replace("/postgres?", f"/{self.database}?"))
        try:
            for statement in statements:
                await admin.execute(statement)
        finally:
            await admin.close()


@asynccontextmanager
async def open_stage(servers: Servers, folder: Path, effort: Effort) -> AsyncIterator[Stage]:
    """A stage with one unlimited consumer, `CALLER`."""
    async with fresh_database(servers) as url:
        key = OuterKey.make()
        settings = Settings()
        db = await Database.connect(
            url,
            size=settings.gateway_pool,
            acquire_s=10,
            statement_s=settings.worker_statement_s,
            lock_s=settings.worker_lock_s,
            name="bench",
        )
        try:
            async with db.transaction() as tx:
                who = NewConsumer(key=CALLER.key, organisations=(ORGANISATION_ID,), unlimited=True)
                await add_consumer(tx, OuterKey(key), who, CALLER.secret)
            chosen = {
                "DATABASE_URL": url,
                "REDIS_URL": servers.redis_url,
                "SECRET_KEY": key,
                # Row 1 is refused on purpose, and all of it comes from one address.
                "MAX_AUTH_FAILURES": "1000000000",
                "STOP_DELAY_S": "0",
                "STOP_GRACE_S": "1",
                "DRAIN_S": "1",
            }
            env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
            env |= {PREFIX + name: value for name, value in chosen.items()}
            yield Stage(servers, folder, effort, db, url.partition("?")[0].rpartition("/")[2], env)
        finally:
            await db.close()


def find_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def read_peak(pid: int) -> int:
    """The most memory that a process has had, in bytes; 0 where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def read_end(log: Path) -> str:
    """The last words of a process."""
    return log.read_text(errors="replace")[-2000:] if log.exists() else "it said nothing"
