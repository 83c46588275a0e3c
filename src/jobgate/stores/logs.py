"""Logs of stores: what gateways and workers say about one, or about none. They tell of no person."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.paging import read_instant, show_instant

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


async def page_logs(
    db: Transaction,
    organisation_id: int,
    store_id: int | None,
    *,
    since: datetime | None,
    until: datetime | None,
    type: LogType | None,
    min_level: int,
    text: str | None,
    token: str | None,
    limit: int,
) -> tuple[list[Record], str | None]:
    """A page of entries about a store, or about all and none, newest first, and the token of the next page."""
    walk = "walk_logs" if store_id is None else "walk_logs_of_store"
    filters = (since, until, type, min_level, text, store_id)
    rows = await db.fetch(walk, organisation_id, *read_instant(token), *filters, limit + 1)
    page = rows[:limit]
    return page, show_instant(page[-1]["stored"], page[-1]["number"]) if len(rows) > limit else None
