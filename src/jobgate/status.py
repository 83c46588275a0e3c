"""What probes and Prometheus are told: `/healthz`, `/readyz` and `/metrics` of a gateway or a worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from jobgate import log, wire
from jobgate.db import UNAVAILABLE, Database
from jobgate.metrics import CONTENT_TYPE, Metrics

JSON_TYPE = "application/json; charset=utf-8"
"""Exactly this: an official client compares the whole header."""

CLOCK_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True)
class Status:
    """One process as it is asked about from outside."""

    db: Database
    metrics: Metrics
    within_s: float
    """How long Postgres may take to prove itself."""
    own_problem: Callable[[], str | None]
    """What keeps the process itself from working, if anything."""

    async def problem(self) -> str | None:
        """Why this process is not ready: itself, Postgres, or their clocks. Redis is no reason."""
        problem = self.own_problem()
        if problem is not None:
            return problem
        try:
            async with asyncio.timeout(self.within_s):
                row = await self.db.fetchrow("server_state")
        except UNAVAILABLE:
            return "the database does not answer"
        except asyncpg.PostgresError as error:
            return f"the database refuses: {error.sqlstate}"
        assert row is not None  # the statement always gives one row
        skew_s = time.time() - row["now_s"]
        self.metrics.clock_skew_seconds.set(skew_s)
        if row["read_only"]:
            return "the database is read-only"
        return f"this clock is {skew_s:.0f} s off the database's" if abs(skew_s) > CLOCK_LIMIT_S else None


def status_routes() -> list[Route]:
    """The three paths, for an application that has a `status`."""
    return [
        Route("/healthz", show_health, methods=["GET"]),
        Route("/readyz", show_readiness, methods=["GET"]),
        Route("/metrics", show_metrics, methods=["GET"]),
    ]


class StatusApp(Starlette):
    """Nothing but the three paths: what a worker shows."""

    def __init__(self, status: Status) -> None:
        super().__init__(routes=status_routes())
        self.status = status


async def show_health(_: Request) -> Response:
    """The event loop answers; nothing else is asked."""
    return Response(b'{"status":"ok"}', headers={"content-type": JSON_TYPE})


async def show_readiness(request: Request) -> Response:
    """Can this process do its work?"""
    status: Status = request.app.status
    problem = await status.problem()
    state = {"status": "ready"} if problem is None else {"status": "not ready", "reason": problem}
    return Response(wire.encode(state), 200 if problem is None else 503, {"content-type": JSON_TYPE})


async def show_metrics(request: Request) -> Response:
    """The Prometheus text format."""
    status: Status = request.app.status
    pool = status.db.pool
    status.metrics.pool_in_use.set(pool.get_size() - pool.get_idle_size())
    status.metrics.log_dropped.set(log.dropped_lines())
    return Response(status.metrics.expose(), headers={"content-type": CONTENT_TYPE})
