"""Jobs of `sessions` set: create sessions, or replace them as a whole."""

from __future__ import annotations

from collections import Counter

import msgspec

from jobgate import outbox
from jobgate.context import WARNING, Batch, LogEntry
from jobgate.errors import Code
from jobgate.registry import task
from jobgate.session_updates import SessionResult
from jobgate.sessions.creation import Outcome, Placed, store_sessions
from jobgate.sessions.drafts import Draft


class SessionParams(msgspec.Struct, frozen=True, kw_only=True):
    """What `sessions` accepted."""

    data: list[Draft]


@task("sessioncreate")
async def create_sessions(batch: Batch[SessionParams]) -> None:
    """Store every session that the batch brings, with its responses, and announce it.

    The last entry for a session wins.
    """
    sessions = [Placed(draft, job.facts.id) for job in batch.jobs for draft in job.params.data]
    judged = await store_sessions(batch.db, batch.organisation_id, sessions)
    changed = [placed.draft.session_id for placed, outcome in zip(sessions, judged, strict=True) if outcome == "stored"]
    for kind in ("session.status", "session.score"):
        await outbox.announce(batch.db, batch.organisation_id, kind, changed)
    outcomes = iter(judged)
    for job in batch.jobs:
        ended = [(draft, next(outcomes)) for draft in job.params.data]
        counters = Counter(outcome for _, outcome in ended)
        stored, refused, superseded = (counters[outcome] for outcome in ("stored", "foreign", "superseded"))
        entry = LogEntry(
            f"Sessions: {stored} stored, {refused} refused, {superseded} superseded by newer jobs",
            WARNING if refused else 0,
            {"stored": stored, "refused": refused, "superseded": superseded},
        )
        job.finish([_tell(draft, outcome) for draft, outcome in ended], entry)


def _tell(draft: Draft, outcome: Outcome) -> SessionResult:
    if outcome == "foreign":
        return SessionResult(
            session_id=draft.session_id,
            user_id=draft.user_id,
            status="error",
            code=Code.conflict.number,
            message="a session with this `session_id` belongs to another user",
        )
    superseded = True if outcome == "superseded" else msgspec.UNSET
    return SessionResult(session_id=draft.session_id, user_id=draft.user_id, superseded=superseded)
