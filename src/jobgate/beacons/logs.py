"""What a job says, line by line. Lines are numbered from 0, over all who held the job; none is lost or stored twice."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import msgspec

from jobgate.beacons.claims import renew, require_held
from jobgate.beacons.listing import unknown_job
from jobgate.context import Reply
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.settings import Settings
from jobgate.times import show_moment

MAX_LOG_LINES = 100_000


class BeaconLogHeld(msgspec.Struct, frozen=True, kw_only=True):
    """How far the log has come."""

    length: int
    """Lines that are held: the offset of the next."""
    cancel: bool
    """Somebody wants the job stopped."""
    lease_until: str | None


class BeaconLogLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a log."""

    number: int
    """From 0."""
    time: str | None
    """When it came in."""
    line: str


async def append_lines(
    db: Transaction,
    organisation_id: int,
    job_id: uuid.UUID,
    token: str,
    offset: int,
    lines: Sequence[str],
    settings: Settings,
) -> BeaconLogHeld:
    """Add lines at `offset`, which must be the length that is held: 20011 tells it otherwise, in `meta.length`."""
    job = await require_held(db, organisation_id, job_id, token)
    length: int = job["log_length"]
    if offset != length:
        raise ApiError(Code.conflict, f"`offset` must be {length}: so many lines are held", length=length)
    if length + len(lines) > MAX_LOG_LINES:
        raise ApiError(Code.too_much, f"a log has at most {MAX_LOG_LINES} lines", length=length)
    await db.execute("insert_beacon_lines", organisation_id, job_id, length, lines)
    await db.execute("count_beacon_lines", organisation_id, job_id, length + len(lines))
    renewed = await renew(db, organisation_id, job_id, token, settings)
    return BeaconLogHeld(length=renewed.log_length, cancel=renewed.cancel, lease_until=renewed.lease_until)


async def find_lines(
    db: Transaction, organisation_id: int, job_id: uuid.UUID, first: int, limit: int
) -> Reply[list[BeaconLogLine]]:
    """Lines of a log from `first` on, in order. Raises 20004 when there is no such job."""
    rows = await db.fetch("find_beacon_lines", organisation_id, job_id, first, limit + 1)
    if not rows and not await db.fetchval("has_beacon_job", organisation_id, job_id):
        raise unknown_job()
    page = [BeaconLogLine(number=row["number"], time=show_moment(row["at"]), line=row["line"]) for row in rows[:limit]]
    return Reply(data=page, records=len(page), next=str(rows[limit]["number"]) if len(rows) > limit else None)
