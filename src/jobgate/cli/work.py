"""`jobgate work`: a worker process, which ends itself when it must be replaced."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from jobgate.db import Database
    from jobgate.metrics import Metrics
    from jobgate.settings import Settings
    from jobgate.worker import Worker

REPLACE_ME = 75
"""The exit code of a worker whose supervisor should start another (EX_TEMPFAIL)."""

MEMORY_LOOK_S = 1.0


@click.command()
@click.option("--status-host", default="127.0.0.1", show_default=True, help="Address of /healthz, /readyz, /metrics.")
@click.option("--status-port", type=click.IntRange(0, 65535), help="Their port; without it they are not served.")
def work(status_host: str, status_port: int | None) -> None:
    """Carry jobs until SIGTERM or Ctrl-C; a second one skips the waiting.

    Exit code 75 asks the supervisor for a new process: an attempt ignored its end, or memory grew beyond its limit.
    """
    import uvloop

    from jobgate import log
    from jobgate.settings import read_settings

    settings = read_settings(os.environ)
    log.configure(settings.log_level)
    end_forked_copies()
    uvloop.run(run_worker(settings, status_host, status_port))


def end_forked_copies() -> None:
    """End a copy of this process made by `os.fork` at once: it would speak on our connections to Postgres.

    Programs started with `subprocess` and processes started by `spawn` or `forkserver` are no copies.
    """

    def end() -> None:
        os.write(2, b"a task forked its worker: use subprocess, or multiprocessing with the spawn method\n")
        os._exit(1)

    os.register_at_fork(after_in_child=end)


async def run_worker(settings: Settings, status_host: str, status_port: int | None) -> None:
    """Work until stopped; ends the process when it must be replaced."""
    import logging

    from jobgate import log
    from jobgate.cli.checks import check_database, check_doorbell, check_files, check_push, reaching, require
    from jobgate.db import Database
    from jobgate.doorbell import Doorbell
    from jobgate.metrics import Metrics
    from jobgate.registry import load_tasks
    from jobgate.sweeper import Sweeper
    from jobgate.worker import Worker, WorkerUnusable

    logger = logging.getLogger("jobgate")
    tasks = load_tasks(settings.tasks_dir)
    checks = [
        *await check_database(settings, needs_key=False, demo=True),
        *await check_doorbell(settings),
        check_push(settings, sends=True),
        check_files(settings),
    ]
    for warning in require(checks):
        log.event(logger, "worker.warning", logging.WARNING, check=warning.name, text=warning.text)
    with reaching("JOBGATE_DATABASE_URL"):  # it was there a moment ago
        db = await Database.connect(
            settings.database_url,
            size=settings.worker_pool,
            acquire_s=settings.worker_acquire_s,
            statement_s=settings.worker_statement_s,
            lock_s=settings.worker_lock_s,
            cache_size=settings.statement_cache_size,
            name="worker",
        )
    doorbell = Doorbell(settings.redis_url)
    metrics = Metrics()
    worker = Worker(db, tasks, settings, doorbell, metrics)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, worker.stop)
    sweeping = asyncio.create_task(Sweeper(db, settings, metrics, doorbell).run())
    ringing = asyncio.create_task(doorbell.run_ringer())
    pushing = asyncio.create_task(push(db, settings, metrics))
    watching = asyncio.create_task(stop_when_large(worker, settings.worker_memory_mib))
    showing = asyncio.create_task(show_status(worker, db, settings, metrics, status_host, status_port))
    unusable = False
    try:
        await worker.run()
    except WorkerUnusable as error:
        unusable = True
        log.event(logger, "worker.unusable", logging.ERROR, reason=str(error))
    finally:
        for beside in (sweeping, ringing, pushing, watching, showing):
            beside.cancel()
        await asyncio.wait([sweeping, ringing, pushing, watching, showing])
        await doorbell.close()
        await db.close()
    if unusable or not watching.cancelled():
        # At once: the loop's own end would wait for an attempt that ignores its cancellation.
        logging.shutdown()
        os._exit(REPLACE_ME)


async def push(db: Database, settings: Settings, metrics: Metrics) -> None:
    """Deliver what is announced until cancelled, where there is a key that opens the secrets to sign with."""
    from contextlib import closing

    from jobgate.keys import OuterKey
    from jobgate.outbound import Client, read_rules
    from jobgate.outbox.sender import Sender
    from jobgate.outbox.upkeep import Upkeep

    if not settings.secret_key:
        return
    with closing(Client(read_rules(settings), timeout_s=settings.push_timeout_s)) as client:
        async with asyncio.TaskGroup() as group:
            group.create_task(Sender(db, settings, OuterKey(settings.secret_key), client, metrics).run())
            group.create_task(Upkeep(db, settings, metrics).run())


async def show_status(
    worker: Worker, db: Database, settings: Settings, metrics: Metrics, host: str, port: int | None
) -> None:
    """Serve `/healthz`, `/readyz` and `/metrics` until cancelled, where a port was given."""
    import logging
    from typing import Any

    from jobgate import log
    from jobgate.server import build_server
    from jobgate.status import Status, StatusApp

    if port is None:
        return
    app: Any = StatusApp(Status(db, metrics, settings.worker_acquire_s, worker.problem))
    server = build_server(app, settings, host=host, port=port)
    logger = logging.getLogger("jobgate")
    try:
        await server.serve()
    except OSError as error:  # jobs matter more than being looked at
        log.event(logger, "worker.warning", logging.WARNING, check="status port", text=str(error))


async def stop_when_large(worker: Worker, limit_mib: int) -> None:
    """Stop the worker, and return, once this process holds more memory than `limit_mib`."""
    import logging

    from jobgate import log

    while measure_memory_mib() <= limit_mib:  # noqa: ASYNC110  # nothing tells when memory grows
        await asyncio.sleep(MEMORY_LOOK_S)
    log.event(
        logging.getLogger("jobgate"), "worker.large", logging.WARNING, mib=measure_memory_mib(), limit_mib=limit_mib
    )
    worker.stop()


def measure_memory_mib() -> int:
    """What this process holds in memory now; on systems that only tell it, the most that it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[1])
        return pages * resource.getpagesize() // 2**20
    except FileNotFoundError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most // 2**20 if sys.platform == "darwin" else most // 2**10
