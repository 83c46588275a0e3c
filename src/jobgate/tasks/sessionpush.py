"""Follow-up jobs that push sessions: what targets are told once everything about a session is calculated."""

from __future__ import annotations

import msgspec

from jobgate import outbox
from jobgate.context import WARNING, Batch, LogEntry
from jobgate.outbox import Kind
from jobgate.registry import task
from jobgate.session_updates import SessionResult, unknown_session


class PushParams(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions, and what to tell of them."""

    session_id: list[str]
    kinds: list[Kind]


@task("sessionpush")
async def push_sessions(batch: Batch[PushParams]) -> None:
    """Announce every session that the batch names, once for each kind: later jobs would tell the same."""
    wanted: dict[Kind, dict[str, None]] = {}
    for job in batch.jobs:
        for kind in job.params.kinds:
            wanted.setdefault(kind, {}).update(dict.fromkeys(job.params.session_id))
    for kind, session_ids in wanted.items():
        await outbox.announce(batch.db, batch.organisation_id, kind, list(session_ids))
    named = {session_id for job in batch.jobs for session_id in job.params.session_id}
    rows = await batch.db.fetch("find_session_users", batch.organisation_id, list(named))
    users = {row["session_id"]: row["user_id"] for row in rows}
    for job in batch.jobs:
        results = [_tell(session_id, users.get(session_id)) for session_id in job.params.session_id]
        unknown = sum(result.status == "error" for result in results)
        counters = {"announced": len(results) - unknown, "unknown": unknown}
        told = f"Sessions: {counters['announced']} announced, {unknown} unknown"
        job.finish(results, LogEntry(told, WARNING if unknown else 0, counters))


def _tell(session_id: str, user_id: str | None) -> SessionResult:
    if user_id is None:
        return unknown_session(session_id)
    return SessionResult(session_id=session_id, user_id=user_id)
