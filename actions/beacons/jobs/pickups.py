"""Beacons come for work."""

from __future__ import annotations

import uuid
from typing import Annotated

from msgspec import Meta

from jobgate.beacons.claims import BeaconClaim, claim_named
from jobgate.beacons.fields import DEFAULT_BEACON, BeaconName, Tags
from jobgate.beacons.pickups import pick_up
from jobgate.context import Context, Request
from jobgate.registry import action


class SetBeaconPickup(Request, frozen=True, kw_only=True):
    """Which job to pick up: this one, or the next eligible one of a beacon."""

    job_id: uuid.UUID | None = None
    beacon_name: BeaconName | None = None
    """Who asks; `default` when neither is given. A name that is not known is registered."""
    tags: Tags | None = None
    """What the box can do; what its beacon is registered with when absent."""
    wait_s: Annotated[float, Meta(ge=0, le=30)] = 0
    """How long to wait for a job to become eligible. A job named by its id is not waited for."""


@action("set")
async def pick_up_job(ctx: Context, request: SetBeaconPickup) -> BeaconClaim | list[BeaconClaim]:
    """Pick up a job: it belongs to the caller until its lease is over. An empty array when nothing is eligible."""
    if request.job_id is not None:
        async with ctx.db.transaction(ctx.organisation_id) as tx:
            return await claim_named(
                tx, ctx.organisation_id, request.job_id, request.beacon_name, request.tags, ctx.settings
            )
    claim = await pick_up(ctx, request.beacon_name or DEFAULT_BEACON, request.tags, request.wait_s)
    return [] if claim is None else claim
