"""Definitions as they are read."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.paging import NEWEST
from jobgate.schedule import Rule, Schedule, recall

Overlap = Literal["skip", "queue", "allow"]
"""What happens to a tick while an execution has not ended: nothing runs, one waits for it, or both run."""

NEXT_RUNS = 5
"""How many of the nominal times to come an answer shows."""


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A saved job."""

    id: uuid.UUID
    number: int
    """The order in which they were saved; pages go by it."""
    consumer_key: str
    name: str
    type: str
    params: bytes
    """JSON."""
    schedule: Schedule | None
    zone: str
    overlap: Overlap
    catch_up_s: int
    active: bool
    store_id: int | None
    service: str | None
    created_at: datetime
    updated_at: datetime
    next_run_at: datetime | None
    """Its next nominal time; None when nothing is due any more, or it is not active."""
    last_run_at: datetime | None
    """When an execution began last."""
    ran: int
    """How many of its executions have ended."""
    is_running: bool
    is_waiting: bool
    """An execution is queued."""
    is_requested: bool
    """An execution is queued that no tick asked for."""

    @property
    def rule(self) -> Rule | None:
        """What its schedule says."""
        return None if self.schedule is None else recall(self.schedule, self.zone)

    @property
    def next_runs(self) -> list[datetime]:
        """The nominal times to come, a few of them."""
        if self.next_run_at is None or self.rule is None:
            return []
        return [self.next_run_at, *self.rule.upcoming(self.next_run_at, NEXT_RUNS - 1)]


async def find(
    db: Transaction,
    organisation_id: int,
    *,
    ids: Sequence[uuid.UUID] | None = None,
    type: str | None = None,
    name: str | None = None,
    store_id: int | None = None,
    service: str | None = None,
    before: int = NEWEST,
    limit: int,
) -> list[Definition]:
    """The organisation's definitions that fit every filter, the newest first; `before` is the number of one.

    `name` is a part of the name, in capitals or not.
    """
    filters = (ids, type, name, store_id, service)
    rows = await db.fetch("find_definitions", organisation_id, before, *filters, limit)
    return [_read(row) for row in rows]


def _read(row: Record) -> Definition:
    return Definition(
        id=row["id"],
        number=row["number"],
        consumer_key=row["consumer_key"],
        name=row["name"],
        type=row["type"],
        params=row["params"],
        schedule=read_schedule(row["schedule"]),
        zone=row["zone"],
        overlap=row["overlap"],
        catch_up_s=row["catch_up_s"],
        active=row["active"],
        store_id=row["store_id"],
        service=row["service"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        next_run_at=row["next_run_at"],
        last_run_at=row["last_run_at"],
        ran=row["ran"],
        is_running=row["running"],
        is_waiting=row["waiting"],
        is_requested=row["is_requested"],
    )


def read_schedule(stored: bytes | None) -> Schedule | None:
    """A schedule as it was stored."""
    return None if stored is None else wire.decode(stored, Schedule)
