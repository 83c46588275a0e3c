"""Ticks: each nominal time of a definition comes once, and becomes one row, with its job in the same transaction.

    due ──┬── the latest, not too late ──┬── nothing else has not ended ──> started
          │                              └── otherwise, by `overlap` ─────> started, or skipped
          └── all others ─────────────────────────────────────────────────> missed

Any number of sweepers may tick at once: who locks a definition sees what is due of it then, and the key of a tick lets
no other in. The clock is that of the database; one that jumps back makes everybody wait until it was.
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
"""Definitions that are looked at together."""

PUNCTUAL_S = 60
"""A minute is what schedules count in: a time that came so long ago is not late."""

MAX_OPEN = 100
"""Executions of one definition that have not ended, where they may overlap; beyond them ticks are skipped."""

Outcome = Literal["started", "skipped", "missed"]


class Tick(NamedTuple):
    """One nominal time, and what becomes of it."""

    definition_id: uuid.UUID
    due_at: datetime
    outcome: Outcome
    reference: uuid.UUID | None = None
    """The job that it starts."""
    after: uuid.UUID | None = None
    """The job that must have ended before."""


async def tick(db: Database, settings: Settings, now: datetime | None = None) -> bool:
    """Queue the jobs of what is due by now; True when there may be more. `now`: another time than the database's."""
    now = now or await db.fetchval("read_clock")
    assert now is not None  # the statement always gives one row
    due = await db.fetch("find_due_definitions", now, BATCH)
    due_by_organisation: dict[int, list[uuid.UUID]] = {}
    for row in due:
        due_by_organisation.setdefault(row["organisation_id"], []).append(row["definition_id"])
    ticked = is_behind = False
    for organisation_id, ids in due_by_organisation.items():
        async with db.transaction(organisation_id) as tx:
            for plan in await _tick(tx, organisation_id, ids, now, settings.ticks_kept_days):
                ticked = True
                is_behind |= plan.is_behind(now)
    return ticked and (is_behind or len(due) == BATCH)


async def _tick(
    db: Transaction, organisation_id: int, ids: Sequence[uuid.UUID], now: datetime, kept_days: int
) -> list[Plan]:
    """Tick those of these definitions of one organisation that nobody else ticks, changes or executes."""
    rows = await db.fetch("lock_due_definitions", organisation_id, ids, now)
    if not rows:
        return []
    locked = [row["definition_id"] for row in rows]
    # After the locks: what was queued before them is seen.
    unended: dict[uuid.UUID, list[Record]] = {}
    for execution in await db.fetch("find_open_executions", locked):
        unended.setdefault(execution["definition_id"], []).append(execution)
    since = now - timedelta(days=kept_days)
    turns = Turns()
    plans: list[Plan] = []
    ticks: list[Tick] = []
    for row in rows:
        rule = _recall(row)
        plan = make_plan(rule, row["due_at"], now, since=since, rules=len(rows))
        plans.append(plan)
        ticks += judge(row, rule, plan, now, unended.get(row["definition_id"], []))
        await turns.pass_on()
    await db.execute("record_ticks", organisation_id, *map(list, zip(*ticks, strict=True)))
    last, following = [plan.times[-1] for plan in plans], [plan.next_at for plan in plans]
    await db.execute("plan_definitions", organisation_id, locked, last, following)
    await db.execute("delete_past_ticks", organisation_id, locked, since)
    return plans


def judge(row: Record, rule: Rule | None, plan: Plan, now: datetime, unended: Sequence[Record]) -> list[Tick]:
    """What becomes of the times that have come."""
    id, (*missed, latest) = row["definition_id"], plan.times
    ticks = [Tick(id, due_at, "missed") for due_at in missed]
    if plan.is_behind(now) or _is_late(row, rule, latest, now):
        return [*ticks, Tick(id, latest, "missed")]
    outcome, after = _place(row["overlap"], unended)
    return [*ticks, Tick(id, latest, outcome, uuid.uuid4() if outcome == "started" else None, after)]


def _is_late(row: Record, rule: Rule | None, due_at: datetime, now: datetime) -> bool:
    """What is due once is never late: a date may lie in the past when it is saved."""
    if rule is None:
        return True
    return rule.pattern is not None and now - due_at > timedelta(seconds=max(PUNCTUAL_S, row["catch_up_s"]))


def _place(overlap: str, unended: Sequence[Record]) -> tuple[Outcome, uuid.UUID | None]:
    """Whether another execution may be queued, and what it waits for."""
    if not unended or (overlap == "allow" and len(unended) < MAX_OPEN):
        return "started", None
    if overlap == "queue" and not any(execution["is_pending"] for execution in unended):
        return "started", unended[-1]["reference"]
    return "skipped", None


def _recall(row: Record) -> Rule | None:
    """The rule of a definition; None when it cannot be read any more: its time is missed, and no other comes."""
    try:
        return recall(wire.decode(row["schedule"], Schedule), row["zone"])
    except (ApiError, wire.Undecodable) as error:
        log.failure(logger, "definition.unreadable", error, definition=row["definition_id"])
        return None
