"""Adaptive sessions and their reports, for tests."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from jobgate import jobs, wire
from jobgate.testing import House
from tests.stored_sessions import store


def item(reference: str, b: float, a: float = 1, c: float = 0, **changes: Any) -> dict[str, Any]:
    """An item with parameters."""
    return {"reference": reference, "irt": {"a": a, "b": b, "c": c}} | changes


def mark(item_reference: str, score: float | None, max_score: float | None = 1, **changes: Any) -> dict[str, Any]:
    """The response to an item."""
    return {"item_reference": item_reference, "score": score, "max_score": max_score} | changes


async def store_adaptive(
    house: House, session_id: str, items: Sequence[Any], responses: Sequence[Any], **changes: Any
) -> None:
    """Store a session as a row that is adaptive."""
    await store(house, session_id, items=items, responses=responses, **changes)
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update session set is_adaptive = true where session_id = $1", session_id)


async def report(house: House, *session_ids: str) -> str:
    """Queue a job that writes reports; its reference."""
    reference = uuid.uuid4()
    async with house.db.connection() as queries:
        await jobs.insert(
            queries,
            reference=reference,
            organisation_id=1,
            consumer_key=house.home.key,
            type="adaptivereport",
            params={"session_id": list(session_ids)},
        )
    return str(reference)


async def read_report(house: House, session_id: str) -> Any:
    """The report as it is stored, whether it counts or not; None: there is none."""
    async with house.db.reading(1) as db:
        stored = await db.connection.fetchval(
            "select report from adaptive_report join session on id = session_no where session_id = $1", session_id
        )
    return None if stored is None else wire.decode(stored, Any)
