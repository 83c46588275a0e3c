"""Jobs of `sessions/responses/scores`: set the scores that people give to responses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from jobgate.context import Batch, BatchJob
from jobgate.db import Record
from jobgate.errors import Code
from jobgate.follow_ups import queue_follow_ups
from jobgate.manual_scores import Impossible, ManualMark, ManualScore, ManualScores
from jobgate.registry import task
from jobgate.session_scores import Tally, portion, store_rows, store_totals
from jobgate.session_updates import SessionResult, finish, foreign_session, link, refuse, unknown_session
from jobgate.turns import Turns

PORTION_RESPONSES = 2_000
"""How many responses are in memory at once."""


class ManualEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One session and the scores of some of its responses."""

    session_id: str
    user_id: str
    responses: list[ManualScore]


class ManualParams(msgspec.Struct, frozen=True, kw_only=True):
    """What `sessions/responses/scores` accepted."""

    sessions: list[ManualEntry]


class Place(NamedTuple):
    """An entry, its job, and where it stands there."""

    entry: ManualEntry
    job: BatchJob[ManualParams]
    number: int


Places = Mapping[str, Sequence[Place]]
"""The entries of each session, oldest first."""


@task("manualresponseupdate")
async def update_manual_scores(batch: Batch[ManualParams]) -> None:
    """Give the responses their scores, one entry after the other, add up their sessions, and queue what follows."""
    places: dict[str, list[Place]] = defaultdict(list)
    for job in batch.jobs:
        job.results = [unknown_session(entry.session_id, entry.user_id) for entry in job.params.sessions]
        for number, entry in enumerate(job.params.sessions):
            places[entry.session_id].append(Place(entry, job, number))
    rows = await batch.db.fetch("lock_sessions_to_mark", batch.organisation_id, list(places))
    changed: list[Place] = []
    for sessions in portion(rows, PORTION_RESPONSES):
        changed += await _update(batch, sessions, places)
    await _follow_up(batch, changed)
    for job in batch.jobs:
        finish(job, job.results)


async def _update(batch: Batch[ManualParams], sessions: Sequence[Record], places: Places) -> list[Place]:
    """Carry out the entries of some sessions; of every session that has changed, the last that took effect."""
    rows = await batch.db.fetch("find_marks", batch.organisation_id, [row["id"] for row in sessions])
    found = {number: list(group) for number, group in groupby(rows, itemgetter("session_no"))}
    tallies: list[Tally] = []
    written: list[ManualMark] = []
    changed: list[Place] = []
    turns = Turns()
    for session in sessions:
        scores = ManualScores(session["id"], found.get(session["id"], []))
        last = _give_all(places[session["session_id"]], session, scores)
        written += scores.written()
        tally = scores.tally()
        if last is not None and tally.changed:
            tallies.append(tally)
            changed.append(last)
        await turns.pass_on()
    await store_rows(batch.db, "update_manual_scores", batch.organisation_id, written)
    await store_totals(batch.db, batch.organisation_id, tallies)
    return changed


def _give_all(places: Sequence[Place], session: Record, scores: ManualScores) -> Place | None:
    """Carry out the entries of one session, and note how each ended; the last that took effect."""
    last = None
    for place in places:
        result = place.job.results[place.number] = _give(place, session, scores)
        if result.status == "ok" and result.superseded is not True:
            last = place
    return last


def _give(place: Place, session: Record, scores: ManualScores) -> SessionResult:
    entry, job_id = place.entry, place.job.facts.id
    session_id, user_id = entry.session_id, entry.user_id
    if session["user_id"] != user_id:
        return foreign_session(session_id, user_id)
    if session["set_by"] > job_id:
        return SessionResult(session_id=session_id, user_id=user_id, superseded=True)
    try:
        took_effect = scores.give(entry.responses, job_id)
    except Impossible as reason:
        return refuse(session_id, user_id, Code.unsupported_value, str(reason))
    return SessionResult(session_id=session_id, user_id=user_id, superseded=UNSET if took_effect else True)


async def _follow_up(batch: Batch[ManualParams], changed: Sequence[Place]) -> None:
    """Queue what follows from these entries, and link it from their results."""
    named = ((job.facts, entry.session_id) for entry, job, _ in changed)
    links = await queue_follow_ups(batch.db, batch.organisation_id, named, rescore=False)
    for entry, job, number in changed:
        job.results[number] = link(job.results[number], links.get((job.facts.id, entry.session_id)))
