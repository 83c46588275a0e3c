"""What sweepers do for beacons: jobs of silent ones are eligible again, schedules tick, old jobs go. Any number may."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from jobgate import log
from jobgate.beacons.claims import finish, halt_cancelled
from jobgate.beacons.forgetting import forget
from jobgate.beacons.listing import BeaconFailure
from jobgate.beacons.ticking import tick
from jobgate.db import Database
from jobgate.settings import Settings

logger = logging.getLogger("jobgate")

BATCH = 200
"""Jobs that one call looks at."""

LOST = BeaconFailure(code="lost", message="The job lost its beacon too often; it may be what kills them.")


async def sweep(db: Database, settings: Settings) -> bool:
    """Look at what is due; True when there may be more to do. Row locks keep two sweepers apart."""
    lapsed = await db.fetch("find_lapsed_leases", BATCH, timedelta(seconds=settings.beacon_lease_s))
    for lease in lapsed:
        await _reap(db, settings, lease["organisation_id"], lease["job_id"])
    ticked = await tick(db, settings)
    return await forget(db, settings) or ticked or len(lapsed) == BATCH


async def _reap(db: Database, settings: Settings, organisation_id: int, job_id: uuid.UUID) -> None:
    """Take a job from a beacon whose lease is over, unless that has been done."""
    async with db.transaction(organisation_id) as tx:
        job = await tx.fetchrow("lock_lost_job", organisation_id, job_id)
        if job is None:
            return
        if job["cancel"]:
            state = "halted"
            await halt_cancelled(tx, organisation_id, job_id, None)
        elif job["losses"] + 1 >= settings.max_losses:
            state = "halted"
            held = await tx.fetch("find_beacon_results", organisation_id, job_id)
            await finish(tx, organisation_id, job_id, [row["result"] for row in held], LOST, None)
        else:
            state = "queued"
            await tx.execute("return_beacon_job", organisation_id, job_id, None, 0, 1, None)
    log.event(logger, "beacon.lost", logging.WARNING, job=str(job_id), beacon=job["beacon_name"], state=state)
