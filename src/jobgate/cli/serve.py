"""`jobgate serve`: the gateway process."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from jobgate.server import GatewayServer
    from jobgate.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free one.")
@click.option("--uds", type=click.Path(), help="Listen on this Unix socket instead.")
@click.option("--demo", is_flag=True, hidden=True)  # `dev` only: the demo consumer is no reason to refuse
def serve(host: str, port: int, uds: str | None, demo: bool) -> None:
    """Answer signed calls until SIGTERM or Ctrl-C; a second one skips the waiting."""
    import os

    import uvloop

    from jobgate import log
    from jobgate.settings import read_settings

    settings = read_settings(os.environ)
    log.configure(settings.log_level)
    uvloop.run(run_gateway(settings, host, port, uds, demo=demo))


async def run_gateway(settings: Settings, host: str, port: int, uds: str | None, *, demo: bool) -> None:
    """Check what a gateway relies on, then serve until stopped."""
    from jobgate import log
    from jobgate.app import create_app
    from jobgate.cli.checks import check_database, check_doorbell, check_push, require
    from jobgate.errors import ApiError
    from jobgate.metrics import Metrics
    from jobgate.registry import load_actions, load_tasks
    from jobgate.server import build_server

    logger = logging.getLogger("jobgate")
    actions, tasks = load_actions(settings.actions_dir), load_tasks(settings.tasks_dir)
    checks = [
        *await check_database(settings, needs_key=True, demo=demo),
        *await check_doorbell(settings),
        check_push(settings, sends=False),
    ]
    for warning in require(checks):
        log.event(logger, "gateway.warning", logging.WARNING, check=warning.name, text=warning.text)
    metrics = Metrics()
    app: Any = create_app(settings, actions, tasks, metrics)  # Starlette's and uvicorn's words for an ASGI scope differ

    def announce_stop() -> None:
        app.gate.drain()
        log.event(logger, "gateway.draining")

    def count_refusal(error: ApiError) -> None:
        metrics.refused.add(error.code.name)

    server = build_server(
        app, settings, host=host, port=port, uds=uds, on_drain=announce_stop, on_refusal=count_refusal
    )
    announcing = asyncio.create_task(announce_start(server, uds))
    try:
        await server.serve(signals=True)
    finally:
        announcing.cancel()
    log.event(logger, "gateway.stopped")


async def announce_start(server: GatewayServer, uds: str | None) -> None:
    """Log where it listens, once it does."""
    from jobgate import log

    await server.started.wait()
    where: dict[str, Any] = {"port": server.port} if uds is None else {"uds": uds}
    log.event(logging.getLogger("jobgate"), "gateway.started", **where)
