"""Deliveries as their consumers see them: what was announced, how often it was tried, what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from jobgate.context import Reply
from jobgate.db import Record, Transaction
from jobgate.errors import Code
from jobgate.outbox.announcements import Kind
from jobgate.sessions.records import JsonObject
from jobgate.times import show_moment

DeliveryState = Literal["queued", "delivered", "failed"]
DeliveryKind = Kind | Literal["test", "webhook"]


class DeliveryTry(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a delivery."""

    number: int
    """From 1."""
    ended_at: str | None
    ms: int
    """How long it took."""
    status: int | None
    """What the target answered; null when there was no answer."""
    error: str | None
    """Why the try did not count as a success."""
    answer: str | None
    """The first 1024 bytes of the answer."""


class PushDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was announced to a target."""

    id: uuid.UUID
    """The `webhook-id` header of every try."""
    target_id: uuid.UUID
    kind: DeliveryKind
    session_id: str | None
    state: DeliveryState
    created_at: str | None
    ended_at: str | None
    next_try_at: str | None
    """While it is queued: not before."""
    body: JsonObject
    tries: list[DeliveryTry]
    """The last twenty, oldest first."""


class RedeliveredEntry(msgspec.Struct, frozen=True, kw_only=True):
    """How a delivery took it to be sent again."""

    id: uuid.UUID
    status: Literal["ok", "error"] = "ok"
    code: int | UnsetType = UNSET
    message: str | UnsetType = UNSET


async def find_deliveries(
    db: Transaction,
    organisation_id: int,
    *,
    ids: Sequence[uuid.UUID] | None,
    target_id: uuid.UUID | None,
    state: DeliveryState | None,
    session_id: str | None,
    before: int,
    limit: int,
) -> Reply[list[PushDelivery]]:
    """A page of deliveries, newest first, from `before` on: what the page before answered as `next`."""
    args = (organisation_id, before, state, target_id, limit + 1)
    # The statement that walks the index of the narrowest filter.
    if ids is not None:
        found = await db.fetch("page_deliveries_named", *args, ids, session_id)
    elif session_id is not None:
        found = await db.fetch("page_deliveries_of_session", *args, session_id)
    elif state in ("queued", "failed"):
        found = await db.fetch("page_deliveries_in_state", *args)
    elif target_id is not None:
        found = await db.fetch("page_deliveries_of_target", *args)
    else:
        found = await db.fetch("page_deliveries", *args)
    numbers = [row["number"] for row in found]
    rows = await db.fetch("read_deliveries", organisation_id, numbers[:limit])
    made = await db.fetch("find_tries", organisation_id, [row["id"] for row in rows])
    tries = {id: list(map(_show_try, group)) for id, group in groupby(made, itemgetter("delivery_id"))}
    data = [_show(row, tries.get(row["id"], [])) for row in rows]
    return Reply(data=data, records=len(data), next=str(numbers[limit - 1]) if len(numbers) > limit else None)


async def redeliver(db: Transaction, organisation_id: int, ids: Sequence[uuid.UUID]) -> list[RedeliveredEntry]:
    """Queue ended deliveries again, each with its old id and a new day of tries; one answer for each, in order."""
    before = {row["id"]: row["state"] for row in await db.fetch("find_delivery_states", organisation_id, ids)}
    queued = {row["id"] for row in await db.fetch("redeliver", organisation_id, ids)}
    return [_tell(id, before.get(id), id in queued) for id in ids]


def _tell(id: uuid.UUID, state: DeliveryState | None, is_queued: bool) -> RedeliveredEntry:
    if is_queued:
        return RedeliveredEntry(id=id)
    if state is None:
        return _refuse(id, Code.unsupported_value, "the delivery is not known")
    if state == "queued":
        return _refuse(id, Code.conflict, "the delivery is queued already")
    return _refuse(id, Code.conflict, "the target is gone or disabled")


def _refuse(id: uuid.UUID, code: Code, message: str) -> RedeliveredEntry:
    return RedeliveredEntry(id=id, status="error", code=code.number, message=message)


def _show(row: Record, tries: list[DeliveryTry]) -> PushDelivery:
    return PushDelivery(
        id=row["id"],
        target_id=row["target_id"],
        kind=row["kind"],
        session_id=row["session_id"],
        state=row["state"],
        created_at=show_moment(row["created_at"]),
        ended_at=show_moment(row["ended_at"]),
        next_try_at=show_moment(row["due_at"]),
        body=Raw(row["body"]),
        tries=tries,
    )


def _show_try(row: Record) -> DeliveryTry:
    return DeliveryTry(
        number=row["number"],
        ended_at=show_moment(row["ended_at"]),
        ms=row["ms"],
        status=row["status"],
        error=row["error"],
        answer=row["answer"],
    )
