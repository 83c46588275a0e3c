"""Beacons begin to work on what they have picked up."""

from __future__ import annotations

import uuid

from jobgate.beacons.claims import renew
from jobgate.beacons.fields import ClaimToken
from jobgate.beacons.holding import holding
from jobgate.beacons.listing import BeaconJob
from jobgate.context import Context, Request
from jobgate.registry import action


class SetBeaconStart(Request, frozen=True, kw_only=True):
    """The job, and the token of its holder."""

    job_id: uuid.UUID
    claim_token: ClaimToken


@action("set")
async def start_job(ctx: Context, request: SetBeaconStart) -> BeaconJob:
    """Say that the work on a job begins. The first such call of a holder sets the time, each renews the lease."""
    async with holding(ctx, request.job_id) as tx:
        return await renew(tx, ctx.organisation_id, request.job_id, request.claim_token, ctx.settings, starts=True)
