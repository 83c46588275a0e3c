"""The datasets of the demo school: how its classes did, and how its questions did in them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable

from jobgate import wire
from jobgate.datasets.definition import Dataset, Filters, find_dataset, replace_dataset
from jobgate.datasets.fields import QUESTION_FIELDS
from jobgate.datasets.presentation import Presentation
from jobgate.datasets.readiness import CompileParams, judge
from jobgate.datasets.types import ACTIVITY_ANALYSIS, ACTIVITY_SUMMARY, DatasetType
from jobgate.datasets.uploads import Target, store_file
from jobgate.db import Database
from jobgate.demo.learners import Learner
from jobgate.settings import Settings

CLASSES_ID = uuid.UUID("7c0f5e0a-3f5c-4a35-9d6e-1d5b8f0a2c01")
QUESTIONS_ID = uuid.UUID("7c0f5e0a-3f5c-4a35-9d6e-1d5b8f0a2c02")

ACTIVITIES = ["fractions-checkpoint", "reading-the-crow", "water-cycle"]


def make_datasets(organisation_id: int) -> list[Dataset]:
    """All of them, to be set."""
    hardest_first = Presentation(fields=QUESTION_FIELDS, sort_field="p_value", sort_order="asc")
    return [
        _make(organisation_id, CLASSES_ID, ACTIVITY_SUMMARY, Presentation()),
        _make(organisation_id, QUESTIONS_ID, ACTIVITY_ANALYSIS, hardest_first),
    ]


def _make(organisation_id: int, dataset_id: uuid.UUID, kind: DatasetType, presentation: Presentation) -> Dataset:
    return Dataset(
        organisation_id=organisation_id,
        dataset_id=dataset_id,
        type=kind,
        file_count=1,
        filters=Filters(activity_id=ACTIVITIES),
        presentation=presentation,
        labels={"school-1": "Demo school", "year-7": "Year 7"},
    )


async def store_dataset(db: Database, dataset: Dataset, learners: Iterable[Learner]) -> CompileParams:
    """Set a dataset and upload its file; what the job needs that compiles it."""
    target = Target(dataset.organisation_id, dataset.dataset_id, 1)
    async with db.transaction(dataset.organisation_id) as tx:
        await replace_dataset(tx, dataset)
    await store_file(db, Settings(), target, _write_lines(learners))
    async with db.reading(dataset.organisation_id) as tx:
        return await judge(tx, await find_dataset(tx, dataset.organisation_id, dataset.dataset_id))


async def _write_lines(learners: Iterable[Learner]) -> AsyncIterator[bytes]:
    for learner in learners:
        yield wire.encode({"user_id": learner.user_id, "group_path": learner.group_path}) + b"\n"
