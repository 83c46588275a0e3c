"""Jobs are made: with their tasks, queued or not, or parked behind one that will do the same.

A job *duplicates* another when owner, beacon, name, needed tags and tasks are equal, both are queued, the other one is
eligible no later than this one, and nobody has picked it up. A duplicate is stored, no beacon ever gets it, and it ends
when and as the other one ends. If the other one is cancelled before somebody picked it up, its first duplicate takes
its place.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from jobgate import wire
from jobgate.beacons.listing import digest
from jobgate.db import Database, Transaction
from jobgate.errors import ApiError, Code
from jobgate.schedule import Rule, Schedule, parse

MAX_JSON_BYTES = 2 * 1024 * 1024
"""Tasks of a job together, and results of a job together: they are answered whole."""


class NewBeaconJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job to be."""

    consumer_key: str
    name: str
    owner: str
    beacon_name: str
    tags: Sequence[str]
    tasks: Sequence[dict[str, Any]]
    queued: bool = False
    q_time: datetime | None = None
    """Queued: not before; None: at once."""
    rule: Rule | None = None
    """It is a scheduled job: when it runs. It is not queued itself."""


async def make_rule(db: Database, schedule: Schedule, zone: str | None) -> Rule:
    """When a scheduled job runs, as it is asked for now; raises 200xx naming the parameter."""
    return parse(schedule, zone, await db.fetchval("read_clock"))


async def add_job(db: Transaction, organisation_id: int, job: NewBeaconJob) -> uuid.UUID:
    """Store a job; its id. Raises 20002 for too much."""
    tasks = [wire.encode(task) for task in job.tasks]
    require_room(tasks, "tasks")
    job_id, tags, likeness, duplicate_of = uuid.uuid4(), sorted(set(job.tags)), None, None
    schedule, zone, next_run = None, None, None
    is_queued = job.queued and job.rule is None
    if job.rule is not None:
        schedule, zone = wire.encode(job.rule.schedule), job.rule.zone
        next_run = job.rule.first_due(await db.fetchval("read_clock"))
    if is_queued:
        alike = [job.owner, job.beacon_name, job.name, tags, job.tasks]
        likeness = digest(alike)
        await db.execute("lock_likeness", organisation_id, likeness)
        duplicate_of = await db.fetchval("find_alike", organisation_id, likeness, job.q_time)
    await db.execute(
        "insert_beacon_job",
        organisation_id,
        job_id,
        job.consumer_key,
        job.name,
        job.owner,
        job.beacon_name,
        tags,
        is_queued,
        job.q_time,
        len(tasks),
        likeness,
        duplicate_of,
        schedule,
        zone,
        next_run,
    )
    await db.execute("insert_beacon_tasks", organisation_id, job_id, tasks)
    return job_id


def require_room(encoded: Sequence[bytes], name: str) -> None:
    """Raise 20002 when these are more than one answer can hold."""
    if sum(map(len, encoded)) > MAX_JSON_BYTES:
        raise ApiError(Code.too_much, f"`{name}` must not have more than {MAX_JSON_BYTES} bytes together")
