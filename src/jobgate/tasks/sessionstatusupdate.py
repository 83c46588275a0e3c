"""Jobs of `jobs/sessions/statuses`: set the statuses of sessions."""

from __future__ import annotations

from typing import Literal

import msgspec

from jobgate.context import Batch
from jobgate.registry import task
from jobgate.session_updates import judge


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
    """Set the status of every session that the batch names; the last entry for a session wins."""
    writes = await judge(batch, _entries, "status_by")
    await batch.db.execute(
        "update_session_statuses",
        batch.organisation_id,
        [write.entry.session_id for write in writes],
        [write.entry.status for write in writes],
        [write.job_id for write in writes],
    )


def _entries(params: StatusParams) -> list[StatusEntry]:
    return params.statuses
