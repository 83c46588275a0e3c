"""Declaring a type: the actions of its definitions, and of their logs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from jobgate import definitions, jobs, wire
from jobgate.context import Context, Reply
from jobgate.db import Transaction
from jobgate.definitions import NO_TRIGGER, Changes, Checked, Definition, Draft, check_params
from jobgate.deleting import require_one_or_all
from jobgate.errors import ApiError, Code
from jobgate.paging import read_next
from jobgate.registry import Family, action
from jobgate.stores.binding import OfEachStore
from jobgate.stores.spaces import Store, find_stores
from jobgate.typed_jobs.logs import TypedJobLog, find_logs
from jobgate.typed_jobs.records import DeletedTypedJobs, TypedJob, find_store, show_each
from jobgate.typed_jobs.requests import (
    MAX_RECORDS,
    DeleteTypedJobs,
    GetTypedJobLogs,
    GetTypedJobs,
    SaveTypedJob,
    make_requests,
)


def typed_jobs(type: str, params: type[msgspec.Struct]) -> Family:
    """The definitions of a type whose task takes `params`: get, set, update and delete them, and get their logs."""
    new, whole = make_requests(type, params)

    def check(ctx: Context, request: SaveTypedJob, **otherwise: Any) -> Checked:
        given = {name: getattr(request, name) for name in params.__struct_fields__}
        return check_params(ctx.param_types, type, params(**given | otherwise), ctx.settings)

    @action("get")
    async def read_jobs(ctx: Context, request: GetTypedJobs) -> Reply[list[TypedJob]]:
        """Read saved jobs of the type, newest first, each with how its last run ended."""
        return await _read(ctx, type, request)

    @action("set", guarded=True)
    async def save_job(ctx: Context, request: Any) -> list[TypedJob]:
        """Save a job that runs when its schedule says so; an array with one job for each store concerned."""
        if not issubclass(params, OfEachStore) or request.store is not None:
            return await _save(ctx, type, request, [check(ctx, request)])
        stores = await _find_ready_stores(ctx)
        return await _save(ctx, type, request, [check(ctx, request, store=store.slug) for store in stores])

    @action("update")
    async def replace_job(ctx: Context, request: Any) -> list[TypedJob]:
        """Replace a saved job as a whole: its parameters, and its schedule; without a store it keeps its own."""
        if not issubclass(params, OfEachStore) or request.store is not None:
            return await _replace(ctx, type, request, check(ctx, request))
        return await _replace(ctx, type, request, check(ctx, request, store=await _find_own_store(ctx, request.id)))

    @action("delete")
    async def delete_jobs(ctx: Context, request: DeleteTypedJobs) -> DeletedTypedJobs:
        """Delete a saved job, or all of the type. What runs goes on; what waits is cancelled."""
        return await _delete(ctx, type, request)

    @action("get")
    async def read_logs(ctx: Context, request: GetTypedJobLogs) -> Reply[list[TypedJobLog]]:
        """Read what the runs of a saved job said, newest first: started, what they said, passed or failed."""
        limit = min(request.limit, MAX_RECORDS)
        async with ctx.db.reading(ctx.organisation_id) as db:
            return await find_logs(db, ctx.organisation_id, type, request.id, token=request.next, limit=limit)

    save_job.__annotations__["request"] = new
    replace_job.__annotations__["request"] = whole
    return Family({"": (read_jobs, save_job, replace_job, delete_jobs), "logs": (read_logs,)})


async def _read(ctx: Context, type: str, request: GetTypedJobs) -> Reply[list[TypedJob]]:
    limit = min(request.limit, MAX_RECORDS)
    async with ctx.db.reading(ctx.organisation_id) as db:
        stores = [] if request.store is None else await find_stores(db, ctx.organisation_id, slugs=[request.store])
        if request.store is not None and not stores:
            return Reply(data=[], records=0)
        found = await definitions.find(
            db,
            ctx.organisation_id,
            ids=None if request.id is None else [request.id],
            type=type,
            store_id=stores[0].id if stores else None,
            service=request.service,
            before=read_next(request.next),
            limit=limit + 1,
        )
        page = await show_each(db, ctx.organisation_id, found[:limit])
    following = str(found[limit - 1].number) if len(found) > limit else None
    return Reply(data=page, records=len(page), next=following)


async def _find_ready_stores(ctx: Context) -> list[Store]:
    async with ctx.db.reading(ctx.organisation_id) as db:
        stores = await find_stores(db, ctx.organisation_id, status="ready")
    if not stores:
        raise ApiError(Code.conflict, "there is no store that is ready; create one with xapi/stores set")
    return stores


async def _find_own_store(ctx: Context, id: uuid.UUID) -> str | None:
    async with ctx.db.reading(ctx.organisation_id) as db:
        found = await definitions.find(db, ctx.organisation_id, ids=[id], limit=1)
    return find_store(found[0]) if found else None


async def _save(ctx: Context, type: str, request: SaveTypedJob, each: Sequence[Checked]) -> list[TypedJob]:
    answer: list[TypedJob] = []
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        now = await definitions.read_clock(tx)
        for checked in each:
            draft = Draft(
                consumer_key=ctx.caller.key,
                name=request.name or type,
                type=type,
                checked=checked,
                schedule=request.schedule,
            )
            saved = await definitions.save(tx, ctx.organisation_id, draft, now)
            answer += await _answer(ctx, tx, saved, request.replay)
        await jobs.accept(ctx, tx, answer)
    if request.replay:
        ctx.ring()
    return answer


async def _replace(ctx: Context, type: str, request: Any, checked: Checked) -> list[TypedJob]:
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        row = await definitions.lock(tx, ctx.organisation_id, request.id)
        if row["type"] != type:
            raise ApiError(Code.unsupported_value, f"the definition is not one of the type {type}")
        changes = Changes(
            name=UNSET if request.name is None else request.name, checked=checked, schedule=request.schedule
        )
        now = await definitions.read_clock(tx)
        changed = await definitions.change(tx, ctx.organisation_id, request.id, changes, now)
        answer = await _answer(ctx, tx, changed, request.replay)
    if request.replay:
        ctx.ring()
    return answer


async def _answer(ctx: Context, tx: Transaction, saved: Definition, replay: bool | None) -> list[TypedJob]:
    """What was saved, once the run that `replay` asks for, besides the schedule, is queued or withdrawn."""
    if replay is not None:
        if replay:
            await definitions.execute(tx, ctx.organisation_id, saved.id, ctx.caller.key, trigger_id=NO_TRIGGER)
        else:
            await definitions.withdraw(tx, ctx.organisation_id, saved.id)
        (saved,) = await definitions.find(tx, ctx.organisation_id, ids=[saved.id], limit=1)
    return await show_each(tx, ctx.organisation_id, [saved])


async def _delete(ctx: Context, type: str, request: DeleteTypedJobs) -> DeletedTypedJobs:
    require_one_or_all("id", request.id, request.all)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        deleted = await definitions.delete(tx, ctx.organisation_id, id=request.id, type=type)
        told = wire.encode({"id": request.id, "deleted": deleted})
        act = f"jobs.{type}.delete"
        await tx.execute("insert_audit", ctx.organisation_id, ctx.caller.key, act, "definition", told, ctx.request_id)
    return DeletedTypedJobs(deleted=deleted)
