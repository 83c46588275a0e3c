"""Compiling a dataset, step by step; each step is short, and the position after it says where to go on.

    groups ──> users ──> statistics ──> questions ──> publish ──> clean ──> done
                 └───────────┴─────────────┴── a newer build is published ──▲

The results belong to a build, which has the id of its job. Readers see the older build until `publish`. Only analyses
have questions.
"""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec

from jobgate.context import TaskRefused
from jobgate.datasets.readiness import MAX_USERS, CompileParams
from jobgate.datasets.types import TYPES
from jobgate.db import Transaction

CHUNK_USERS = 1000
CHUNK_BUSY_USERS = 100
"""Users who may have any number of attempts: nothing limits the activities."""

CHUNK_GROUPS = 1000
CHUNK_PLACES = 500
CHUNK_SESSIONS = 5000
CHUNK_DELETED = 10_000

_DELETIONS = (
    "delete_build_users",
    "delete_build_paths",
    "delete_build_groups",
    "delete_build_questions",
    "delete_build_options",
    "delete_build_activities",
)


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far a compilation has come."""

    step: Literal["groups", "users", "statistics", "questions", "publish", "clean", "done"] = "groups"
    learners: int = 0
    """How many users there are to look at."""
    after_user: str = ""
    users: int = 0
    """Compiled so far."""
    places: int = 0
    """How often they stand in a group."""
    missing: int = 0
    """Sessions that files name and that do not count."""
    groups: int = 0
    """All there are."""
    after_group: int = -1
    """Has statistics, and so have all before it."""
    after_place: tuple[int, str] = (-1, "")
    """Group and user whose responses were the last to be analysed."""
    analysed: int = 0
    """Places."""
    published: bool = False

    @property
    def done(self) -> int:
        """What progress counts: users, groups, and the places whose responses were analysed."""
        return self.users + self.after_group + 1 + self.analysed


class Compilation:
    """One build of one dataset."""

    def __init__(self, organisation_id: int, build: int, params: CompileParams) -> None:
        self.organisation_id = organisation_id
        self.build = build
        self.params = params
        self.type = TYPES[params.type]
        self.dataset = (organisation_id, params.dataset_id)

    def total(self, position: Position) -> int:
        """What `done` will be in the end, as far as is known."""
        places = max(position.places, position.learners) if self.type.is_analysis else 0
        return position.learners + position.groups + places

    async def advance(self, db: Transaction, position: Position) -> Position:
        """Take the next step. Raises `TaskRefused` when the files are not those that the job was accepted with."""
        if position.step not in ("clean", "done"):
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
            case "questions":
                return await self._compile_questions(db, position)
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
        if row["type"] != self.params.type:
            raise TaskRefused(f"the dataset was set anew, as {row['type']}; start another job")
        return row["build"] is not None and row["build"] > self.build

    async def _require_files(self, db: Transaction) -> None:
        uploads: list[uuid.UUID] = [row["upload"] for row in await db.fetch("list_dataset_files", *self.dataset)]
        if uploads != self.params.uploads:
            raise TaskRefused("files of the dataset were replaced while it was compiled; start another job")

    async def _insert_groups(self, db: Transaction, position: Position) -> Position:
        await db.execute("insert_dataset_build", *self.dataset, self.build)
        groups = await db.execute("insert_dataset_groups", *self.dataset, self.build)
        learners = self.params.users
        if not self.params.has_members:
            learners = await db.fetchval("count_learners", self.organisation_id, self.params.activities)
        return msgspec.structs.replace(position, step="users", groups=groups, learners=learners)

    async def _compile_users(self, db: Transaction, position: Position) -> Position:
        params = self.params
        learners = await self._list_learners(db, position.after_user)
        if not learners:
            return msgspec.structs.replace(position, step="statistics", learners=position.users)
        row = await db.fetchrow(
            "compile_dataset_users",
            *self.dataset,
            self.build,
            learners,
            params.activities,
            params.mintime,
            params.maxtime,
            params.is_named,
            params.has_members,
            self.type.is_analysis,
        )
        assert row is not None  # an aggregate always gives one row
        users = position.users + row["users"]
        if users > MAX_USERS:
            raise TaskRefused(f"a dataset must not have more than {MAX_USERS} users; narrow its filters")
        missing = 0
        if params.is_named:
            missing = await db.fetchval("count_named_sessions", *self.dataset, learners) - row["sessions"]
        return msgspec.structs.replace(
            position,
            after_user=learners[-1],
            users=users,
            places=position.places + row["places"],
            missing=position.missing + missing,
        )

    async def _list_learners(self, db: Transaction, after: str) -> list[str]:
        """Who comes next, by name."""
        params = self.params
        count = CHUNK_USERS if params.is_named or params.activities is not None else CHUNK_BUSY_USERS
        if params.has_members:
            rows = await db.fetch("list_dataset_members", *self.dataset, after, count)
        elif params.activities is not None:
            rows = await db.fetch("list_participants", self.organisation_id, params.activities, after, count)
        else:
            rows = await db.fetch("list_learners", self.organisation_id, after, count)
        return [row["user_id"] for row in rows]

    async def _compile_groups(self, db: Transaction, position: Position) -> Position:
        last = min(position.after_group + CHUNK_GROUPS, position.groups - 1)
        await db.execute("compile_dataset_groups", self.organisation_id, self.build, position.after_group, last)
        if last < position.groups - 1:
            return msgspec.structs.replace(position, after_group=last)
        step: Literal["questions", "publish"] = "questions" if self.type.is_analysis else "publish"
        return msgspec.structs.replace(position, step=step, after_group=last)

    async def _compile_questions(self, db: Transaction, position: Position) -> Position:
        row = await db.fetchrow(
            "compile_dataset_questions",
            self.organisation_id,
            self.build,
            *position.after_place,
            CHUNK_PLACES,
            self.type.spans_activities,
            CHUNK_SESSIONS,
        )
        if row is None:
            return msgspec.structs.replace(position, step="publish")
        return msgspec.structs.replace(
            position, after_place=(row["number"], row["user_id"]), analysed=position.analysed + row["places"]
        )

    async def _clean(self, db: Transaction, position: Position) -> Position:
        """Remove what nobody reads any more, a bite at a time: this build if a newer one won, else the older ones."""
        stale = await db.fetchval("find_stale_build", *self.dataset, self.build)
        if stale is None:
            return msgspec.structs.replace(position, step="done")
        for statement in _DELETIONS:
            if await db.execute(statement, self.organisation_id, stale, CHUNK_DELETED):
                return position
        await db.execute("delete_build", *self.dataset, stale)
        return position
