"""Is a dataset ready to be compiled, and from what exactly?"""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from jobgate.datasets.definition import Dataset
from jobgate.datasets.types import ACTIVITY_SUMMARY
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code

MAX_USERS = 200_000
MAX_GROUPS = 50_000
MAX_ACTIVITIES = 10
_SHOWN_FILES = 10


class CompileParams(msgspec.Struct, frozen=True, kw_only=True):
    """What a job compiles, as it was when the job was accepted."""

    dataset_id: uuid.UUID
    uploads: list[uuid.UUID]
    """One for each file; another upload in the place of one of them ends the job."""
    type: str = ACTIVITY_SUMMARY.name
    users: int
    """In the files."""
    activities: list[str] | None
    """None: all there are."""
    has_members: bool = True
    """Files say who belongs where; else everybody with an attempt is in the root."""
    is_named: bool = False
    """Files say which sessions count; else the latest attempt at each activity does."""
    mintime: datetime | None = None
    maxtime: datetime | None = None


async def judge(db: Transaction, dataset: Dataset) -> CompileParams:
    """What there is to compile. Raises 50000 naming what lacks, 20002 for what is too much."""
    if dataset.file_count == 0:
        return await _judge_everybody(db, dataset)
    ids = (dataset.organisation_id, dataset.dataset_id)
    files = {row["number"]: row["upload"] for row in await db.fetch("list_dataset_files", *ids)}
    missing = [str(number) for number in range(1, dataset.file_count + 1) if number not in files]
    if missing:
        names = ", ".join(missing[:_SHOWN_FILES]) + (", …" if len(missing) > _SHOWN_FILES else "")
        raise _not_ready(dataset, f"lacks file {names} of {dataset.file_count}")
    size = await db.fetchrow("measure_dataset", *ids)
    assert size is not None  # an aggregate always gives one row
    if not size["users"]:
        raise _not_ready(dataset, "has no users: upload a file with one JSON object a line, user_id and group_path")
    if size["users"] > MAX_USERS:
        raise ApiError(Code.too_much, f"a dataset must not have more than {MAX_USERS} users, not {size['users']}")
    if size["paths"] > MAX_GROUPS:
        raise ApiError(Code.too_much, f"a dataset must not have more than {MAX_GROUPS} groups, not {size['paths']}")
    kind = dataset.type
    if kind.needs_sessions and not size["is_named"]:
        raise _not_ready(dataset, "has no sessions: its lines need `session_ids`")
    is_named = size["is_named"] and (kind.needs_sessions or kind.is_analysis)
    return CompileParams(
        dataset_id=dataset.dataset_id,
        type=kind.name,
        uploads=list(files.values()),
        users=size["users"],
        activities=dataset.filters.activity_id or None if is_named else await _choose_activities(db, dataset),
        is_named=is_named,
        mintime=dataset.filters.mintime,
        maxtime=dataset.filters.maxtime,
    )


async def _judge_everybody(db: Transaction, dataset: Dataset) -> CompileParams:
    """Without files, the filters say whose attempts count."""
    if dataset.type.needs_sessions:
        raise _not_ready(dataset, "has no sessions: set it with a `file_count`, and upload lines with `session_ids`")
    activities = await _choose_activities(db, dataset)
    if not await db.fetchval("has_attempts", dataset.organisation_id, activities):
        raise _not_ready(dataset, "has no attempts: nobody completed one of its activities")
    return CompileParams(
        dataset_id=dataset.dataset_id,
        type=dataset.type.name,
        uploads=[],
        users=0,
        activities=activities,
        has_members=False,
        mintime=dataset.filters.mintime,
        maxtime=dataset.filters.maxtime,
    )


async def _choose_activities(db: Transaction, dataset: Dataset) -> list[str] | None:
    """Those of the filter; without one, all there are."""
    if dataset.filters.activity_id or dataset.type.spans_activities:
        return dataset.filters.activity_id or None
    rows = await db.fetch("list_activities", dataset.organisation_id, MAX_ACTIVITIES + 1)
    if len(rows) > MAX_ACTIVITIES:
        raise _not_ready(dataset, f"needs `filters.activity_id`: there are more than {MAX_ACTIVITIES} activities")
    if not rows:
        raise _not_ready(dataset, "has no activities: there are no sessions yet")
    return [row["activity_id"] for row in rows]


def _not_ready(dataset: Dataset, fault: str) -> ApiError:
    return ApiError(Code.dataset_not_ready, f"dataset {dataset.dataset_id} {fault}")
