"""Jobs of `reports/datasets` and `jobs/reports/datasets`: compile what is read from a dataset."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from jobgate.context import WARNING, Run
from jobgate.datasets.compilation import Compilation, Position
from jobgate.datasets.readiness import CompileParams
from jobgate.registry import task

MISSING = "Sessions that the files name do not count: unknown, of another user, not completed, or outside the filters"


class DatasetResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was compiled."""

    dataset_id: UUID
    users: int
    groups: int
    status: Literal["ok"]
    missing_sessions: int = 0
    """Named in the files, but unknown, of another user, not completed, or outside the filters: these do not count."""
    superseded: bool = False
    """Another job, accepted later, published its results first: these were dropped."""


@task("datasetcompile", timeout_s=3600)
async def compile_dataset(run: Run[CompileParams]) -> None:
    """Total up the users of a dataset, then its groups; readers see the older results until all are there."""
    compilation = Compilation(run.facts.organisation_id, run.facts.id, run.params)
    position = Position() if run.cursor is None else msgspec.convert(run.cursor, Position)
    while position.step != "done":
        async with run.chunk() as chunk:
            step = position.step
            position = await compilation.advance(chunk.db, position)
            if step == "groups" and position.step == "users":
                chunk.say("Found the users and their groups", users=position.learners, groups=position.groups)
            if step == "users" and position.step == "statistics" and position.missing:
                chunk.say(MISSING, WARNING, sessions=position.missing)
            if step == "publish" and position.published:
                chunk.say("Published the results")
            chunk.save(position, done=position.done, total=compilation.total(position))
            if position.step == "done":
                chunk.finish([_tell(run.params, position)])


def _tell(params: CompileParams, position: Position) -> DatasetResult:
    return DatasetResult(
        dataset_id=params.dataset_id,
        users=position.users,
        groups=position.groups,
        missing_sessions=position.missing,
        status="ok",
        superseded=not position.published,
    )
