"""What a dataset is asked to be: its filters, how it is shown, and what its groups are called."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

import msgspec

from jobgate import wire
from jobgate.datasets.members import delete_members
from jobgate.datasets.presentation import Presentation
from jobgate.datasets.types import TYPES, DatasetType
from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code


class Filters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which attempts count: at these activities (empty: all there are), completed in this time, bounds included."""

    activity_id: list[str] = []
    mintime: datetime | None = None
    maxtime: datetime | None = None


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset as it was last set."""

    organisation_id: int
    dataset_id: uuid.UUID
    type: DatasetType
    file_count: int
    filters: Filters
    presentation: Presentation
    labels: dict[str, str]
    """What groups are called, by key."""
    build: int | None = None
    """The job whose results are read; None: nothing was compiled yet."""

    @classmethod
    def from_row(cls, row: Record) -> Self:
        """The row of `find_dataset`."""
        return cls(
            organisation_id=row["organisation_id"],
            dataset_id=row["dataset_id"],
            type=TYPES[row["type"]],
            file_count=row["file_count"],
            filters=wire.decode(row["filters"], Filters),
            presentation=wire.decode(row["options"], Presentation),
            labels=wire.decode(row["labels"], dict[str, str]),
            build=row["build"],
        )


async def find_dataset(db: Transaction, organisation_id: int, dataset_id: uuid.UUID) -> Dataset:
    """The dataset with this id. Raises 50000 when the organisation has none."""
    row = await db.fetchrow("find_dataset", organisation_id, dataset_id)
    if row is None:
        raise ApiError(Code.dataset_not_ready, f"there is no dataset {dataset_id}")
    return Dataset.from_row(row)


async def replace_dataset(db: Transaction, dataset: Dataset) -> None:
    """Keep the dataset in place of one with its id, files included.

    A dataset without files keeps those of the older one. Results stay readable until others are compiled.
    """
    ids = (dataset.organisation_id, dataset.dataset_id)
    # Waits for uploads that are about to arrive in the older one.
    await db.execute("lock_dataset", *ids)
    await db.execute(
        "replace_dataset",
        *ids,
        dataset.type.name,
        dataset.file_count,
        wire.encode(dataset.filters),
        wire.encode(dataset.presentation),
        wire.encode(dataset.labels),
    )
    if dataset.file_count > 0:
        await db.execute("delete_dataset_files", *ids)
        await delete_members(db, *ids, None)
