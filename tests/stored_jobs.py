"""Jobs as rows, for tests of what is told about them and done to them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from jobgate import wire
from jobgate.testing import House

START = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

_INSERT = """
insert into job (reference, organisation_id, consumer_key, type, state, params, entries, results, error, progress,
    created_at, completed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""


async def queue(house: House, **columns: Any) -> str:
    """Store a job of `house.home`, completed unless `state` says otherwise; its reference."""
    reference = columns.get("reference", uuid.uuid4())
    state = columns.get("state", "completed")
    created_at = columns.get("created_at", START)
    json = {name: wire.encode(columns[name]) if name in columns else None for name in ("results", "error", "progress")}
    async with house.db.connection() as queries:
        await queries.connection.execute(
            _INSERT,
            reference,
            columns.get("organisation_id", 1),
            columns.get("consumer_key", house.home.key),
            columns.get("type", "toy"),
            state,
            wire.encode(columns.get("params", {"n": 1})),
            columns.get("entries", 1),
            json["results"],
            json["error"],
            json["progress"],
            created_at,
            created_at + timedelta(seconds=1) if state in ("completed", "halted") else None,
        )
    return str(reference)
