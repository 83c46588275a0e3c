"""Jobs as callers see them: the source's properties, and filters over them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from jobgate import wire
from jobgate.context import Reply
from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code
from jobgate.times import show_moment

BeaconJobStatus = Literal[
    "scheduled", "created", "waiting", "eligible", "parked", "picked_up", "running", "completed", "halted"
]
JsonObjects = Annotated[Raw, Meta(extra_json_schema={"type": ["array", "null"], "items": {"type": "object"}})]
JsonObject = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]

FILTERS = (
    "beacon_name",
    "user",
    "name",
    "cur_task",
    "total_tasks",
    "add_time",
    "q_time",
    "pickup_time",
    "start_time",
    "result",
    "duplicate_of",
)
"""Properties that a list can be narrowed by, in the order of the statement's parameters."""

PAGE_BYTES = 1024 * 1024
"""Results that a page has room for: what its last job brings comes on top."""

_NULL = Raw(b"null")


class BeaconFailure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job ended badly."""

    code: Literal["failed", "lost", "cancelled"]
    message: str
    kind: str | None = None
    """What the beacon called it."""


class BeaconJob(msgspec.Struct, frozen=True, kw_only=True):
    """A job for a beacon."""

    id: uuid.UUID
    status: BeaconJobStatus
    """What its times say: created is not queued, waiting is queued for later, parked duplicates another one."""
    name: str
    user: str
    """Whose it is."""
    beacon_name: str
    tags: list[str]
    """What a beacon must be able to do to get it."""
    cur_task: int
    """The task that is in work, from 1; 0 before the first."""
    total_tasks: int
    add_time: str | None
    q_time: str | None
    """Eligible from then on; null: not queued."""
    pickup_time: str | None
    start_time: str | None
    end_time: str | None
    result: JsonObjects
    """What the tasks gave, in order; null until it has ended."""
    error: BeaconFailure | None
    duplicate_of: uuid.UUID | None
    cancel: bool
    """Somebody wants it stopped: its holder should end it."""
    attempt: int
    """How often it was picked up."""
    lease_until: str | None
    """Until then it belongs to whoever picked it up."""
    log_length: int
    """Lines of its log."""
    scheduled_id: uuid.UUID | None
    """The scheduled job that it is a run of."""
    due_at: str | None
    """When that run was due."""


async def find_jobs(
    db: Transaction,
    organisation_id: int,
    filters: Mapping[str, Any],
    *,
    job_id: uuid.UUID | None,
    statuses: Sequence[BeaconJobStatus] | None,
    before: int,
    limit: int,
) -> Reply[list[BeaconJob]]:
    """A page of jobs, newest first, that fit all `filters`: None matches what is not set. Or that one, if it fits."""
    newest, oldest = before, 0
    if job_id is not None:
        job = await db.fetchrow("read_beacon_job", organisation_id, job_id)
        if job is None:
            return Reply(data=[], records=0)
        newest, oldest = min(newest, job["number"] + 1), job["number"]
    values = [filters.get(name) for name in FILTERS]
    place = (newest, oldest, limit + 1, PAGE_BYTES)
    rows = await db.fetch("find_beacon_jobs", organisation_id, list(filters), *values, statuses, *place)
    page = rows[:limit]
    # Fewer rows than asked for may be all that there are, or all that the page has room for.
    is_more = len(rows) > limit or sum(len(row["result"] or b"") for row in page) >= PAGE_BYTES
    return Reply(
        data=[_show(row) for row in page], records=len(page), next=str(page[-1]["number"]) if page and is_more else None
    )


async def read_job(db: Transaction, organisation_id: int, job_id: uuid.UUID) -> BeaconJob:
    """The job of this id. Raises 20004."""
    job = await db.fetchrow("read_beacon_job", organisation_id, job_id)
    if job is None:
        raise unknown_job()
    return _show(job)


async def find_tasks(db: Transaction, organisation_id: int, job_id: uuid.UUID) -> list[JsonObject]:
    """The tasks of a job, in order."""
    return [Raw(row["task"]) for row in await db.fetch("find_beacon_tasks", organisation_id, job_id)]


def unknown_job() -> ApiError:
    """What a call hears that names a job which the organisation does not have."""
    return ApiError(Code.unsupported_value, "the job is not known")


def digest(value: Any) -> bytes:
    """Equal for equal JSON, whatever the order of its names."""
    return hashlib.sha256(wire.encode_canonically(value)).digest()


def _show(row: Record) -> BeaconJob:
    return BeaconJob(
        id=row["id"],
        status=row["status"],
        name=row["name"],
        user=row["owner"],
        beacon_name=row["beacon_name"],
        tags=row["tags"],
        cur_task=row["cur_task"],
        total_tasks=row["total_tasks"],
        add_time=show_moment(row["add_time"]),
        q_time=show_moment(row["q_time"]),
        pickup_time=show_moment(row["pickup_time"]),
        start_time=show_moment(row["start_time"]),
        end_time=show_moment(row["end_time"]),
        result=_NULL if row["result"] is None else Raw(row["result"]),
        error=None if row["error"] is None else wire.decode(row["error"], BeaconFailure),
        duplicate_of=row["duplicate_of"],
        cancel=row["cancel"],
        attempt=row["fence"],
        lease_until=show_moment(row["lease_until"]),
        log_length=row["log_length"],
        scheduled_id=row["scheduled_id"],
        due_at=show_moment(row["due_at"]),
    )
