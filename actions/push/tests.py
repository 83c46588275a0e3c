"""Try a target out."""

from __future__ import annotations

import uuid

import msgspec

from jobgate import jobs
from jobgate.context import Context, Request
from jobgate.errors import ApiError, Code
from jobgate.outbox import announce_test
from jobgate.outbox.targets import find_targets, unknown_target
from jobgate.registry import action


class SetPushTest(Request, frozen=True, kw_only=True):
    """The target to try."""

    target_id: uuid.UUID


class PushTestQueued(msgspec.Struct, frozen=True, kw_only=True):
    """Where to see what becomes of it: `push/deliveries`."""

    delivery_id: uuid.UUID


@action("set", guarded=True)
async def send_test(ctx: Context, request: SetPushTest) -> PushTestQueued:
    """Send a target an event of kind `test`, signed and retried like every other."""
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        delivery_id = await announce_test(tx, ctx.organisation_id, request.target_id, ctx.request_id)
        if delivery_id is None:
            if not await find_targets(tx, ctx.organisation_id, [request.target_id]):
                raise unknown_target()
            raise ApiError(Code.conflict, "the target is disabled; enable it first")
        queued = PushTestQueued(delivery_id=delivery_id)
        await jobs.accept(ctx, tx, queued)
    return queued
