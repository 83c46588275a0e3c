"""Updates of stored sessions, many jobs at once: who may write which session, and what each entry is told.

A batch is judged as if its entries ran one after the other, oldest job first: the last entry for a session wins, the
others succeeded before it. A session that a newer job wrote in the meantime keeps what it has.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from jobgate.context import WARNING, Batch, BatchJob, LogEntry
from jobgate.db import Record
from jobgate.errors import Code


class SessionEntry(Protocol):
    """One entry of a batch: a session, and the user that it must belong to."""

    @property
    def session_id(self) -> str: ...

    @property
    def user_id(self) -> str: ...


P = TypeVar("P")
E = TypeVar("E", bound=SessionEntry)


class FollowUpLink(msgspec.Struct, frozen=True):
    """A job that goes on where another ended."""

    type: str
    reference: uuid.UUID


class SessionResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one entry of a batch of sessions ended."""

    session_id: str
    user_id: str | UnsetType = UNSET
    status: Literal["ok", "error"] = "ok"
    code: int | UnsetType = UNSET
    message: str | UnsetType = UNSET
    superseded: bool | UnsetType = UNSET
    """True: a newer job had written the session already, and it keeps that."""
    follow_ups: list[FollowUpLink] | UnsetType = UNSET
    """The jobs that go on with the session, in their order."""


class Write(NamedTuple, Generic[E]):
    """An entry that takes effect, and the job that it is the effect of."""

    entry: E
    job_id: int


async def judge(
    batch: Batch[P], entries_of: Callable[[P], Sequence[E]], written_by: Literal["status_by", "metadata_by"]
) -> Sequence[Write[E]]:
    """Lock the batch's sessions, finish its jobs with one result per entry, and say what is to be written."""
    named = {entry.session_id for job in batch.jobs for entry in entries_of(job.params)}
    rows = await batch.db.fetch("lock_sessions", batch.organisation_id, list(named))
    sessions = {row["session_id"]: (row["user_id"], row[written_by]) for row in rows}
    writes: dict[str, Write[E]] = {}
    for job in batch.jobs:
        job_id, results = job.facts.id, []
        for entry in entries_of(job.params):
            session_id, user_id = entry.session_id, entry.user_id
            owner, newest = sessions.get(session_id, (None, 0))
            if owner is None:
                results.append(unknown_session(session_id, user_id))
            elif owner != user_id:
                results.append(foreign_session(session_id, user_id))
            elif newest > job_id:
                results.append(SessionResult(session_id=session_id, user_id=user_id, superseded=True))
            else:
                results.append(SessionResult(session_id=session_id, user_id=user_id))
                if newest < job_id:  # equal: this very job wrote it, and runs again
                    writes[session_id] = Write(entry, job_id)
        finish(job, results)
    return list(writes.values())


def finish(job: BatchJob[Any], results: list[SessionResult]) -> None:
    """End a job with its results, and one log entry that sums them up."""
    refused = sum(result.status == "error" for result in results)
    superseded = sum(result.superseded is True for result in results)
    updated = len(results) - refused - superseded
    told = [f"{updated} updated", f"{refused} refused", f"{superseded} superseded by newer jobs"]
    counters = {"updated": updated, "refused": refused, "superseded": superseded}
    job.finish(results, LogEntry(f"Sessions: {', '.join(told)}", WARNING if refused else 0, counters))


def tell(session_id: str, sessions: Mapping[str, Record], refused: Mapping[str, str], job_id: int) -> SessionResult:
    """What an entry hears that only names a session: `sessions` says who wrote it, `refused` why it was left alone."""
    row = sessions.get(session_id)
    if row is None:
        return unknown_session(session_id)
    if row["written_by"] > job_id:
        return SessionResult(session_id=session_id, user_id=row["user_id"], superseded=True)
    if session_id in refused:
        return refuse(session_id, row["user_id"], Code.unsupported_value, refused[session_id])
    return SessionResult(session_id=session_id, user_id=row["user_id"])


def refuse(session_id: str, user_id: str | UnsetType, code: Code, message: str) -> SessionResult:
    """What an entry hears that had no effect."""
    return SessionResult(session_id=session_id, user_id=user_id, status="error", code=code.number, message=message)


def link(result: SessionResult, follow_ups: list[FollowUpLink] | None) -> SessionResult:
    """The same with the jobs that go on with the session, if there are any."""
    return replace(result, follow_ups=follow_ups) if follow_ups else result


def unknown_session(session_id: str, user_id: str | UnsetType = UNSET) -> SessionResult:
    """What an entry hears whose session the organisation does not have."""
    return refuse(session_id, user_id, Code.session_not_found, "the session is not known")


def foreign_session(session_id: str, user_id: str) -> SessionResult:
    """What an entry hears whose session another user has taken."""
    message = "`user_id` is not the one that the session was taken with"
    return refuse(session_id, user_id, Code.unsupported_value, message)
