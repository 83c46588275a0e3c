"""Jobs of `jobs/sessions/scores/subscores`: calculate the subscores of sessions from what is stored with them."""

from __future__ import annotations

import asyncio
import time
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from jobgate import wire
from jobgate.context import Batch
from jobgate.errors import Code
from jobgate.registry import task
from jobgate.scoring.subscores import Item, Mark, SubscoreDefinition, calculate
from jobgate.session_updates import SessionResult, finish, unknown_session

SLICE_S = 0.05
"""How long the event loop may wait for arithmetic."""


class SubscoreParams(msgspec.Struct, frozen=True, kw_only=True):
    """What `jobs/sessions/scores/subscores` accepted."""

    session_id: list[str]


@task("subscorecalculation")
async def calculate_subscores(batch: Batch[SubscoreParams]) -> None:
    """Calculate the subscores of every session that the batch names, once, for the newest job that does."""
    newest = {session_id: job.facts.id for job in batch.jobs for session_id in job.params.session_id}
    rows = await batch.db.fetch("lock_sessions_for_subscores", batch.organisation_id, list(newest))
    due = [row for row in rows if row["subscores_by"] < newest[row["session_id"]]]
    subscores, unreadable = await _calculate(due, await _marks(batch, due))
    await batch.db.execute(
        "update_session_subscores",
        batch.organisation_id,
        list(subscores),
        list(subscores.values()),
        [newest[session_id] for session_id in subscores],
    )
    sessions = {row["session_id"]: row for row in rows}
    for job in batch.jobs:
        told = (_tell(session_id, sessions, unreadable, job.facts.id) for session_id in job.params.session_id)
        finish(job, list(told))


async def _marks(batch: Batch[SubscoreParams], sessions: list[Any]) -> dict[int, list[Mark]]:
    """The marks of each session, by its number."""
    rows = await batch.db.fetch("find_scored_responses", batch.organisation_id, [row["id"] for row in sessions])
    return {number: [Mark(*row[1:]) for row in group] for number, group in groupby(rows, itemgetter(0))}


async def _calculate(sessions: list[Any], marks: dict[int, list[Mark]]) -> tuple[dict[str, bytes], set[str]]:
    """Subscores as JSON by session, and the sessions whose definitions or items cannot be read.

    The work is done in slices that leave the event loop room.
    """
    subscores: dict[str, bytes] = {}
    unreadable: set[str] = set()
    pause_at = time.perf_counter() + SLICE_S
    for row in sessions:
        try:
            definitions = wire.decode(row["subscore_definitions"], list[SubscoreDefinition])
            items = wire.decode(row["items"], list[Item])
        except wire.Undecodable:
            unreadable.add(row["session_id"])
            continue
        subscores[row["session_id"]] = wire.encode(calculate(definitions, items, marks.get(row["id"], [])))
        if time.perf_counter() > pause_at:
            await asyncio.sleep(0)
            pause_at = time.perf_counter() + SLICE_S
    return subscores, unreadable


def _tell(session_id: str, sessions: dict[str, Any], unreadable: set[str], job_id: int) -> SessionResult:
    row = sessions.get(session_id)
    if row is None:
        return unknown_session(session_id)
    if row["subscores_by"] > job_id:
        return SessionResult(session_id=session_id, user_id=row["user_id"], superseded=True)
    if session_id in unreadable:
        return SessionResult(
            session_id=session_id,
            user_id=row["user_id"],
            status="error",
            code=Code.unsupported_value.number,
            message="what is stored with the session as definitions or items cannot be read",
        )
    return SessionResult(session_id=session_id, user_id=row["user_id"])
