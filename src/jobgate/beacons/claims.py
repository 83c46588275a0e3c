"""Who holds a job: pick up, start, renew, end, cancel.

A claim token is the fence of the claim and 128 random bits. Whatever the holder says names it; a token whose lease is
over, or after which somebody else picked the job up, is refused, so a beacon that was presumed dead changes nothing.
Saying the same twice changes nothing more.

Statements lock the job before the beacon that is seen; only the pick-up of *any* job goes the other way round, and it
passes locked jobs over.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Raw

from jobgate import wire
from jobgate.beacons.boxes import meet_beacon
from jobgate.beacons.creation import require_room
from jobgate.beacons.fields import Result
from jobgate.beacons.listing import (
    BeaconFailure,
    BeaconJob,
    JsonObject,
    digest,
    read_job,
    unknown_job,
)
from jobgate.beacons.results import index_results, merge_results
from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code
from jobgate.settings import Settings

CANCELLED = BeaconFailure(code="cancelled", message="The job was cancelled.")


class HeldResult(msgspec.Struct, frozen=True, kw_only=True):
    """A result that an earlier holder of the job has left: its task is done."""

    task_index: int
    result: JsonObject


class BeaconClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A job that was picked up."""

    job: BeaconJob
    tasks: list[JsonObject]
    """What there is to do, in order."""
    held: list[HeldResult]
    """Results that were kept before: these tasks need not be done again."""
    claim_token: str
    """What every further call about the job must name."""
    lease_until: str | None
    """Until then the job is the caller's; every call that names the token prolongs it."""
    lease_s: float
    """By so many seconds: counted from such a call on, no clock needs to be right."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A beacon that asks for work: what it may be given."""

    is_open: bool
    """False: it is paused."""
    skills: frozenset[str]


class Stale(Exception):
    """A call named a token that does not hold the job; `refusal` is what it hears."""

    def __init__(self, message: str, refusal: ApiError | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal or ApiError(Code.conflict, message)


# -- picking up ------------------------------------------------------------------------------------------------------


async def welcome(db: Transaction, organisation_id: int, name: str, tags: Sequence[str] | None) -> Offer:
    """A beacon asks for work, and is registered if it is not known. Raises 20011 for one that drains."""
    beacon = await meet_beacon(db, organisation_id, name, tags)
    if beacon["state"] == "draining":
        raise ApiError(Code.conflict, "the beacon drains: end what is held, and stop", draining=True)
    skills = frozenset(beacon["tags"] if tags is None else tags)
    return Offer(is_open=beacon["state"] == "active", skills=skills)


async def claim_next(
    db: Transaction, organisation_id: int, name: str, skills: frozenset[str], settings: Settings
) -> BeaconClaim | None:
    """Pick up the job of this beacon that has waited longest; None when none is eligible."""
    secret, lease = secrets.token_bytes(16), timedelta(seconds=settings.beacon_lease_s)
    claimed = await db.fetchrow("claim_beacon_job", organisation_id, name, sorted(skills), _digest(secret), lease)
    return None if claimed is None else await _hand_over(db, organisation_id, claimed, secret, lease)


async def claim_named(
    db: Transaction,
    organisation_id: int,
    job_id: uuid.UUID,
    name: str | None,
    tags: Sequence[str] | None,
    settings: Settings,
) -> BeaconClaim:
    """Pick up this job, queued or not. Raises 20004 for one that is not known, 20011 when it cannot be had."""
    job = await db.fetchrow("lock_beacon_job", organisation_id, job_id)
    if job is None:
        raise unknown_job()
    if name is not None and name != job["beacon_name"]:
        raise ApiError(Code.conflict, "the job is for another beacon")
    offer = await welcome(db, organisation_id, job["beacon_name"], tags)
    trouble = _what_forbids(job, offer)
    if trouble is not None:
        raise ApiError(Code.conflict, trouble)
    secret, lease = secrets.token_bytes(16), timedelta(seconds=settings.beacon_lease_s)
    taken = await db.fetchrow("take_beacon_job", organisation_id, job_id, _digest(secret), lease)
    assert taken is not None  # it is locked
    return await _hand_over(db, organisation_id, taken, secret, lease)


def _what_forbids(job: Record, offer: Offer) -> str | None:
    if job["schedule"] is not None:
        return "a scheduled job is not picked up itself: its runs are"
    if job["end_time"] is not None:
        return "the job has ended"
    if job["duplicate_of"] is not None:
        return "the job duplicates another one, and ends with it"
    if job["pickup_time"] is not None:
        return "the job is held by another beacon"
    if job["is_early"]:
        return "the job is not eligible yet"
    if not offer.is_open:
        return "the beacon is paused"
    return None if offer.skills.issuperset(job["tags"]) else "the job needs tags that the beacon does not have"


async def _hand_over(
    db: Transaction, organisation_id: int, claimed: Record, secret: bytes, lease: timedelta
) -> BeaconClaim:
    rows = await db.fetch("find_beacon_tasks", organisation_id, claimed["id"])
    job = await read_job(db, organisation_id, claimed["id"])
    return BeaconClaim(
        job=job,
        tasks=[Raw(row["task"]) for row in rows],
        held=[
            HeldResult(task_index=row["position"], result=Raw(row["result"]))
            for row in rows
            if row["result"] is not None
        ],
        claim_token=f"{claimed['fence']}.{secret.hex()}",
        lease_until=job.lease_until,
        lease_s=lease.total_seconds(),
    )


# -- holding ---------------------------------------------------------------------------------------------------------


async def renew(
    db: Transaction,
    organisation_id: int,
    job_id: uuid.UUID,
    token: str,
    settings: Settings,
    *,
    starts: bool = False,
    cur_task: int | None = None,
    results: Sequence[Result] = (),
) -> BeaconJob:
    """A sign of life of the holder: it starts, goes on to another task, leaves results of single tasks.

    Raises `Stale`, 20004 for a task that there is not, 20002 for too much.
    """
    job = await require_held(db, organisation_id, job_id, token)
    total = job["total_tasks"]
    if cur_task is not None and cur_task > total:
        raise ApiError(Code.unsupported_value, f"`curtask` must be an integer from 0 to {total}")
    if results:
        indexed = index_results(results, total)
        if indexed is None:
            raise ApiError(Code.missing_parameter, "every `result` must have `task_index` until the job is ended")
        held = await _held_results(db, organisation_id, job_id)
        require_room(merge_results(held, results, indexed), "result")
        await db.execute("keep_beacon_results", organisation_id, job_id, list(indexed), list(indexed.values()))
    lease = timedelta(seconds=settings.beacon_lease_s)
    await db.execute("renew_beacon_job", organisation_id, job_id, lease, starts, cur_task)
    await db.execute("see_beacon", organisation_id, job["beacon_name"])
    return await read_job(db, organisation_id, job_id)


async def require_held(db: Transaction, organisation_id: int, job_id: uuid.UUID, token: str) -> Record:
    """The job, locked, if this token holds it. Raises `Stale`."""
    job = await _lock_claimed(db, organisation_id, job_id, token)
    _require_lease(job)
    return job


async def _lock_claimed(db: Transaction, organisation_id: int, job_id: uuid.UUID, token: str) -> Record:
    """The job, locked, if this is the token of its last claim. Raises `Stale`."""
    job = await db.fetchrow("lock_beacon_job", organisation_id, job_id)
    if job is None:
        # It may be that of another organisation, whose job is as good as none.
        raise Stale("the organisation has no such job", unknown_job())
    fence, _, secret = token.partition(".")
    try:
        shown = _digest(bytes.fromhex(secret))
    except ValueError:
        raise Stale("`claim_token` is no token of this job") from None
    if fence != str(job["fence"]) or job["token"] is None or not secrets.compare_digest(shown, job["token"]):
        raise Stale("`claim_token` does not hold the job: it was picked up again since, or never by this token")
    return job


def _require_lease(job: Record) -> None:
    if job["end_time"] is not None:
        raise Stale("the job has ended")
    if job["pickup_time"] is None:
        raise Stale("the job is not held any more: it was given back")
    if job["is_lapsed"]:
        raise Stale("the lease is over: the job belongs to whoever picks it up next")


# -- ending ----------------------------------------------------------------------------------------------------------


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How the holder lets go of a job: well, with a failure, or by giving it back."""

    results: Sequence[Result] = ()
    failure: BeaconFailure | None = None
    retry_after_s: float | None = None
    """With a failure: another try after so long."""
    gives_back: bool = False
    """Nothing went wrong: another beacon may have it at once, and it counts as nothing."""


async def end(
    db: Transaction, organisation_id: int, job_id: uuid.UUID, token: str, ending: Ending, settings: Settings
) -> BeaconJob:
    """End a job, or queue it again. The same token may say the same again; anything else is `Stale`."""
    job = await _lock_claimed(db, organisation_id, job_id, token)
    indexed = index_results(ending.results, job["total_tasks"])
    held = await _held_results(db, organisation_id, job_id)
    results = merge_results(held, ending.results, indexed)
    require_room(results, "result")
    said = digest([_read(results), ending.failure, ending.retry_after_s, ending.gives_back])
    if job["end_digest"] is not None:
        if secrets.compare_digest(job["end_digest"], said):
            return await read_job(db, organisation_id, job_id)
        raise Stale("the job was ended with another result")
    _require_lease(job)
    if indexed:
        await db.execute("keep_beacon_results", organisation_id, job_id, list(indexed), list(indexed.values()))
    may_go_on = not job["cancel"]
    if ending.gives_back and may_go_on:
        await db.execute("return_beacon_job", organisation_id, job_id, timedelta(), 0, 0, said)
    elif ending.retry_after_s is not None and may_go_on and job["failures"] + 1 < settings.max_failures:
        later = timedelta(seconds=ending.retry_after_s)
        await db.execute("return_beacon_job", organisation_id, job_id, later, 1, 0, said)
    elif job["cancel"] and (ending.gives_back or ending.failure is not None):
        await halt_cancelled(db, organisation_id, job_id, said)
    else:
        await finish(db, organisation_id, job_id, results, ending.failure, said)
    await db.execute("see_beacon", organisation_id, job["beacon_name"])
    return await read_job(db, organisation_id, job_id)


async def finish(
    db: Transaction,
    organisation_id: int,
    job_id: uuid.UUID,
    results: Sequence[bytes],
    error: BeaconFailure | None,
    said: bytes | None,
) -> None:
    """The job has ended, and its duplicates with it."""
    encoded = b"[" + b",".join(results) + b"]"
    told = None if error is None else wire.encode(error)
    await db.execute("end_beacon_job", organisation_id, job_id, encoded, digest(_read(results)), told, said)


async def halt_cancelled(db: Transaction, organisation_id: int, job_id: uuid.UUID, said: bytes | None) -> None:
    """The job ends as cancelled; those that did not want to do the same go on without it."""
    await db.execute("halt_beacon_job", organisation_id, job_id, wire.encode(CANCELLED), said)
    await db.execute("promote_duplicate", organisation_id, job_id)


async def cancel(db: Transaction, organisation_id: int, job_id: uuid.UUID) -> None:
    """End a job that nobody holds; mark one that is held. One that has ended, or is scheduled, stays as it is."""
    job = await db.fetchrow("lock_beacon_job", organisation_id, job_id)
    if job is None:
        raise unknown_job()
    if job["end_time"] is not None or job["schedule"] is not None:
        return
    if job["pickup_time"] is not None:
        await db.execute("mark_beacon_job", organisation_id, job_id)
    else:
        await halt_cancelled(db, organisation_id, job_id, None)


async def _held_results(db: Transaction, organisation_id: int, job_id: uuid.UUID) -> dict[int, bytes]:
    rows = await db.fetch("find_beacon_results", organisation_id, job_id)
    return {row["position"]: row["result"] for row in rows}


def _read(results: Sequence[bytes]) -> list[Any]:
    return [wire.decode(result, Any) for result in results]


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
