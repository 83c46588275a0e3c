"""A job with a cancel mark is never queued again, however its attempt ends."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from jobgate import jobs, wire
from jobgate.jobs import Claim
from jobgate.testing import House
from tests.stored_jobs import queue


async def fail(house: House, claim: Claim) -> object:
    """The attempt raised, and there would be another."""
    return await jobs.fail(
        house.db,
        claim,
        code="failed",
        message="it raised",
        final=False,
        max_failures=8,
        retry_base_s=1,
        retry_max_s=1,
    )


async def defer(house: House, claim: Claim) -> None:
    """The other side asked to wait."""
    await jobs.defer(house.db, claim, 60)


async def release(house: House, claim: Claim) -> object:
    """The worker stopped."""
    return await jobs.release(house.db, [claim])


@pytest.mark.parametrize("end", [fail, defer, release])
@pytest.mark.parametrize("is_marked", [True, False])
async def test_an_attempt_that_ends_without_result(
    house: House, end: Callable[[House, Claim], Awaitable[object]], is_marked: bool
) -> None:
    reference = await queue(house, state="queued")
    (claim,) = await jobs.claim(house.db, ["toy"], owner=uuid.uuid4(), lease_s=60, jobs=1, entries=1, suspects=False)
    if is_marked:
        await house.call("jobs", "update", {"references": [reference], "status": "halted"})

    await end(house, claim)

    async with house.db.connection() as queries:
        row = await queries.connection.fetchrow("select state, error, completed_at, lease_until from job")
    assert row is not None
    error: Any = None if row["error"] is None else wire.decode(row["error"], Any)
    assert (row["state"], error) == (("halted", jobs.CANCELLED) if is_marked else ("queued", None))
    assert (row["completed_at"] is not None) is is_marked
    assert row["lease_until"] is None
