"""`jobs` get by reference, as one would write it in FastAPI."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import asyncpg
from fastapi import FastAPI, Form, HTTPException
from pydantic import BaseModel

from jobgate.bench.stage import CALLER
from jobgate.db import QUERIES

CLOCK_SKEW_S = 3 * 3600


class Meta(BaseModel):
    """The first half of an answer."""

    status: bool
    timestamp: int
    records: int


class JobRecord(BaseModel):
    """A job."""

    reference: uuid.UUID
    type: str
    status: str
    dt_created: str
    dt_completed: str | None


class JobsAnswer(BaseModel):
    """The envelope."""

    meta: Meta
    data: list[JobRecord]


def create_app(database_url: str, pool_size: int) -> FastAPI:
    """An application with this one endpoint."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, min_size=1, max_size=pool_size) as pool:
            app.state.pool = pool
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def show_readiness() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/v2025.1.LTS/jobs")
    async def get_jobs(
        security: Annotated[str, Form()],
        request: Annotated[str, Form()],
        action: Annotated[str, Form()] = "get",
    ) -> JobsAnswer:
        packet = json.loads(security)
        require_signature(packet, request, action)
        wanted = json.loads(request)
        references = [uuid.UUID(reference) for reference in wanted["references"]]
        async with app.state.pool.acquire() as connection:
            rows = await connection.fetch(
                QUERIES["find_jobs_by_reference"], packet["consumer_key"], references, *[None] * 4, 1000, False
            )
        data = [
            JobRecord(
                reference=row["reference"],
                type=row["type"],
                status=row["state"],
                dt_created=row["created_at"].strftime("%Y-%m-%d %H:%M:%S"),
                dt_completed=row["completed_at"] and row["completed_at"].strftime("%Y-%m-%d %H:%M:%S"),
            )
            for row in rows
        ]
        return JobsAnswer(meta=Meta(status=True, timestamp=int(time.time()), records=len(data)), data=data)

    return app


def require_signature(packet: dict[str, Any], request: str, action: str) -> None:
    """Refuse a packet that this consumer did not sign, or not now."""
    if packet["consumer_key"] != CALLER.key or packet["domain"] != CALLER.domain:
        raise HTTPException(403, "unknown consumer")
    text = "_".join((packet["consumer_key"], packet["domain"], packet["timestamp"], request, action))
    signature = "$02$" + hmac.new(CALLER.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature, packet["signature"]):
        raise HTTPException(403, "signature mismatch")
    sent = datetime.strptime(packet["timestamp"], "%Y%m%d-%H%M").replace(tzinfo=UTC)
    if abs(sent.timestamp() - time.time()) > CLOCK_SKEW_S:
        raise HTTPException(403, "timestamp out of range")
