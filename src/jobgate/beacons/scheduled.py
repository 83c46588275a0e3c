"""Scheduled jobs: never run themselves. Listed, and switched off and on; what is due meanwhile leaves no trace."""

from __future__ import annotations

import uuid

import msgspec

from jobgate import wire
from jobgate.beacons.listing import unknown_job
from jobgate.context import Reply
from jobgate.db import Transaction
from jobgate.schedule import Schedule, recall
from jobgate.times import show_moment


class ScheduledBeaconJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job that runs again and again."""

    id: uuid.UUID
    name: str
    active: bool
    next_run: str | None
    """Null: it is switched off, or its rule has ended."""
    schedule: Schedule
    """When it runs."""
    zone: str
    """Whose clock that goes by."""


async def find_scheduled(
    db: Transaction, organisation_id: int, before: int, limit: int
) -> Reply[list[ScheduledBeaconJob]]:
    """A page of scheduled jobs, newest first, from `before` on: what the page before answered as `next`."""
    rows = await db.fetch("find_scheduled_jobs", organisation_id, before, limit + 1)
    page = rows[:limit]
    return Reply(
        data=[
            ScheduledBeaconJob(
                id=row["id"],
                name=row["name"],
                active=row["active"],
                next_run=show_moment(row["next_run"]),
                schedule=wire.decode(row["schedule"], Schedule),
                zone=row["zone"],
            )
            for row in page
        ],
        records=len(page),
        next=str(page[-1]["number"]) if len(rows) > limit else None,
    )


async def switch(db: Transaction, organisation_id: int, job_id: uuid.UUID, *, is_active: bool) -> None:
    """Switch a scheduled job on or off; other jobs stay as they are. Raises 20004 for one that is not known."""
    job = await db.fetchrow("lock_beacon_job", organisation_id, job_id)
    if job is None:
        raise unknown_job()
    if job["schedule"] is not None and job["active"] != is_active:
        rule = recall(wire.decode(job["schedule"], Schedule), job["zone"])
        next_run = rule.next_after(job["now"]) if is_active else None
        await db.execute("switch_scheduled_job", organisation_id, job_id, is_active, next_run)
