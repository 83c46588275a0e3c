"""What a handler and a task are given."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

from jobgate.db import Database, Transaction
from jobgate.keys import OuterKey
from jobgate.outbound import Client
from jobgate.scoring.maths.evaluator import Evaluator
from jobgate.settings import Settings
from jobgate.waiting import WaitingRoom

T = TypeVar("T")
P = TypeVar("P")

Severity = Literal[0, 1, 2]
INFORMATION: Severity = 0
WARNING: Severity = 1
ERROR: Severity = 2


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What every action takes; an action's request type extends it."""

    organisation_id: int | None = None
    """The organisation to act in; the consumer's home when absent."""


class Reply(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """An answer with more than data: how many records the page has, and where the next page begins."""

    data: T
    records: int | None = None
    next: str | None = None


def as_reply(answer: Any) -> Reply[Any]:
    """A handler may answer with bare data; a list counts its records."""
    if isinstance(answer, Reply):
        return answer
    return Reply(data=answer, records=len(answer) if isinstance(answer, list | tuple) else None)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer as its packets are judged: what it may do, and the secrets that speak for it."""

    key: str
    organisation_id: int | None
    """Home; None: belongs to none."""
    organisations: frozenset[int]
    domains: frozenset[str]
    endpoints: frozenset[str] | None
    """The endpoints that it may call; None: all."""
    rates: Mapping[str, int]
    """Calls per five seconds that differ from the published table, by "action endpoint"."""
    unlimited: bool
    minimum_version: str | None
    active: bool
    secrets: tuple[str, ...]
    """Live secrets, oldest first."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A packet that must have its effect once: `digest` stands for its bytes (`design`: equal signed bytes)."""

    digest: bytes
    refuse_repeats: bool


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One call, judged and decoded: who calls, in which organisation, when, and the way to Postgres."""

    db: Database
    settings: Settings
    key: OuterKey
    caller: Caller
    organisation_id: int
    endpoint: str
    version: str
    """The version segment as it was sent."""
    now: datetime
    request_id: str
    guard: Guard | None
    ring: Callable[[], None]
    """Tell the workers, after commit, that there is work."""
    maths: Evaluator
    """Judges what learners typed as mathematics."""
    param_types: Mapping[str, Any]
    """Job types, and what the task of each takes."""
    user_id: str | None
    """Whom the packet was signed for."""
    room: WaitingRoom
    """Where calls wait for something to happen."""
    aside: Callable[[], AbstractAsyncContextManager[asyncio.Future[None]]]
    """Step aside while waiting: the call counts for nothing meanwhile, and learns when its client has gone."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a job says: 0 information, 1 warning, 2 error; counters are numbers worth adding up."""

    message: str
    severity: Severity = INFORMATION
    counters: Mapping[str, int] | None = None


class JobFacts(msgspec.Struct, frozen=True):
    """What every attempt knows about its job."""

    id: int
    """Grows in the order of acceptance: the newer job has the larger id."""
    reference: uuid.UUID
    organisation_id: int
    consumer_key: str
    type: str
    attempt: int
    definition_id: uuid.UUID | None = None
    """The saved job that this is a run of."""


@dataclass(slots=True)
class BatchJob(Generic[P]):
    """One job of a batch. A job that the task does not `finish` completes without results."""

    facts: JobFacts
    params: P
    results: list[Any] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)

    def finish(self, results: list[Any], *log: LogEntry) -> None:
        """Say how each entry ended, in request order, and what is worth a log entry."""
        self.results = results
        self.log = list(log)


@dataclass(frozen=True, slots=True)
class Batch(Generic[P]):
    """What a *set task* gets: jobs of one organisation, oldest first, and the transaction that they share.

    Effects, results and final states commit together or not at all. The batch may run again after a failure, whole or
    in halves, so nothing but the transaction may be touched.
    """

    organisation_id: int
    db: Transaction
    jobs: list[BatchJob[P]]
    maths: Evaluator
    """Judges what learners typed as mathematics."""


@dataclass(slots=True)
class Chunk:
    """One step of a long job: effects through `db`, then `save` or `finish`; all commit together under the fence."""

    db: Transaction
    cursor: Any = None
    done: int = 0
    total: int = 0
    log: list[LogEntry] = field(default_factory=list)
    results: list[Any] | None = None

    def save(self, cursor: Any, *, done: int, total: int) -> None:
        """Where the job goes on if it dies now, and how far it has come."""
        self.cursor, self.done, self.total = cursor, done, total

    def say(self, message: str, severity: Severity = INFORMATION, **counters: int) -> None:
        """Add a log entry; it is as durable as this chunk."""
        self.log.append(LogEntry(message, severity, counters or None))

    def finish(self, results: list[Any]) -> None:
        """The job is done: this chunk's commit completes it."""
        self.results = results


@dataclass(frozen=True, slots=True)
class Outside:
    """What a long task may reach besides its chunks. Nothing is asked of others while a chunk is open."""

    db: Database
    """To read between chunks; what is written belongs into them."""
    settings: Settings
    client: Client
    """Calls places that users name, as far as the operator allows."""
    key: OuterKey | None
    """Opens stored secrets; None: this worker was given no key."""

    def require_key(self) -> OuterKey:
        """The key. Raises `TaskRefused`."""
        if self.key is None:
            raise TaskRefused("The workers have no JOBGATE_SECRET_KEY, which opens the secrets that this needs.")
        return self.key


@dataclass(frozen=True, slots=True)
class Run(Generic[P]):
    """What a *long task* gets: one job, its cursor, and chunks to work in.

    `async with run.chunk() as chunk` opens the next transaction; leaving it commits. A stopping worker or a cancelled
    job ends the run between two chunks.
    """

    facts: JobFacts
    params: P
    cursor: Any
    """What the last chunk saved; None at the first start."""
    chunk: Callable[[], AbstractAsyncContextManager[Chunk]]
    outside: Outside


class TaskRefused(Exception):
    """Raised by a task when its job can never succeed: it halts at once, and its consumer is shown `message`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TaskFailed(Exception):
    """Raised by a task when something outside failed: its job is tried again, and its consumer is shown `message`."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class TaskDeferred(Exception):
    """Raised by a task when the other side asked to wait: the job starts again after `delay_s`, without a failure."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"again in {delay_s} s")
        self.delay_s = delay_s
