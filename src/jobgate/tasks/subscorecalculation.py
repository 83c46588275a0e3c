"""Jobs of `jobs/sessions/scores/subscores`: calculate the subscores of sessions from what is stored with them."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from jobgate import wire
from jobgate.context import Batch
from jobgate.registry import task
from jobgate.scoring.subscores import Item, Mark, SubscoreDefinition, TooMuchListed, calculate_each
from jobgate.session_updates import finish, tell
from jobgate.turns import Turns

SLICE_SESSIONS = 50
"""How many sessions are in memory at once: one may be as large as a packet."""

UNREADABLE = "what is stored with the session as definitions or items cannot be read"
TOO_LARGE = "the subscores would list too many items: define fewer, or name items instead of tags"


class SubscoreParams(msgspec.Struct, frozen=True, kw_only=True):
    """What `jobs/sessions/scores/subscores` accepted."""

    session_id: list[str]


@task("subscorecalculation")
async def calculate_subscores(batch: Batch[SubscoreParams]) -> None:
    """Calculate the subscores of every session that the batch names, once, for the newest job that does."""
    newest = {session_id: job.facts.id for job in batch.jobs for session_id in job.params.session_id}
    rows = await batch.db.fetch("lock_sessions_for_subscores", batch.organisation_id, list(newest))
    due = [row["id"] for row in rows if row["written_by"] < newest[row["session_id"]]]
    refused: dict[str, str] = {}
    for start in range(0, len(due), SLICE_SESSIONS):
        refused |= await _update(batch, due[start : start + SLICE_SESSIONS], newest)
    sessions = {row["session_id"]: row for row in rows}
    for job in batch.jobs:
        finish(job, [tell(session_id, sessions, refused, job.facts.id) for session_id in job.params.session_id])


async def _update(batch: Batch[SubscoreParams], numbers: list[int], newest: dict[str, int]) -> dict[str, str]:
    """Calculate and store the subscores of some sessions; why it was not done, by session."""
    rows = await batch.db.fetch("find_subscore_parts", batch.organisation_id, numbers)
    subscores, refused = await _calculate(rows, await _marks(batch, numbers))
    await batch.db.execute(
        "update_session_subscores",
        batch.organisation_id,
        list(subscores),
        list(subscores.values()),
        [newest[session_id] for session_id in subscores],
    )
    return refused


async def _marks(batch: Batch[SubscoreParams], numbers: list[int]) -> dict[int, list[Mark]]:
    """The marks of each session, by its number."""
    rows = await batch.db.fetch("find_scored_responses", batch.organisation_id, numbers)
    marks: dict[int, list[Mark]] = {}
    turns = Turns()
    for number, group in groupby(rows, itemgetter(0)):
        marks[number] = [Mark(*row[1:]) for row in group]
        await turns.pass_on()
    return marks


async def _calculate(sessions: list[Any], marks: dict[int, list[Mark]]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Subscores as JSON by session, and why others have none.

    The work is done in slices that leave the event loop room.
    """
    subscores: dict[str, bytes] = {}
    refused: dict[str, str] = {}
    turns = Turns()
    for row in sessions:
        try:
            definitions = wire.decode(row["subscore_definitions"], list[SubscoreDefinition])
            items = wire.decode(row["items"], list[Item])
        except wire.Undecodable:
            refused[row["session_id"]] = UNREADABLE
            continue
        try:
            found = []
            for subscore in calculate_each(definitions, items, marks.get(row["id"], [])):
                found.append(subscore)
                await turns.pass_on()
            subscores[row["session_id"]] = wire.encode(found)
        except TooMuchListed:
            refused[row["session_id"]] = TOO_LARGE
        await turns.pass_on()
    return subscores, refused
