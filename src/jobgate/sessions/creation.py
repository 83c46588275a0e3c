"""Storing sessions as a whole, many at once, as if they came one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from jobgate.db import Transaction
from jobgate.sessions.drafts import Draft
from jobgate.sessions.versions import take_items

Outcome = Literal["stored", "superseded", "foreign"]
"""Foreign: the session belongs to another user. Superseded: a newer job has set it already."""


class Placed(NamedTuple):
    """A draft, and the job that brings it: the larger id is the newer one."""

    draft: Draft
    job_id: int


class _Holder(NamedTuple):
    """Who has a session id, and the job that set the session."""

    user_id: str
    set_by: int


async def store_sessions(db: Transaction, organisation_id: int, sessions: Sequence[Placed]) -> list[Outcome]:
    """Create the sessions, or replace them with their responses; how each of them ended, oldest job first.

    Of a session that comes more than once, the last of its user is stored.
    """
    outcomes: list[Outcome] = ["stored"] * len(sessions)
    open_ids = {placed.draft.session_id for placed in sessions}
    while open_ids:
        chosen = await _judge(db, organisation_id, sessions, open_ids, outcomes)
        open_ids = await _write(db, organisation_id, list(chosen.values()))
        # What is left was created by somebody else after we looked: look again, now it is there to be locked.
    return outcomes


async def _judge(
    db: Transaction, organisation_id: int, sessions: Sequence[Placed], ids: set[str], outcomes: list[Outcome]
) -> dict[str, Placed]:
    """Fill in the outcomes of the sessions with these ids; those that are to be written."""
    rows = await db.fetch("lock_session_holders", organisation_id, list(ids))
    holders = {row["session_id"]: _Holder(row["user_id"], row["set_by"]) for row in rows}
    chosen: dict[str, Placed] = {}
    for index, (draft, job_id) in enumerate(sessions):
        if draft.session_id not in ids:
            continue
        holder = holders.setdefault(draft.session_id, _Holder(draft.user_id, 0))
        if holder.user_id != draft.user_id:
            outcomes[index] = "foreign"
        elif holder.set_by > job_id:
            outcomes[index] = "superseded"
        else:
            outcomes[index] = "stored"
            chosen[draft.session_id] = Placed(draft, job_id)
    return chosen


async def _write(db: Transaction, organisation_id: int, chosen: Sequence[Placed]) -> set[str]:
    """Write the sessions; the ids of those that a session which was not there before kept out."""
    if not chosen:
        return set()
    settled = await take_items(db, organisation_id, [draft for draft, _ in chosen])
    written = await db.fetch(
        "store_sessions",
        organisation_id,
        [bytes(session) for session, _ in settled],
        [is_adaptive for _, is_adaptive in settled],
        [job_id for _, job_id in chosen],
    )
    numbers = {row["session_id"]: row["id"] for row in written}
    await db.execute("delete_responses", organisation_id, list(numbers.values()))
    drafts = [draft for draft, _ in chosen if draft.session_id in numbers]
    responses = [bytes(draft.responses) for draft in drafts]
    await db.execute("insert_responses", organisation_id, [numbers[draft.session_id] for draft in drafts], responses)
    return {draft.session_id for draft, _ in chosen} - numbers.keys()
