"""What sweepers do for beacons: jobs of silent ones are eligible again. Row locks, so any number of sweepers may."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from jobgate import log
from jobgate.beacons.claims import finish, halt_cancelled
from jobgate.beacons.listing import BeaconFailure
from jobgate.db import Database
from jobgate.settings import Settings

logger = logging.getLogger("jobgate")

BATCH = 100

LOST = BeaconFailure(code="lost", message="The job lost its beacon too often; it may be what kills them.")


async def reap(db: Database, settings: Settings) -> bool:
    """Take jobs from beacons whose lease is over; True when there may be more than one batch."""
    lease = timedelta(seconds=settings.beacon_lease_s)
    due = await db.fetch("find_due_watches", BATCH, lease)
    for watch in due:
        await _reap_one(db, settings, watch["organisation_id"], watch["job_id"])
    return len(due) == BATCH


async def _reap_one(db: Database, settings: Settings, organisation_id: int, job_id: uuid.UUID) -> None:
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
