"""Announcing: one delivery for each session and target, in the transaction of the change that it tells."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Literal

import msgspec

from jobgate import wire
from jobgate.db import Transaction
from jobgate.sessions.reading import Parts, Session, read_sessions
from jobgate.sessions.records import show_scores, show_status

Kind = Literal["session.status", "session.score"]

SLICE_SESSIONS = 100
"""How many sessions are in memory at once, and shown without a pause."""

_ANY_SIZE = 2**62


class PushTest(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a test."""

    type: Literal["test"] = "test"
    target_id: uuid.UUID
    request_id: str
    """Of the call that asked for it."""


async def has_target(db: Transaction, organisation_id: int, *kinds: Kind) -> bool:
    """Does any target of the organisation want to hear of one of these kinds?"""
    return bool(await db.fetchval("has_push_target", organisation_id, kinds))


async def announce(db: Transaction, organisation_id: int, kind: Kind, session_ids: Sequence[str]) -> None:
    """Queue one delivery for each of these sessions and each target that wants to hear of the kind.

    A body is the record that `sessions/statuses` or `sessions/scores` would answer in this transaction. Unknown
    sessions are passed over; without a target it costs one short query.
    """
    if not session_ids or not await has_target(db, organisation_id, kind):
        return
    distinct = list(dict.fromkeys(session_ids))
    for start in range(0, len(distinct), SLICE_SESSIONS):
        named = distinct[start : start + SLICE_SESSIONS]
        sessions = await read_sessions(
            db, organisation_id, named, Parts(subscores=kind == "session.score"), max_bytes=_ANY_SIZE
        )
        bodies = [_show(session, kind) for session in sessions]
        await db.execute(
            "insert_deliveries", organisation_id, kind, [session.session_id for session in sessions], bodies
        )
        await asyncio.sleep(0)


async def announce_test(
    db: Transaction, organisation_id: int, target_id: uuid.UUID, request_id: str
) -> uuid.UUID | None:
    """Queue a test for one target; the delivery's id, None where the target is unknown or disabled."""
    body = wire.encode(PushTest(target_id=target_id, request_id=request_id))
    found: uuid.UUID | None = await db.fetchval("insert_delivery", organisation_id, target_id, "test", body)
    return found


def _show(session: Session, kind: Kind) -> bytes:
    return wire.encode(show_status(session) if kind == "session.status" else show_scores(session))
