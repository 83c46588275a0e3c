"""The listeners that are told what happens to sessions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta

from jobgate import jobs, wire
from jobgate.context import Context, Request
from jobgate.db import Transaction
from jobgate.deleting import require_one_or_all
from jobgate.errors import ApiError, Code
from jobgate.outbound import Forbidden, read_rules, read_url
from jobgate.outbox.announcements import Kind
from jobgate.outbox.targets import PushTarget, add_target, change_target, find_targets
from jobgate.registry import action

Url = Annotated[str, Meta(min_length=1, max_length=2000)]
Kinds = Annotated[tuple[Kind, ...], Meta(min_length=1, max_length=10)]


class GetPushTargets(Request, frozen=True, kw_only=True):
    """Which targets to read."""

    id: Annotated[list[uuid.UUID], Meta(max_length=1000)] | None = None
    """These; all of the organisation when absent."""


class SetPushTarget(Request, frozen=True, kw_only=True):
    """A new target."""

    url: Url
    """Where to post to: https, a public name or address."""
    kinds: Kinds = ("session.status", "session.score")
    """What it is told; everything when absent."""
    paused: bool = False
    """True: deliveries wait until it is changed."""


class UpdatePushTarget(Request, frozen=True, kw_only=True):
    """A target, and what of it shall change."""

    id: uuid.UUID
    url: Url | None = None
    kinds: Kinds | None = None
    paused: bool | None = None
    enable: bool = False
    """True: a disabled target works again. What was given up meanwhile can be redelivered."""
    rotate_secret: bool = False
    """True: a new secret is made and answered; the old one signs besides for a day."""


class DeletePushTargets(Request, frozen=True, kw_only=True):
    """Which targets to delete."""

    id: uuid.UUID | None = None
    all: bool = False
    """True: all of the organisation."""


class DeletedPushTargets(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were."""

    deleted: int


@action("get")
async def read_targets(ctx: Context, request: GetPushTargets) -> list[PushTarget]:
    """Read the targets of the organisation, newest first, and how they answered last."""
    async with ctx.db.reading(ctx.organisation_id) as db:
        return await find_targets(db, ctx.organisation_id, request.id)


@action("set", guarded=True)
async def create_target(ctx: Context, request: SetPushTarget) -> PushTarget:
    """Add a target; the answer has the secret that its deliveries are signed with, this once."""
    _require_allowed(ctx, request.url)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        target = await add_target(
            tx, ctx.organisation_id, ctx.key, url=request.url, kinds=request.kinds, paused=request.paused
        )
        # A retry gets the same target without its secret: secrets are kept wrapped only.
        await jobs.accept(ctx, tx, msgspec.structs.replace(target, secret=UNSET))
        await _audit(ctx, tx, "set", [target.id], {"url": request.url})
    return target


@action("update")
async def update_target(ctx: Context, request: UpdatePushTarget) -> PushTarget:
    """Change a target: what is given, and nothing else."""
    if request.url is not None:
        _require_allowed(ctx, request.url)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        target = await change_target(
            tx,
            ctx.organisation_id,
            ctx.key,
            request.id,
            url=request.url,
            kinds=request.kinds,
            paused=request.paused,
            enable=request.enable,
            rotate=request.rotate_secret,
        )
        await _audit(ctx, tx, "update", [target.id], {"url": request.url, "rotated": request.rotate_secret})
    return target


@action("delete")
async def delete_targets(ctx: Context, request: DeletePushTargets) -> DeletedPushTargets:
    """Delete a target, or all; what waits for it fails, and stays visible."""
    require_one_or_all("id", request.id, request.all)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        deleted = await tx.execute("delete_targets", ctx.organisation_id, request.id)
        await _audit(ctx, tx, "delete", [] if request.id is None else [request.id], {"deleted": deleted})
    return DeletedPushTargets(deleted=deleted)


def _require_allowed(ctx: Context, url: str) -> None:
    """Raise 20004 for a URL that no delivery would ever go to; names are judged again at every delivery."""
    try:
        read_url(url, read_rules(ctx.settings))
    except Forbidden as error:
        raise ApiError(Code.unsupported_value, f"`url` cannot be pushed to: {error}") from None


async def _audit(ctx: Context, tx: Transaction, act: str, ids: Sequence[uuid.UUID], detail: dict[str, Any]) -> None:
    told = wire.encode({"ids": ids} | detail)
    await tx.execute(
        "insert_audit", ctx.organisation_id, ctx.caller.key, f"push.targets.{act}", "push", told, ctx.request_id
    )
