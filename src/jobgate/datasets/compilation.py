"""Compiling a dataset, step by step; each step is short, and the position after it says where to go on.

    groups ──> users ──> statistics ──> publish ──> clean ──> done
                 └──────────┴── a newer build is published ──▲

The results belong to a build, which has the id of its job. Readers see the older build until `publish`.
"""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec

from jobgate.context import TaskRefused
from jobgate.datasets.readiness import CompileParams
from jobgate.db import Transaction

CHUNK_USERS = 1000
CHUNK_GROUPS = 1000
CHUNK_DELETED = 10_000


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a compilation has come."""

    step: Literal["groups", "users", "statistics", "publish", "clean", "done"] = "groups"
    after_user: str = ""
    after_group: int = -1
    users: int = 0
    """Compiled so far."""
    groups: int = 0
    """All there are."""
    published: bool = False

    @property
    def done(self) -> int:
        """What progress counts: users and groups that are compiled."""
        return self.users + self.after_group + 1


class Compilation:
    """One build of one dataset."""

    def __init__(self, organisation_id: int, build: int, params: CompileParams) -> None:
        self.organisation_id = organisation_id
        self.build = build
        self.params = params
        self.dataset = (organisation_id, params.dataset_id)

    async def advance(self, db: Transaction, position: Position) -> Position:
        """Take the next step. Raises `TaskRefused` when the files are not those that the job was accepted with."""
        if position.step in ("groups", "users", "statistics", "publish"):
            if await self._is_superseded(db):
                return msgspec.structs.replace(position, step="clean")
            await self._require_files(db)
        match position.step:
            case "groups":
                return await self._insert_groups(db, position)
            case "users":
                return await self._compile_users(db, position)
            case "statistics":
                return await self._compile_groups(db, position)
            case "publish":
                await db.execute("publish_dataset_build", *self.dataset, self.build)
                return msgspec.structs.replace(position, step="clean", published=True)
            case _:
                return await self._clean(db, position)

    async def _is_superseded(self, db: Transaction) -> bool:
        """A job that was accepted later has published its results already."""
        row = await db.fetchrow("find_dataset", *self.dataset)
        if row is None:
            raise TaskRefused(f"there is no dataset {self.params.dataset_id} any more")
        return row["build"] is not None and row["build"] > self.build

    async def _require_files(self, db: Transaction) -> None:
        uploads: list[uuid.UUID] = [row["upload"] for row in await db.fetch("list_dataset_files", *self.dataset)]
        if uploads != self.params.uploads:
            raise TaskRefused("files of the dataset were replaced while it was compiled; start another job")

    async def _insert_groups(self, db: Transaction, position: Position) -> Position:
        await db.execute("insert_dataset_build", *self.dataset, self.build)
        groups = await db.execute("insert_dataset_groups", *self.dataset, self.build)
        return msgspec.structs.replace(position, step="users", groups=groups)

    async def _compile_users(self, db: Transaction, position: Position) -> Position:
        params = self.params
        row = await db.fetchrow(
            "compile_dataset_users",
            *self.dataset,
            self.build,
            position.after_user,
            CHUNK_USERS,
            params.activities,
            params.mintime,
            params.maxtime,
        )
        assert row is not None  # an aggregate always gives one row
        if not row["users"]:
            return msgspec.structs.replace(position, step="statistics")
        return msgspec.structs.replace(position, after_user=row["last"], users=position.users + row["users"])

    async def _compile_groups(self, db: Transaction, position: Position) -> Position:
        last = min(position.after_group + CHUNK_GROUPS, position.groups - 1)
        await db.execute("compile_dataset_groups", self.organisation_id, self.build, position.after_group, last)
        step: Literal["statistics", "publish"] = "statistics" if last < position.groups - 1 else "publish"
        return msgspec.structs.replace(position, step=step, after_group=last)

    async def _clean(self, db: Transaction, position: Position) -> Position:
        """Remove what nobody reads any more, a bite at a time: this build if a newer one won, else the older ones."""
        stale = await db.fetchval("find_stale_build", *self.dataset, self.build)
        if stale is None:
            return msgspec.structs.replace(position, step="done")
        for statement in ("delete_build_users", "delete_build_paths", "delete_build_groups"):
            if await db.execute(statement, self.organisation_id, stale, CHUNK_DELETED):
                return position
        await db.execute("delete_build", *self.dataset, stale)
        return position
