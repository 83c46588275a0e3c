"""Ticks of scheduled jobs: each nominal time comes once, and is one row, with the job that it makes, if it makes one.

A run is skipped while an earlier one has not ended. After a standstill the latest tick of the last hour is run, the
others are recorded as missed. Any number of sweepers may tick at once: who locks a scheduled job sees what is due of it
then, and the key of a tick lets no other in. The clock is that of the database.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from jobgate import log, wire
from jobgate.db import Database, Record, Transaction
from jobgate.errors import ApiError
from jobgate.schedule import Plan, Rule, Schedule, make_plan, recall
from jobgate.settings import Settings
from jobgate.turns import Turns

logger = logging.getLogger("jobgate")

BATCH = 250
"""Scheduled jobs that are looked at together."""

MAX_TASKS = 10_000
MAX_TASK_BYTES = 16 * 1024 * 1024
"""What the runs of one look are given to do together; a single one may have more."""

CATCH_UP = timedelta(hours=1)
"""A tick that is later than this is not run any more."""

Outcome = Literal["started", "skipped", "missed"]


class Tick(NamedTuple):
    """One nominal time, and what becomes of it."""

    scheduled_id: uuid.UUID
    due_at: datetime
    outcome: Outcome
    job_id: uuid.UUID | None = None
    """The run that it makes."""


async def tick(db: Database, settings: Settings, now: datetime | None = None) -> bool:
    """Make the jobs of what is due by now; True when there may be more. `now`: another time than the database's."""
    now = now or await db.fetchval("read_clock")
    assert now is not None  # the statement always gives one row
    due = await db.fetch("find_due_schedules", now, BATCH)
    ticked = is_behind = False
    for row in due:
        async with db.transaction(row["organisation_id"]) as tx:
            plans = await _tick(tx, row["organisation_id"], row["ids"], now, settings.ticks_kept_days)
        ticked |= bool(plans)
        is_behind |= len(plans) < len(row["ids"]) or any(plan.is_behind(now) for plan in plans)
    return ticked and (is_behind or sum(len(row["ids"]) for row in due) == BATCH)


async def _tick(
    db: Transaction, organisation_id: int, ids: Sequence[uuid.UUID], now: datetime, kept_days: int
) -> list[Plan]:
    """Tick those of these scheduled jobs of one organisation that nobody else is at, as far as there is room."""
    rows = await db.fetch("lock_due_schedules", organisation_id, ids, now, MAX_TASKS, MAX_TASK_BYTES)
    if not rows:
        return []
    locked = [row["id"] for row in rows]
    # After the locks: a run that was made before them is seen.
    running = {row["scheduled_id"] for row in await db.fetch("find_open_runs", organisation_id, locked)}
    since = now - timedelta(days=kept_days)
    turns = Turns()
    plans: list[Plan] = []
    ticks: list[Tick] = []
    for row in rows:
        rule = _recall(row)
        plan = make_plan(rule, row["next_run"], now, since=since, rules=len(rows))
        plans.append(plan)
        ticks += judge(row["id"], rule, plan, now, is_running=row["id"] in running)
        await turns.pass_on()
    await db.execute("record_beacon_ticks", organisation_id, *map(list, zip(*ticks, strict=True)))
    await db.execute("plan_schedules", organisation_id, locked, [plan.next_at for plan in plans])
    await db.execute("delete_past_beacon_ticks", organisation_id, locked, since)
    return plans


def judge(id: uuid.UUID, rule: Rule | None, plan: Plan, now: datetime, *, is_running: bool) -> list[Tick]:
    """What becomes of the times that have come."""
    *missed, latest = plan.times
    ticks = [Tick(id, due_at, "missed") for due_at in missed]
    if rule is None or plan.is_behind(now) or now - latest > CATCH_UP:
        return [*ticks, Tick(id, latest, "missed")]
    return [*ticks, Tick(id, latest, "skipped") if is_running else Tick(id, latest, "started", uuid.uuid4())]


def _recall(row: Record) -> Rule | None:
    """The rule of a scheduled job; None when it cannot be read any more: its time is missed, and no other comes."""
    try:
        return recall(wire.decode(row["schedule"], Schedule), row["zone"])
    except (ApiError, wire.Undecodable) as error:
        log.failure(logger, "definition.unreadable", error, definition=row["id"])
        return None
