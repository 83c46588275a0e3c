"""Scheduled jobs: never run themselves; each tick of their rule makes a job, once.

A run is skipped while an earlier one has not ended. After a standstill the latest tick of the last hour is run, the
others are recorded as missed; those of a job that was switched off leave no trace.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

import msgspec

from jobgate import log, wire
from jobgate.beacons.listing import unknown_job
from jobgate.context import Reply
from jobgate.db import Record, Transaction
from jobgate.errors import ApiError
from jobgate.schedule import Rule, Schedule, recall
from jobgate.times import show_moment

logger = logging.getLogger("jobgate")

CATCH_UP = timedelta(hours=1)
"""A tick that is later than this is not run any more."""

MAX_TICKS = 1000
"""Ticks that are recorded at once; the next sweep goes on."""


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
        next_run = _rule(job).next_after(job["now"]) if is_active else None
        await db.execute("switch_scheduled_job", organisation_id, job_id, is_active, next_run)


async def tick(db: Transaction, organisation_id: int, job_id: uuid.UUID) -> bool:
    """Do what the schedule is due for; True when there is more to do."""
    job = await db.fetchrow("lock_due_job", organisation_id, job_id)
    if job is None:
        return False
    now = job["now"]
    try:
        rule = _rule(job)
    except (ApiError, wire.Undecodable) as error:
        log.failure(logger, "definition.unreadable", error, definition=job_id)
        await db.execute("set_next_run", organisation_id, job_id, None)
        return False
    due = [job["next_run"], *rule.between(job["next_run"], now, MAX_TICKS - 1)]
    next_run = rule.next_after(due[-1])
    is_more = next_run is not None and next_run <= now
    outcomes = ["missed"] * len(due)
    if not is_more and now - due[-1] <= CATCH_UP:
        outcomes[-1] = "skipped" if job["is_running"] else "started"
    new: set[datetime] = {
        row["due_at"] for row in await db.fetch("insert_beacon_ticks", organisation_id, job_id, due, outcomes)
    }
    if outcomes[-1] == "started" and due[-1] in new:
        await db.execute("insert_scheduled_run", organisation_id, job_id, due[-1])
    await db.execute("set_next_run", organisation_id, job_id, next_run)
    await db.execute("delete_old_ticks", organisation_id, job_id)
    return is_more


def _rule(job: Record) -> Rule:
    return recall(wire.decode(job["schedule"], Schedule), job["zone"])
