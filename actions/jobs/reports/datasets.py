"""Compile a dataset whose files have been uploaded."""

from __future__ import annotations

import uuid

import msgspec

from jobgate import jobs
from jobgate.context import Context, Request
from jobgate.datasets.definition import find_dataset
from jobgate.datasets.readiness import judge
from jobgate.datasets.types import require_type
from jobgate.errors import ApiError, Code
from jobgate.registry import action


class CompileDataset(Request, frozen=True, kw_only=True):
    """The dataset to compile."""

    dataset_type: str
    """The type that it was set with."""
    dataset_id: uuid.UUID
    """The id that `reports/datasets` set answered."""


class DatasetCompilation(msgspec.Struct, frozen=True, kw_only=True):
    """The job that compiles a dataset."""

    job_reference: uuid.UUID
    dataset_type: str
    dataset_id: uuid.UUID


@action("set", guarded=True)
async def compile_dataset(ctx: Context, request: CompileDataset) -> DatasetCompilation:
    """Start the job that compiles a dataset, once its files are there and say who belongs where."""
    kind = require_type(request.dataset_type)
    async with ctx.db.reading(ctx.organisation_id) as tx:
        dataset = await find_dataset(tx, ctx.organisation_id, request.dataset_id)
        if dataset.type != kind:
            raise ApiError(Code.dataset_not_ready, f"dataset {dataset.dataset_id} is of type {dataset.type.name}")
        params = await judge(tx, dataset)
    reference = uuid.uuid4()
    answer = DatasetCompilation(job_reference=reference, dataset_type=kind.name, dataset_id=dataset.dataset_id)
    accepted: DatasetCompilation = await jobs.submit(ctx, "datasetcompile", params, answer=answer, reference=reference)
    return accepted
