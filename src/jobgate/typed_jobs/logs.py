"""The log of a saved job: what its runs said, between the entries of their start and their end."""

from __future__ import annotations

import re
import uuid
from typing import Literal

import msgspec

from jobgate.context import Reply
from jobgate.db import Record, Transaction
from jobgate.paging import NEWEST, unknown_page
from jobgate.times import show_moment
from jobgate.typed_jobs.records import did_well, tell_end, tell_entry

Event = Literal["started", "passed", "failed"]

STARTED, SAID, ENDED = range(3)
"""The places of entries within a run."""

_NEWEST = (NEWEST, ENDED, 0)
_TOKEN = re.compile(r"([1-9][0-9]{0,17})\.([012])\.([0-9]{1,18})", re.ASCII)


class TypedJobLog(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened in a run."""

    event: Event | None
    """Null: the run went on."""
    feedback: str
    success: bool | None
    """Null where it does not say how the run ended."""
    created_at: str | None


async def find_logs(
    db: Transaction, organisation_id: int, type: str, id: uuid.UUID, *, token: str | None, limit: int
) -> Reply[list[TypedJobLog]]:
    """A page of what the runs of a saved job said, newest first; raises 20004 for a token that no page answered."""
    rows = await db.fetch("find_run_log", organisation_id, type, id, *_read_token(token), limit + 1)
    page = [_show(row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    following = None if last is None else f"{last['run']}.{last['place']}.{last['number']}"
    return Reply(data=page, records=len(page), next=following)


def _read_token(token: str | None) -> tuple[int, int, int]:
    if token is None:
        return _NEWEST
    read = _TOKEN.fullmatch(token)
    if read is None:
        raise unknown_page(token)
    return int(read[1]), int(read[2]), int(read[3])


def _show(row: Record) -> TypedJobLog:
    created_at = show_moment(row["at"])
    if row["place"] == STARTED:
        return TypedJobLog(event="started", feedback="", success=None, created_at=created_at)
    if row["place"] == SAID:
        feedback = tell_entry(row["message"], row["counters"])
        return TypedJobLog(event=None, feedback=feedback, success=None, created_at=created_at)
    success = did_well(row)
    event: Event = "passed" if success else "failed"
    return TypedJobLog(event=event, feedback=tell_end(row), success=success, created_at=created_at)
