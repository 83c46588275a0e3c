"""Jobs as their consumer sees them: records to read, and a state to ask for.

A consumer sees the jobs that it caused and no others; a reference of somebody else's job is as good as no reference.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from jobgate import wire
from jobgate.context import Context
from jobgate.db import Database
from jobgate.errors import ApiError, Code
from jobgate.jobs import CANCELLED
from jobgate.times import show_job_moment

JobState = Literal["queued", "running", "halted", "completed"]

LOG_ENTRIES = 100
"""How many log entries of a job its record shows at most: the newest."""

DETAILS_AT_ONCE = 10
"""Jobs whose details are fetched together."""


class JobError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a job was halted."""

    code: Literal["failed", "lost", "cancelled", "timeout"]
    message: str


class JobProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a job has come."""

    done: int
    total: int


class JobLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a job said."""

    time: str
    severity: int
    """0 information, 1 warning, 2 error."""
    message: str
    counters: dict[str, int] | None


class JobData(msgspec.Struct, frozen=True, kw_only=True):
    """What a job was asked to do, and what came of it."""

    request: Raw
    """The parameters as they were accepted."""
    counters: dict[str, int]
    """The sums of what its log entries counted."""
    log: list[JobLogEntry]
    """The newest log entries, in the order in which they were written."""


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A job, as far as its properties were asked for."""

    reference: uuid.UUID | UnsetType = UNSET
    type: str | UnsetType = UNSET
    status: JobState | UnsetType = UNSET
    dt_created: str | UnsetType = UNSET
    dt_completed: str | UnsetType | None = UNSET
    """When it was completed or halted."""
    data: JobData | UnsetType = UNSET
    results: Raw | UnsetType | None = UNSET
    """One object per entry, in the order of the request; null until the job is completed."""
    error: JobError | UnsetType | None = UNSET
    progress: JobProgress | UnsetType = UNSET


PROPERTIES = frozenset(JobRecord.__struct_fields__)
"""What a record can have."""

STANDARD = frozenset({"reference", "type", "status", "dt_created", "dt_completed"})
"""What it has unless something else is asked for."""


async def find(
    db: Database,
    consumer_key: str,
    *,
    properties: Collection[str],
    limit: int,
    references: Iterable[str] | None,
    states: Sequence[JobState] | None,
    organisation_id: int | None,
    earliest: datetime | None,
    latest: datetime | None,
    max_bytes: int,
) -> list[JobRecord]:
    """A consumer's jobs, newest first. Without `references` there must be `states`.

    Times compare as they are shown, in whole seconds: `latest` includes all of its second. Raises 20027 when what the
    jobs were asked to do is longer than `max_bytes`.
    """
    if latest is not None and latest.microsecond == 0:
        latest += timedelta(microseconds=999_999)
    distinct = None if states is None else list(dict.fromkeys(states))
    filters = (distinct, organisation_id, earliest, latest, limit, "results" in properties)
    if references is None:
        rows = await db.fetch("find_jobs", consumer_key, *filters)
    else:
        wanted = read_references(references)
        rows = await db.fetch("find_jobs_by_reference", consumer_key, wanted, *filters)
        if len(rows) < min(limit, len(set(wanted))):
            rows = await db.fetch("find_all_jobs_by_reference", consumer_key, wanted, *filters)
    ids = [row["id"] for row in rows]
    data = await _read_data(db, consumer_key, ids, max_bytes) if "data" in properties else {}
    return [_show(row, properties, data) for row in rows]


def read_references(texts: Iterable[str]) -> list[uuid.UUID]:
    """Those of the texts that can be a job's reference."""
    references = []
    for text in texts:
        try:
            references.append(msgspec.convert(text, uuid.UUID))
        except msgspec.ValidationError:
            continue  # nobody has such a job
    return references


async def _read_data(db: Database, consumer_key: str, ids: Sequence[int], max_bytes: int) -> dict[int, JobData]:
    """A few jobs at a time: each may be as large as a packet, and a thousand of them would fill the memory."""
    data: dict[int, JobData] = {}
    size = 0
    for start in range(0, len(ids), DETAILS_AT_ONCE):
        for row in await db.fetch("job_details", consumer_key, ids[start : start + DETAILS_AT_ONCE], LOG_ENTRIES):
            size += len(row["params"])
            if size > max_bytes:
                raise ApiError(Code.answer_too_large, "the answer would be too large; ask for less")
            data[row["id"]] = JobData(
                request=Raw(row["params"]),
                counters=wire.decode(row["counters"], dict[str, int]),
                log=wire.decode(row["log"], list[JobLogEntry]),
            )
    return data


def _show(row: Any, properties: Collection[str], data: dict[int, JobData]) -> JobRecord:
    return JobRecord(
        reference=row["reference"] if "reference" in properties else UNSET,
        type=row["type"] if "type" in properties else UNSET,
        status=row["state"] if "status" in properties else UNSET,
        dt_created=show_job_moment(row["created_at"]) or "" if "dt_created" in properties else UNSET,
        dt_completed=show_job_moment(row["completed_at"]) if "dt_completed" in properties else UNSET,
        data=data.get(row["id"], UNSET),
        results=_show_results(row["results"]) if "results" in properties else UNSET,
        error=_show_error(row["error"]) if "error" in properties else UNSET,
        progress=_show_progress(row) if "progress" in properties else UNSET,
    )


def _show_results(stored: bytes | None) -> Raw | None:
    return None if stored is None else Raw(stored)


def _show_error(stored: bytes | None) -> JobError | None:
    return None if stored is None else wire.decode(stored, JobError)


def _show_progress(row: Any) -> JobProgress:
    """A job that does everything in one transaction has done all or nothing."""
    if row["progress"] is not None:
        return wire.decode(row["progress"], JobProgress)
    entries: int = row["entries"]
    return JobProgress(done=entries if row["state"] == "completed" else 0, total=entries)


# -- steering --------------------------------------------------------------------------------------------------------


class SteeredJob(msgspec.Struct, frozen=True, kw_only=True):
    """How a job took what it was told."""

    reference: str
    status: Literal["ok", "error"] = "ok"
    code: int | UnsetType = UNSET
    message: str | UnsetType = UNSET
    state: JobState | UnsetType = UNSET
    """The state of the job now; a running job that is being cancelled ends a little later."""


async def steer(
    ctx: Context, references: Sequence[str], state: Literal["halted", "queued"], organisations: Collection[int]
) -> list[SteeredJob]:
    """Cancel a consumer's jobs, or queue its halted ones again; one answer per reference, in order."""
    known = read_references(references)
    whose = (ctx.caller.key, known, list(organisations))
    async with ctx.db.transaction() as tx:
        if state == "halted":
            changed = await tx.fetch("cancel_jobs", *whose, wire.encode(CANCELLED))
        else:
            changed = await tx.fetch("requeue_jobs", *whose)
            # In this order none is missed that is being archived: the first statement waits until it has moved.
            if restored := await tx.fetch("restore_jobs", *whose):
                back = [row["reference"] for row in restored]
                changed += await tx.fetch("requeue_jobs", ctx.caller.key, back, list(organisations))
        rows = await tx.fetch("job_states", *whose)
        references_changed = [row["reference"] for row in changed]
        detail = wire.encode({"asked": len(references), "found": len(rows), "changed": references_changed})
        who, act = ctx.caller.key, f"jobs.{state}"
        await tx.execute("insert_audit", ctx.organisation_id, who, act, "jobs", detail, ctx.request_id)
    if state == "queued" and changed:
        ctx.ring()
    found = {row["reference"]: row for row in rows}
    return [_tell(text, _find(text, found), state) for text in references]


def _find(text: str, found: dict[uuid.UUID, Any]) -> Any:
    read = read_references([text])
    return found.get(read[0]) if read else None


def _tell(reference: str, row: Any, wanted: str) -> SteeredJob:
    if row is None:
        return _refuse(reference, Code.unsupported_value, "unknown job")
    state = row["state"]
    if state == "completed":
        return _refuse(reference, Code.conflict, "the job is completed", state)
    if wanted == "queued" and row["cancel"]:
        return _refuse(reference, Code.conflict, "the job is being cancelled; queue it again once it is halted", state)
    return SteeredJob(reference=reference, state=state)


def _refuse(reference: str, code: Code, message: str, state: JobState | UnsetType = UNSET) -> SteeredJob:
    return SteeredJob(reference=reference, status="error", code=code.number, message=message, state=state)
