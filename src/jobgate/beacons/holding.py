"""Calls of the holder of a job. One whose token does not hold it changes nothing, and is put on record."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobgate import wire
from jobgate.beacons.claims import Stale
from jobgate.context import Context
from jobgate.db import Transaction


@asynccontextmanager
async def holding(ctx: Context, job_id: uuid.UUID) -> AsyncIterator[Transaction]:
    """A transaction of such a call; raises the refusal of a `Stale`."""
    try:
        async with ctx.db.transaction(ctx.organisation_id) as tx:
            yield tx
    except Stale as stale:
        told = wire.encode({"id": job_id, "endpoint": ctx.endpoint, "reason": str(stale)})
        facts = (ctx.organisation_id, ctx.caller.key, "beacons.jobs.stale", "beacon job", told, ctx.request_id)
        await ctx.db.execute("insert_audit", *facts)
        raise stale.refusal from None
