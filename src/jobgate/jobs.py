"""Jobs: submit, claim, renew, finish, fail. The gateway submits, workers do the rest; they meet in these statements.

    submit ──> queued ──claim──> running ──complete──> completed
                 ▲                  │
                 ├── retry, lease ──┤
                 │   lost, release  ├── failed or lost too often, cancelled ──> halted
                 └────────────────────────────── requeue ─────────────────────────┘

Every claim raises the job's fence by one; whatever a worker writes afterwards names the fence of its claim, so a worker
that was presumed dead cannot write any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn, TypeVar, overload

import msgspec
from msgspec.structs import replace

from jobgate import wire
from jobgate.context import Context, JobFacts, LogEntry, as_reply
from jobgate.db import UNAVAILABLE, Database, Queries, Record, Transaction
from jobgate.errors import ApiError, Code

A = TypeVar("A")


class Replayed(Exception):
    """An equal packet was accepted before; `answer` is what it was told."""

    def __init__(self, answer: bytes) -> None:
        super().__init__("replayed")
        self.answer = answer


class Fenced(Exception):
    """Some of these jobs belong to another worker by now: undo everything."""


CANCELLED = {"code": "cancelled", "message": "The job was cancelled."}
"""How a job ends that its consumer stopped."""


class JobStarted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a call that starts a job answers."""

    job_reference: uuid.UUID


# -- submitting ------------------------------------------------------------------------------------------------------


@overload
async def submit(
    ctx: Context, type: str, params: Any, *, entries: int = 1, reference: uuid.UUID | None = None
) -> JobStarted: ...
@overload
async def submit(
    ctx: Context, type: str, params: Any, *, answer: A, entries: int = 1, reference: uuid.UUID | None = None
) -> A: ...
async def submit(
    ctx: Context, type: str, params: Any, *, entries: int = 1, answer: Any = None, reference: uuid.UUID | None = None
) -> Any:
    """Accept the packet and queue its job in one statement; returns `answer` (default: the job's reference).

    `entries` says how much work it is. Raises `Replayed` when an equal packet was accepted before.
    """
    reference = reference or uuid.uuid4()
    answer = JobStarted(job_reference=reference) if answer is None else answer
    if ctx.guard is None:
        await ctx.db.execute(
            "insert_job", reference, ctx.organisation_id, ctx.caller.key, type, wire.encode(params), entries
        )
    else:
        stored = wire.encode(as_reply(answer))
        key = (ctx.caller.key, ctx.guard.digest)
        job = (reference, ctx.organisation_id, type, wire.encode(params), entries)
        try:
            accepted = await ctx.db.fetchval("accept_job", *key, stored, ctx.guard.refuse_repeats, *job)
        except UNAVAILABLE:
            # The commit may have happened before the connection broke: look once, on another connection.
            if not await ctx.db.fetchval("is_accepted", *key, stored):
                raise
        else:
            if accepted is None:
                await _answer_again(ctx)
    ctx.ring()
    return answer


async def accept(ctx: Context, db: Transaction, answer: Any) -> None:
    """Accept the packet inside a transaction that does more than queue one job. Raises like `submit`."""
    if ctx.guard is not None:
        args = (ctx.caller.key, ctx.guard.digest, wire.encode(as_reply(answer)), ctx.guard.refuse_repeats)
        if await db.fetchval("accept", *args) is None:
            await _answer_again(ctx)


async def insert(
    db: Queries,
    *,
    reference: uuid.UUID,
    organisation_id: int,
    consumer_key: str,
    type: str,
    params: Any,
    entries: int = 1,
) -> None:
    """Queue a job that no packet asked for directly, inside the caller's transaction."""
    await db.execute("insert_job", reference, organisation_id, consumer_key, type, wire.encode(params), entries)


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """A job that another job asks for."""

    consumer_key: str
    type: str
    params: Any
    entries: int = 1
    after: uuid.UUID | None = None
    """The reference of a job that must have ended first, however it ends; it may be one of the same call."""
    reference: uuid.UUID = msgspec.field(default_factory=uuid.uuid4)


async def follow_up(db: Transaction, organisation_id: int, asked: Sequence[FollowUp]) -> None:
    """Queue jobs in the transaction of what makes them necessary."""
    if asked:
        await db.execute(
            "insert_follow_ups",
            organisation_id,
            [each.reference for each in asked],
            [each.consumer_key for each in asked],
            [each.type for each in asked],
            [wire.encode(each.params) for each in asked],
            [each.entries for each in asked],
            [each.after for each in asked],
        )


async def replay(ctx: Context) -> None:
    """Raise `Replayed` if this packet is a retry; 409 if it is a repeat, and those are refused."""
    row = await _find_equal(ctx)
    if row is not None and (row["latest"] or (ctx.guard is not None and ctx.guard.refuse_repeats)):
        _tell_again(ctx, row)


async def _answer_again(ctx: Context) -> NoReturn:
    """End a call whose packet was not accepted, because an equal one was before."""
    row = await _find_equal(ctx)
    if row is None:
        # The row that stood in the way has just been swept: the packet is as good as new, and was not accepted.
        raise ApiError(Code.unavailable, "An equal packet is being forgotten; send this one again.")
    _tell_again(ctx, row)


async def _find_equal(ctx: Context) -> Record | None:
    if ctx.guard is None:
        return None
    return await ctx.db.fetchrow("find_replay", ctx.caller.key, ctx.guard.digest)


def _tell_again(ctx: Context, row: Record) -> NoReturn:
    if ctx.guard is not None and ctx.guard.refuse_repeats and not row["latest"]:
        raise ApiError(Code.conflict, "equal signed bytes were accepted before; add any distinguishing key to request")
    raise Replayed(row["answer"])


# -- carrying --------------------------------------------------------------------------------------------------------


ClaimKey = tuple[int, int]
"""The id of a job and the fence of a claim: a worker may hold a job again while its first attempt still ends."""


class Claim(msgspec.Struct, frozen=True):
    """A job that this worker holds until its lease runs out."""

    facts: JobFacts
    fence: int
    params: bytes
    entries: int
    failures: int
    cursor: bytes | None
    waited_s: float
    suspected: bool = False
    """It has lost a worker, and not got ahead since."""

    @property
    def key(self) -> ClaimKey:
        """What tells this claim from every other."""
        return self.facts.id, self.fence


async def claim(
    db: Database,
    types: Sequence[str],
    *,
    owner: uuid.UUID,
    lease_s: float,
    jobs: int,
    entries: int,
    suspects: bool,
) -> list[Claim]:
    """Take due jobs of these types, oldest first: at most `jobs` of them and, beyond the first, `entries` entries."""
    rows = await db.fetch("claim_jobs", types, jobs, entries, suspects, owner, timedelta(seconds=lease_s))
    claims = [
        Claim(
            JobFacts(
                row["id"],
                row["reference"],
                row["organisation_id"],
                row["consumer_key"],
                row["type"],
                row["attempt"],
                row["definition_id"],
            ),
            row["fence"],
            row["params"],
            row["entries"],
            row["failures"],
            row["cursor"],
            row["waited_s"],
            row["losses"] > 0,
        )
        for row in rows
    ]
    return sorted(claims, key=lambda claim: claim.facts.id)


def _keys(claims: Iterable[Claim]) -> tuple[list[int], list[int]]:
    pairs = [(claim.facts.id, claim.fence) for claim in claims]
    return [id for id, _ in pairs], [fence for _, fence in pairs]


async def renew(db: Database, claims: Iterable[Claim], lease_s: float) -> dict[ClaimKey, bool]:
    """Renew leases. The answer has the claims that still hold, and whether somebody asked to cancel their jobs."""
    rows = await db.fetch("renew_leases", *_keys(claims), timedelta(seconds=lease_s))
    return {(row["id"], row["fence"]): row["cancel"] for row in rows}


async def held(db: Database, claims: Sequence[Claim]) -> list[Claim]:
    """Those of the claims that still hold, with the cursor that the last chunk saved."""
    cursors = {row["id"]: row["cursor"] for row in await db.fetch("held_jobs", *_keys(claims))}
    return [replace(claim, cursor=cursors[claim.facts.id]) for claim in claims if claim.facts.id in cursors]


async def complete(
    db: Transaction, claims: Sequence[Claim], results: Sequence[bytes], progress: Sequence[bytes | None]
) -> None:
    """End the jobs well, in the transaction of their effects. Raises `Fenced` if any was lost: roll back."""
    rows = await db.fetch("complete_jobs", *_keys(claims), results, progress)
    if len(rows) != len(claims):
        raise Fenced


async def checkpoint(db: Transaction, claim: Claim, cursor: Any, done: int, total: int) -> bool:
    """Save a long job's cursor and progress with the effects of its chunk; True when it should stop.

    Raises `Fenced` if the job was lost: roll back.
    """
    progress = wire.encode({"done": done, "total": total})
    row = await db.fetchrow("checkpoint_job", claim.facts.id, claim.fence, wire.encode(cursor), progress)
    if row is None:
        raise Fenced
    return bool(row["cancel"])


async def redact(db: Transaction, job_id: int, params: bytes) -> None:
    """Let a job that ends in this transaction keep other parameters than it ran with."""
    await db.execute("redact_job", job_id, params)


async def log(db: Queries, entries: Sequence[tuple[int, LogEntry]]) -> None:
    """Write log entries, each with the id of its job."""
    if entries:
        await db.execute(
            "insert_job_log",
            [id for id, _ in entries],
            [entry.severity for _, entry in entries],
            [entry.message[:1000] for _, entry in entries],
            [None if entry.counters is None else wire.encode(entry.counters) for _, entry in entries],
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """How a failed attempt leaves its job."""

    halted: bool
    failures: int
    delay_s: float


async def fail(
    db: Database,
    claim: Claim,
    *,
    code: str,
    message: str,
    final: bool,
    max_failures: int,
    retry_base_s: float,
    retry_max_s: float,
) -> Failure | None:
    """End a failed attempt: retry later, or halt with `{code, message}`. None: the job was lost meanwhile."""
    async with db.transaction() as tx:
        row = await tx.fetchrow(
            "fail_job",
            claim.facts.id,
            claim.fence,
            final,
            max_failures,
            wire.encode({"code": code, "message": message}),
            timedelta(seconds=retry_base_s),
            timedelta(seconds=retry_max_s),
            wire.encode(CANCELLED),
        )
        if row is None:
            return None
        failure = Failure(row["state"] == "halted", row["failures"], max(0.0, row["delay_s"]))
        then = "halted" if failure.halted else f"again in {failure.delay_s:.0f} s"
        await log(tx, [(claim.facts.id, LogEntry(f"Attempt {claim.facts.attempt}: {message} ({then})", 2))])
    return failure


async def defer(db: Database, claim: Claim, delay_s: float) -> None:
    """Put the job off without counting a failure."""
    await db.execute("defer_job", claim.facts.id, claim.fence, timedelta(seconds=delay_s), wire.encode(CANCELLED))


async def release(db: Database, claims: Iterable[Claim]) -> int:
    """Give claims back so that another worker starts them at once; how many were still held."""
    return await db.execute("release_jobs", *_keys(claims), wire.encode(CANCELLED))


async def end_cancelled(db: Database, claims: Iterable[Claim]) -> int:
    """Halt running jobs whose cancel mark was seen; how many were still held."""
    return len(await db.fetch("cancel_running", *_keys(claims), wire.encode(CANCELLED)))
