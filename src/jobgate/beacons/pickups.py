"""The next job of a beacon, waited for if need be. Who waits holds no connection and no turn, and is not counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from jobgate.beacons.claims import BeaconClaim, claim_next, welcome
from jobgate.context import Context
from jobgate.waiting import Line


async def pick_up(ctx: Context, name: str, tags: Sequence[str] | None, wait_s: float) -> BeaconClaim | None:
    """The job that has waited longest; None when none became eligible in time, or this process stops."""
    clock = asyncio.get_running_loop().time
    until = clock() + wait_s
    while True:
        async with ctx.db.transaction(ctx.organisation_id) as tx:
            offer = await welcome(tx, ctx.organisation_id, name, tags)
            if offer.is_open:
                claim = await claim_next(tx, ctx.organisation_id, name, offer.skills, ctx.settings)
            else:
                claim = None
        if claim is not None or clock() >= until:
            return claim
        line = Line(ctx.organisation_id, name)
        async with ctx.aside() as gone:
            is_woken = await ctx.room.wait(line, offer.skills if offer.is_open else None, until - clock(), gone)
        if not is_woken:
            return None
