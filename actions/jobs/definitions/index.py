"""Jobs that are saved: what they do, and when."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from jobgate import definitions, jobs, wire
from jobgate.context import Context, Reply, Request
from jobgate.definitions import CATCH_UP_S, Changes, Definition, Draft, Overlap, check_params
from jobgate.deleting import require_one_or_all
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.schedule import Schedule
from jobgate.sessions.records import JsonObject
from jobgate.times import show_moment

MAX_DEFINITIONS = 50

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Zone = Annotated[str, Meta(max_length=64, description="An IANA time zone, for cron fields")]
CatchUp = Annotated[int, Meta(ge=0, le=366 * 86400)]


class GetDefinitions(Request, frozen=True, kw_only=True):
    """Which definitions to read; one must fit all filters that are given."""

    id: Annotated[list[uuid.UUID], Meta(max_length=1000)] | None = None
    name: Annotated[str, Meta(max_length=200)] | None = None
    """A part of the name, in capitals or not."""
    type: Annotated[str, Meta(max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1)] = MAX_DEFINITIONS
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class SetDefinition(Request, frozen=True, kw_only=True):
    """A new definition."""

    name: Name
    type: Annotated[str, Meta(max_length=200)]
    """Any type of jobs that the workers carry."""
    params: dict[str, Any] = msgspec.field(default_factory=dict)
    """What the task of the type takes."""
    schedule: Schedule | None = None
    """When it runs by itself; without it: never."""
    zone: Zone | None = None
    overlap: Overlap = "skip"
    """What a tick does while an execution has not ended: skip, queue (one waits for it), allow (both run)."""
    catch_up_s: CatchUp = CATCH_UP_S
    """How late it may still run, in seconds: of the times that were missed the latest. A minute is never late."""
    active: bool = True
    """False: it runs only when it is executed."""


class UpdateDefinition(Request, frozen=True, kw_only=True):
    """A definition, and what of it shall change."""

    id: uuid.UUID
    name: Name | UnsetType = UNSET
    params: dict[str, Any] | UnsetType = UNSET
    """All of them: they are replaced as a whole."""
    schedule: Schedule | UnsetType | None = UNSET
    """A new one, as a whole; null: none any more."""
    zone: Zone | UnsetType = UNSET
    overlap: Overlap | UnsetType = UNSET
    catch_up_s: CatchUp | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class DeleteDefinitions(Request, frozen=True, kw_only=True):
    """Which definitions to delete."""

    id: uuid.UUID | None = None
    all: bool = False
    """True: all of the organisation."""


class SavedDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition."""

    id: uuid.UUID
    name: str
    type: str
    params: JsonObject
    schedule: Schedule | None
    """What counts of it: parameters that it does not need are left out, `time: now` became a time."""
    zone: str
    overlap: Overlap
    catch_up_s: int
    active: bool
    next_runs: list[str]
    """The next five times; fewer when there are no more."""
    last_run: str | None
    """When an execution began last."""


class DeletedDefinitions(msgspec.Struct, frozen=True, kw_only=True):
    """How many there were."""

    deleted: int


@action("get")
async def read_definitions(ctx: Context, request: GetDefinitions) -> Reply[list[SavedDefinition]]:
    """Read the definitions of the organisation, newest first."""
    limit = min(request.limit, MAX_DEFINITIONS)
    async with ctx.db.reading(ctx.organisation_id) as db:
        found = await definitions.find(
            db,
            ctx.organisation_id,
            ids=request.id,
            type=request.type,
            name=request.name,
            before=read_next(request.next),
            limit=limit + 1,
        )
    page = found[:limit]
    following = str(page[-1].number) if len(found) > limit else None
    return Reply(data=[_show(one) for one in page], records=len(page), next=following)


@action("set", guarded=True)
async def create_definition(ctx: Context, request: SetDefinition) -> SavedDefinition:
    """Save a job under a name; it runs when it is executed, and when its schedule says so."""
    draft = Draft(
        consumer_key=ctx.caller.key,
        name=request.name,
        type=request.type,
        checked=check_params(ctx.param_types, request.type, request.params, ctx.settings),
        schedule=request.schedule,
        zone=request.zone,
        overlap=request.overlap,
        catch_up_s=request.catch_up_s,
        active=request.active,
    )
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        saved = _show(await definitions.save(tx, ctx.organisation_id, draft, await definitions.read_clock(tx)))
        await jobs.accept(ctx, tx, saved)
    return saved


@action("update")
async def update_definition(ctx: Context, request: UpdateDefinition) -> SavedDefinition:
    """Change a definition: what is given, and nothing else. Executions that wait or run are as they were asked for."""
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        checked: definitions.Checked | UnsetType = UNSET
        if request.params is not UNSET:
            row = await definitions.lock(tx, ctx.organisation_id, request.id)
            checked = check_params(ctx.param_types, row["type"], request.params, ctx.settings)
        changes = Changes(
            name=request.name,
            checked=checked,
            schedule=request.schedule,
            zone=request.zone,
            overlap=request.overlap,
            catch_up_s=request.catch_up_s,
            active=request.active,
        )
        now = await definitions.read_clock(tx)
        return _show(await definitions.change(tx, ctx.organisation_id, request.id, changes, now))


@action("delete")
async def delete_definitions(ctx: Context, request: DeleteDefinitions) -> DeletedDefinitions:
    """Delete a definition, or all. Executions that run go on; those that wait are cancelled."""
    require_one_or_all("id", request.id, request.all)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        deleted = await definitions.delete(tx, ctx.organisation_id, id=request.id)
        told = wire.encode({"id": request.id, "deleted": deleted})
        act = "jobs.definitions.delete"
        await tx.execute("insert_audit", ctx.organisation_id, ctx.caller.key, act, "definition", told, ctx.request_id)
    return DeletedDefinitions(deleted=deleted)


def _show(found: Definition) -> SavedDefinition:
    return SavedDefinition(
        id=found.id,
        name=found.name,
        type=found.type,
        params=Raw(found.params),
        schedule=found.schedule,
        zone=found.zone,
        overlap=found.overlap,
        catch_up_s=found.catch_up_s,
        active=found.active,
        next_runs=[str(show_moment(run)) for run in found.next_runs],
        last_run=show_moment(found.last_run_at),
    )
