"""What was announced to targets, and what became of it."""

from __future__ import annotations

import uuid
from typing import Annotated

from msgspec import Meta

from jobgate import wire
from jobgate.context import Context, Reply, Request
from jobgate.outbox.deliveries import DeliveryState, PushDelivery, RedeliveredEntry, find_deliveries, redeliver
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.sessions.entries import SessionId

MAX_DELIVERIES = 50


class GetPushDeliveries(Request, frozen=True, kw_only=True):
    """Which deliveries to read; one must fit all filters that are given."""

    id: Annotated[list[uuid.UUID], Meta(max_length=1000)] | None = None
    target_id: uuid.UUID | None = None
    state: DeliveryState | None = None
    session_id: SessionId | None = None
    limit: Annotated[int, Meta(ge=1)] = MAX_DELIVERIES
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class UpdatePushDeliveries(Request, frozen=True, kw_only=True):
    """Deliveries to send again."""

    id: Annotated[list[uuid.UUID], Meta(min_length=1, max_length=1000)]


@action("get")
async def read_deliveries(ctx: Context, request: GetPushDeliveries) -> Reply[list[PushDelivery]]:
    """Read deliveries with their last tries, newest first."""
    async with ctx.db.reading(ctx.organisation_id) as db:
        return await find_deliveries(
            db,
            ctx.organisation_id,
            ids=request.id,
            target_id=request.target_id,
            state=request.state,
            session_id=request.session_id,
            before=read_next(request.next),
            limit=min(request.limit, MAX_DELIVERIES),
        )


@action("update")
async def redeliver_ended(ctx: Context, request: UpdatePushDeliveries) -> list[RedeliveredEntry]:
    """Send deliveries again that have ended, well or badly: the same id and body, and a new day of tries."""
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        told = await redeliver(tx, ctx.organisation_id, request.id)
        detail = wire.encode({"asked": len(request.id), "queued": sum(entry.status == "ok" for entry in told)})
        await tx.execute(
            "insert_audit",
            ctx.organisation_id,
            ctx.caller.key,
            "push.deliveries.redeliver",
            "push",
            detail,
            ctx.request_id,
        )
    return told
