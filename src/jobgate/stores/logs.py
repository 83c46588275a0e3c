"""Logs of stores: what gateways and workers say about one, or about none. They tell of no person."""

from __future__ import annotations

from typing import Any, Literal

from jobgate import wire
from jobgate.db import Transaction

LogType = Literal["exception", "xapi", "api", "ui", "console", "auth", "stream"]

DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT, EMERGENCY = range(8)
"""The other way round than syslog: the higher, the worse."""


async def say(
    db: Transaction,
    organisation_id: int,
    store_id: int | None,
    description: str,
    *,
    type: LogType = "api",
    level: int = INFO,
    service: str | None = None,
    api: str | None = None,
    method: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Add an entry, in the transaction of what it tells of."""
    told = None if data is None else wire.encode(data)
    await db.execute(
        "insert_store_log", organisation_id, store_id, type, level, service, api, method, description[:1000], told
    )
