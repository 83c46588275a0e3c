"""Is a dataset ready to be compiled, and from what exactly?"""

from __future__ import annotations

import uuid
from datetime import datetime

import msgspec

from jobgate.datasets.definition import Dataset
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
    users: int
    activities: list[str]
    mintime: datetime | None = None
    maxtime: datetime | None = None


async def judge(db: Transaction, dataset: Dataset) -> CompileParams:
    """What there is to compile. Raises 50000 naming what lacks, 20002 for what is too much."""
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
    filters = dataset.filters
    return CompileParams(
        dataset_id=dataset.dataset_id,
        uploads=list(files.values()),
        users=size["users"],
        activities=filters.activity_id or await _find_activities(db, dataset),
        mintime=filters.mintime,
        maxtime=filters.maxtime,
    )


async def _find_activities(db: Transaction, dataset: Dataset) -> list[str]:
    rows = await db.fetch("list_activities", dataset.organisation_id, MAX_ACTIVITIES + 1)
    if len(rows) > MAX_ACTIVITIES:
        raise _not_ready(dataset, f"needs `filters.activity_id`: there are more than {MAX_ACTIVITIES} activities")
    if not rows:
        raise _not_ready(dataset, "has no activities: there are no sessions yet")
    return [row["activity_id"] for row in rows]


def _not_ready(dataset: Dataset, fault: str) -> ApiError:
    return ApiError(Code.dataset_not_ready, f"dataset {dataset.dataset_id} {fault}")
