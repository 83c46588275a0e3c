"""Execute definitions, and read how their executions went."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobgate import definitions
from jobgate.context import Context, Reply, Request, Severity
from jobgate.definitions import ExecutionFilter, ExecutionRecord, ExecutionState, find_executions
from jobgate.errors import ApiError, Code
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.times import Moment, read_moment

MAX_EXECUTIONS = 50
MAX_LOGS = 1000


class ExecuteDefinition(Request, frozen=True, kw_only=True):
    """What to execute."""

    job_id: uuid.UUID
    """A definition."""


class ExecutionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was started."""

    job_id: uuid.UUID
    message: str
    trigger_id: uuid.UUID
    """The execution can be found by it."""


class GetExecutions(Request, frozen=True, kw_only=True):
    """Which executions to read: of a definition, of a trigger, or both; one must fit all filters that are given."""

    job_id: uuid.UUID | None = None
    trigger_id: uuid.UUID | None = None
    """All zeros, with `job_id`: executions that no call asked for."""
    state: list[ExecutionState] | None = None
    """In one of these states."""
    mintime: Moment | None = None
    """Created at this time or later: Unix seconds or ISO 8601."""
    maxtime: Moment | None = None
    """Created at this time or earlier."""
    severity: Severity | None = None
    """With a log entry at least as severe; less severe entries are left out."""
    text: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """With a log entry that contains this, in capitals or not; other entries are left out."""
    parameter: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """The name of a parameter, with dots between names (`filter.store`), numbers for places in a list."""
    value: Any = None
    """What that parameter must be; null: null or absent."""
    log_limit: Annotated[int, Meta(ge=0, le=MAX_LOGS)] = 100
    """At most so many log entries of each execution: the newest."""
    limit: Annotated[int, Meta(ge=1)] = MAX_EXECUTIONS
    """At most 50; more is taken for 50. With filters a page may be shorter although there is a `next`."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


@action("set")
async def execute_definition(ctx: Context, request: ExecuteDefinition) -> ExecutionAnswer:
    """Execute a definition as soon as possible. One that waits for its execution already gives the trigger of that."""
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        asked = await definitions.execute(tx, ctx.organisation_id, request.job_id, ctx.caller.key)
    ctx.ring()
    if not asked.is_new:
        message = "An execution is waiting already; this is its trigger."
    elif asked.after is not None:
        message = "The execution begins when the one that is running has ended."
    else:
        message = "The execution was started."
    return ExecutionAnswer(job_id=request.job_id, message=message, trigger_id=asked.trigger_id)


@action("get")
async def read_executions(ctx: Context, request: GetExecutions) -> Reply[list[ExecutionRecord]]:
    """Read executions with their log entries, newest first."""
    if request.job_id is None and request.trigger_id in (None, definitions.NO_TRIGGER):
        raise ApiError(Code.missing_parameter, "`job_id`, or the `trigger_id` of a call, must have a non-null value")
    wanted = ExecutionFilter(
        definition_id=request.job_id,
        trigger_id=request.trigger_id,
        states=request.state,
        earliest=read_moment(request.mintime, "mintime"),
        latest=read_moment(request.maxtime, "maxtime"),
        severity=request.severity,
        text=request.text,
        parameter=None if request.parameter is None else request.parameter.split("."),
        value=request.value,
    )
    async with ctx.db.reading(ctx.organisation_id) as db:
        found, following = await find_executions(
            db,
            ctx.organisation_id,
            wanted,
            before=read_next(request.next),
            limit=min(request.limit, MAX_EXECUTIONS),
            log_limit=request.log_limit,
            max_bytes=ctx.settings.max_answer,
        )
    return Reply(data=found, records=len(found), next=following)
