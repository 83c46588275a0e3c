"""Jobs that remote boxes pick up: made, listed, steered, and kept alive by who holds them."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType, field

from jobgate import jobs
from jobgate.beacons.claims import cancel, renew
from jobgate.beacons.creation import NewBeaconJob, add_job, make_rule
from jobgate.beacons.fields import (
    DEFAULT_BEACON,
    MAX_TASKS,
    BeaconName,
    ClaimToken,
    CronField,
    Flag,
    JobName,
    Result,
    Results,
    Tags,
    TaskNumber,
    UserId,
    choose_owner,
    is_off,
    is_on,
)
from jobgate.beacons.holding import holding
from jobgate.beacons.listing import FILTERS, BeaconJob, BeaconJobStatus, digest, find_jobs, read_job
from jobgate.beacons.scheduled import switch
from jobgate.context import Context, Reply, Request
from jobgate.errors import ApiError, Code
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.schedule import Schedule
from jobgate.times import Moment, read_moment

MAX_JOBS = 50

TIMES = ("add_time", "q_time", "pickup_time", "start_time")

Text = Annotated[str, Meta(max_length=500)]
Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class GetBeaconJobs(Request, frozen=True, kw_only=True):
    """Which jobs to read: those that fit all that is given. null matches what is not set."""

    job_id: uuid.UUID | UnsetType = UNSET
    """This one."""
    status: Annotated[list[BeaconJobStatus], Meta(max_length=20)] | UnsetType = UNSET
    """In one of these states."""
    beacon_name: Text | UnsetType | None = UNSET
    user: Text | int | UnsetType | None = UNSET
    name: Text | UnsetType | None = UNSET
    cur_task: Number | UnsetType | None = UNSET
    total_tasks: Number | UnsetType | None = UNSET
    add_time: Moment | UnsetType | None = UNSET
    """Times are equal when their whole seconds are: Unix seconds or ISO 8601."""
    q_time: Moment | UnsetType | None = UNSET
    pickup_time: Moment | UnsetType | None = UNSET
    start_time: Moment | UnsetType | None = UNSET
    result: list[Result] | UnsetType | None = UNSET
    """Exactly these results, in this order."""
    duplicate_of: uuid.UUID | UnsetType | None = UNSET
    limit: Annotated[int, Meta(ge=1)] = MAX_JOBS
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class SetBeaconJob(Request, frozen=True, kw_only=True):
    """A new job. One that is neither queued nor scheduled is picked up by its id only."""

    name: JobName
    user_id: UserId | None = None
    """Whose job it is; else `user_guid`, else whom the packet is signed for, else the consumer."""
    user_guid: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    beacon_name: BeaconName = DEFAULT_BEACON
    """The beacon that shall run it."""
    tags: Tags = ()
    """What that beacon must be able to do."""
    tasks: Annotated[tuple[dict[str, Any], ...], Meta(max_length=MAX_TASKS)] = ()
    """What there is to do, in order."""
    q: Flag = False
    """`true` or `1`: it is queued."""
    q_time: Moment | None = None
    """It is queued, and not eligible before."""
    schedule: Flag = False
    """`true` or `1`: it is a scheduled job. It is not queued itself; each time that fits what follows makes a job."""
    start_date: Moment | None = None
    """No runs before this."""
    end_date: Moment | None = None
    """Runs before this only."""
    min: CronField | None = None
    """Minute, 0 to 59; 0 when only coarser fields are given. A number, `*`, or `a,b`, `a-b`, `*/n`, `a-b/n`."""
    hour: CronField | None = None
    """Hour, 0 to 23."""
    dom: CronField | None = None
    """Day of the month, 1 to 31."""
    dow: CronField | None = None
    """Day of the week, 0 to 7: Sunday is both; or `sun` to `sat`."""
    month: CronField | None = None
    """1 to 12, or `jan` to `dec`."""
    zone: str | None = None
    """Whose clock the rule goes by: an IANA name; UTC when absent."""


class UpdateBeaconJob(Request, frozen=True, kw_only=True):
    """A job, and what happens to it. Its holder gives its token: that alone renews the lease."""

    job_id: uuid.UUID
    claim_token: ClaimToken | None = None
    """Needed with `curtask` and `result`."""
    curtask: TaskNumber | None = None
    """The task that is in work now, from 1."""
    cur_task: TaskNumber | None = None
    """The same, as the job spells it."""
    result: Results = ()
    """Results of tasks that are done, each with its `task_index`: they are kept if the beacon dies."""
    result_list: Results = field(name="result[]", default=())
    """The same, as the source spells it."""
    schedule_active: Flag | UnsetType = UNSET
    """`false` or `0` switches a scheduled job off, anything else on; no effect on other jobs."""
    cancel: bool = False
    """True: the job ends at once, or, if it is held, its holder is told."""


@action("get")
async def list_jobs(ctx: Context, request: GetBeaconJobs) -> Reply[list[BeaconJob]]:
    """Read jobs, newest first: one by `job_id`, or those that fit filters."""
    async with ctx.db.reading(ctx.organisation_id) as db:
        return await find_jobs(
            db,
            ctx.organisation_id,
            read_filters(request),
            job_id=None if request.job_id is UNSET else request.job_id,
            statuses=None if request.status is UNSET else request.status,
            before=read_next(request.next),
            limit=min(request.limit, MAX_JOBS),
        )


@action("set", guarded=True)
async def create_job(ctx: Context, request: SetBeaconJob) -> BeaconJob:
    """Make a job, and queue it if that is asked for. One that equals a waiting one is parked, and ends as that does."""
    q_time = read_moment(request.q_time, "q_time")
    job = NewBeaconJob(
        consumer_key=ctx.caller.key,
        name=request.name,
        owner=choose_owner(request.user_id, request.user_guid, ctx.user_id, ctx.caller),
        beacon_name=request.beacon_name,
        tags=request.tags,
        tasks=request.tasks,
        queued=is_on(request.q) or q_time is not None,
        q_time=q_time,
        rule=await make_rule(ctx.db, read_schedule(request), request.zone) if is_on(request.schedule) else None,
    )
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        job_id = await add_job(tx, ctx.organisation_id, job)
        made = await read_job(tx, ctx.organisation_id, job_id)
        await jobs.accept(ctx, tx, made)
    ctx.room.ring()
    return made


@action("update")
async def update_job(ctx: Context, request: UpdateBeaconJob) -> BeaconJob:
    """Tell how far a job is and renew its lease, as who holds it; or cancel it."""
    cur_task = request.cur_task if request.curtask is None else request.curtask
    results = request.result + request.result_list
    if request.claim_token is None and (cur_task is not None or results):
        raise ApiError(Code.missing_parameter, "`claim_token` must be given with `curtask` and `result`")
    async with holding(ctx, request.job_id) as tx:
        if request.claim_token is not None:
            await renew(
                tx,
                ctx.organisation_id,
                request.job_id,
                request.claim_token,
                ctx.settings,
                cur_task=cur_task,
                results=results,
            )
        if request.schedule_active is not UNSET:
            await switch(tx, ctx.organisation_id, request.job_id, is_active=not is_off(request.schedule_active))
        if request.cancel:
            await cancel(tx, ctx.organisation_id, request.job_id)
        return await read_job(tx, ctx.organisation_id, request.job_id)


def read_schedule(request: SetBeaconJob) -> Schedule:
    """The cron fields of a scheduled job."""
    return Schedule(
        min=request.min,
        hour=request.hour,
        dom=request.dom,
        dow=request.dow,
        month=request.month,
        start_date=request.start_date,
        end_date=request.end_date,
    )


def read_filters(request: GetBeaconJobs) -> dict[str, Any]:
    """The filters that were given, as they are compared."""
    given = {name: value for name in FILTERS if (value := getattr(request, name)) is not UNSET}
    for name in given.keys() & TIMES:
        moment: datetime | None = read_moment(given[name], name)
        given[name] = None if moment is None else moment.replace(microsecond=0)
    if given.get("result") is not None:
        given["result"] = digest(given["result"])
    if given.get("user") is not None:
        given["user"] = str(given["user"])
    return given
