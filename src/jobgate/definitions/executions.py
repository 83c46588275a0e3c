"""Executions as they are read: how each went, and what it logged."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, Literal

import msgspec

from jobgate import wire
from jobgate.context import Severity
from jobgate.db import Record, Transaction
from jobgate.definitions.executing import NO_TRIGGER
from jobgate.errors import ApiError, Code
from jobgate.times import show_moment

ExecutionState = Literal[0, 1, 2, 3, 4, 5]
STATES = ("created", "running", "completed", "failed", "completed with errors", "completed with warnings")
SEVERITIES = ("information", "warning", "error")

_JOB_STATES = ("queued", "running", "completed", "halted", "completed", "completed")
"""The state of the job behind each state of an execution."""

TROUBLED = frozenset({2, 4, 5})
"""States that only the log tells apart."""

_NO_FILTERS = (None, None, None, None, None)

PORTION = 200
WALK = 1000
"""With filters, so many executions are looked at together, and in one call."""

LOGS_OF = 5
"""Executions whose log entries are read together."""


class ExecutionLog(msgspec.Struct, frozen=True, kw_only=True):
    """Something that an execution said."""

    id: uuid.UUID
    execution_id: uuid.UUID
    time_stamp: str
    severity: int
    """0 information, 1 warning, 2 error."""
    severity_name: str
    message: str


class ExecutionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a definition."""

    id: uuid.UUID
    """The reference of its job."""
    job_id: uuid.UUID
    """The definition."""
    state: int
    """0 created, 1 running, 2 completed, 3 failed, 4 completed with errors, 5 completed with warnings."""
    state_name: str
    create_time: str
    end_time: str | None
    trigger_id: uuid.UUID
    """The call that asked for it; all zeros: its schedule did."""
    logs: list[ExecutionLog]
    """The newest entries, in the order in which they were written."""


class ExecutionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which executions to find: of a definition, of a trigger, or both; they fit everything else that is given."""

    definition_id: uuid.UUID | None = None
    trigger_id: uuid.UUID | None = None
    states: Sequence[ExecutionState] | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    """All of its second."""
    severity: Severity | None = None
    """At least one entry is as severe; only such entries are shown."""
    text: str | None = None
    """At least one entry contains it; only such entries are shown."""
    parameter: Sequence[str] | None = None
    """The path of a parameter that must be `value`; null stands for absent."""
    value: Any = None


async def find_executions(
    db: Transaction,
    organisation_id: int,
    wanted: ExecutionFilter,
    *,
    before: int,
    limit: int,
    log_limit: int,
    max_bytes: int,
) -> tuple[list[ExecutionRecord], str | None]:
    """A page of executions, newest first, and the token of the next one, which may be there although a page is short.

    Raises 20027 when their log entries are longer than `max_bytes`.
    """
    rows, following = await _walk(db, organisation_id, wanted, before, limit)
    logs = await _read_logs(db, rows, wanted, log_limit, max_bytes)
    return [_show(row, logs.get(row["id"], [])) for row in rows], following


async def _walk(
    db: Transaction, organisation_id: int, wanted: ExecutionFilter, before: int, limit: int
) -> tuple[list[Record], str | None]:
    """Look at a bounded number of executions, however few of them fit."""
    by_trigger = wanted.trigger_id not in (None, NO_TRIGGER)
    name = "walk_executions_of_trigger" if by_trigger else "walk_executions"
    bounds, filters = _read_bounds(wanted), _read_filters(wanted)
    portion = limit + 1 if filters is _NO_FILTERS else PORTION
    found: list[Record] = []
    for _ in range(0, WALK, PORTION):
        walked = await db.fetch(name, organisation_id, wanted.definition_id, before, portion, *bounds)
        found += await db.fetch("find_executions", organisation_id, [row["id"] for row in walked], *filters)
        if len(found) > limit:
            return found[:limit], str(found[limit - 1]["id"])
        if len(walked) < portion:
            return found, None
        before = walked[-1]["id"]
    return found, str(before)


def _read_bounds(wanted: ExecutionFilter) -> tuple[Any, ...]:
    """What the walk itself can tell."""
    latest = wanted.latest
    if latest is not None and latest.microsecond == 0:
        latest += timedelta(microseconds=999_999)
    states = None if wanted.states is None else [_JOB_STATES[state] for state in wanted.states]
    return states, wanted.earliest, latest, wanted.trigger_id


def _read_filters(wanted: ExecutionFilter) -> tuple[Any, ...]:
    """What must be looked up for every execution."""
    is_open = wanted.severity is None and wanted.text is None and wanted.parameter is None
    if is_open and not TROUBLED.intersection(wanted.states or ()):
        return _NO_FILTERS
    return wanted.states, wanted.severity, wanted.text, wanted.parameter, wire.encode(wanted.value)


async def _read_logs(
    db: Transaction, rows: Sequence[Record], wanted: ExecutionFilter, log_limit: int, max_bytes: int
) -> dict[int, list[ExecutionLog]]:
    """A few executions at a time: each may have logged a lot."""
    references = {row["id"]: row["reference"] for row in rows}
    ids = list(references)
    logs: dict[int, list[ExecutionLog]] = {}
    size = 0
    for start in range(0, len(ids), LOGS_OF):
        some = ids[start : start + LOGS_OF]
        entries = await db.fetch("find_execution_logs", some, log_limit, wanted.severity, wanted.text)
        size += sum(len(entry["message"]) for entry in entries)
        if size > max_bytes:
            raise ApiError(Code.answer_too_large, "the answer would be too large; ask for less: lower `log_limit`")
        for id, group in groupby(entries, itemgetter("job_id")):
            logs[id] = [_show_log(entry, references[id]) for entry in group]
    return logs


def _show_log(entry: Record, reference: uuid.UUID) -> ExecutionLog:
    return ExecutionLog(
        # A number in the database, a UUID on the wire: unique as both of its parts are, and always the same.
        id=uuid.UUID(int=reference.int ^ entry["id"]),
        execution_id=reference,
        time_stamp=str(show_moment(entry["at"])),
        severity=entry["severity"],
        severity_name=SEVERITIES[entry["severity"]],
        message=entry["message"],
    )


def _show(row: Record, logs: list[ExecutionLog]) -> ExecutionRecord:
    return ExecutionRecord(
        id=row["reference"],
        job_id=row["definition_id"],
        state=row["outcome"],
        state_name=STATES[row["outcome"]],
        create_time=str(show_moment(row["created_at"])),
        end_time=show_moment(row["completed_at"]),
        trigger_id=row["trigger_id"],
        logs=logs,
    )
