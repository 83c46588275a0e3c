"""Jobs of `jobs/sessions/statuses`: set the statuses of sessions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from jobgate import outbox
from jobgate.context import Batch
from jobgate.follow_ups import queue_follow_ups
from jobgate.registry import task
from jobgate.session_updates import Write, judge, link


class StatusEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One session and its new status."""

    session_id: str
    user_id: str
    status: Literal["Completed", "Incomplete", "Discarded"]


class StatusParams(msgspec.Struct, frozen=True, kw_only=True):
    """What `jobs/sessions/statuses` accepted."""

    statuses: list[StatusEntry]


@task("sessionstatusupdate")
async def update_statuses(batch: Batch[StatusParams]) -> None:
    """Set the status of every session that the batch names, announce it, and queue what follows from Completed.

    The last entry for a session wins.
    """
    writes = await judge(batch, _entries, "status_by")
    await batch.db.execute(
        "update_session_statuses",
        batch.organisation_id,
        [write.entry.session_id for write in writes],
        [write.entry.status for write in writes],
        [write.job_id for write in writes],
    )
    changed = [write.entry.session_id for write in writes]
    await outbox.announce(batch.db, batch.organisation_id, "session.status", changed)
    await _follow_up(batch, [write for write in writes if write.entry.status == "Completed"])


async def _follow_up(batch: Batch[StatusParams], completed: Sequence[Write[StatusEntry]]) -> None:
    """Queue what follows from these entries, and link it from their results."""
    facts = {job.facts.id: job.facts for job in batch.jobs}
    named = ((facts[write.job_id], write.entry.session_id) for write in completed)
    links = await queue_follow_ups(batch.db, batch.organisation_id, named, rescore=True)
    effective = {id(write.entry) for write in completed}
    for job in batch.jobs:
        for place, entry in enumerate(job.params.statuses):
            if id(entry) in effective:
                job.results[place] = link(job.results[place], links[job.facts.id, entry.session_id])


def _entries(params: StatusParams) -> list[StatusEntry]:
    return params.statuses
