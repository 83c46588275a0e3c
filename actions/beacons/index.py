"""The beacons: remote boxes that pick up jobs."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobgate import wire
from jobgate.beacons.boxes import Beacon, BeaconState, find_beacons, keep_beacon, read_beacon
from jobgate.beacons.fields import BeaconName, Tags
from jobgate.context import Context, Reply, Request
from jobgate.db import Transaction
from jobgate.deleting import require_one_or_all
from jobgate.paging import read_next
from jobgate.registry import action

MAX_PAGE = 50


class GetBeacons(Request, frozen=True, kw_only=True):
    """Which beacons to read."""

    name: Annotated[list[BeaconName], Meta(max_length=1000)] | None = None
    """These; all of the organisation when absent."""
    limit: Annotated[int, Meta(ge=1)] = MAX_PAGE
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered."""


class SetBeacon(Request, frozen=True, kw_only=True):
    """A beacon, and what it can do."""

    name: BeaconName
    tags: Tags = ()
    """Jobs that need other tags are not given to it."""


class UpdateBeacon(Request, frozen=True, kw_only=True):
    """A beacon, and what of it shall change."""

    name: BeaconName
    state: BeaconState | None = None
    tags: Tags | None = None


class DeleteBeacons(Request, frozen=True, kw_only=True):
    """Which beacons to forget."""

    name: BeaconName | None = None
    all: bool = False
    """True: all of the organisation."""


class DeletedBeacons(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were."""

    deleted: int


@action("get")
async def read_beacons(ctx: Context, request: GetBeacons) -> Reply[list[Beacon]]:
    """Read the beacons of the organisation, newest first: when each was last seen, what it holds, what waits for it."""
    before = read_next(request.next)
    async with ctx.db.reading(ctx.organisation_id) as db:
        return await find_beacons(db, ctx.organisation_id, request.name, before, min(request.limit, MAX_PAGE))


@action("set")
async def register_beacon(ctx: Context, request: SetBeacon) -> Beacon:
    """Register a beacon, or give a registered one other tags. Doing it twice changes nothing more."""
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        await keep_beacon(tx, ctx.organisation_id, request.name, request.tags)
        return await read_beacon(tx, ctx.organisation_id, request.name)


@action("update")
async def steer_beacon(ctx: Context, request: UpdateBeacon) -> Beacon:
    """Pause a beacon, drain it, or let it work again; change what it can do."""
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        tags = None if request.tags is None else sorted(set(request.tags))
        await tx.execute("update_beacon", ctx.organisation_id, request.name, tags, request.state)
        beacon = await read_beacon(tx, ctx.organisation_id, request.name)
        await _audit(ctx, tx, "update", {"name": request.name, "state": request.state, "tags": tags})
    ctx.room.ring()
    return beacon


@action("delete")
async def forget_beacons(ctx: Context, request: DeleteBeacons) -> DeletedBeacons:
    """Forget a beacon, or all. Jobs for it stay; it is registered again when it picks one up."""
    require_one_or_all("name", request.name, request.all)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        deleted = await tx.execute("delete_beacons", ctx.organisation_id, request.name)
        await _audit(ctx, tx, "delete", {"name": request.name, "deleted": deleted})
    return DeletedBeacons(deleted=deleted)


async def _audit(ctx: Context, tx: Transaction, act: str, detail: dict[str, Any]) -> None:
    await tx.execute(
        "insert_audit",
        ctx.organisation_id,
        ctx.caller.key,
        f"beacons.{act}",
        "beacon",
        wire.encode(detail),
        ctx.request_id,
    )
