"""Jobs that follow a completed adaptive session: report how the estimate of the learner's ability moved."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

import msgspec

from jobgate import wire
from jobgate.context import Batch
from jobgate.db import Record
from jobgate.registry import task
from jobgate.scoring.adaptive import AdaptiveReport, conclude, take_steps
from jobgate.scoring.subscores import Item, Mark
from jobgate.session_updates import finish, tell
from jobgate.turns import Turns

SLICE_SESSIONS = 50
"""How many sessions are in memory at once: one may be as large as a packet."""

PLAIN = "the session is not adaptive: none of its items has parameters"
UNREADABLE = "what is stored with the session as items cannot be read"


class ReportParams(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions that were completed."""

    session_id: list[str]


@task("adaptivereport")
async def write_reports(batch: Batch[ReportParams]) -> None:
    """Write the report of every adaptive session that the batch names, once, for the newest job that does."""
    newest = {session_id: job.facts.id for job in batch.jobs for session_id in job.params.session_id}
    rows = await batch.db.fetch("lock_sessions_for_reports", batch.organisation_id, list(newest))
    sessions = {row["session_id"]: row for row in rows}
    refused = {session_id: PLAIN for session_id, row in sessions.items() if not row["is_adaptive"]}
    due = [row for row in rows if row["is_adaptive"] and row["written_by"] < newest[row["session_id"]]]
    for start in range(0, len(due), SLICE_SESSIONS):
        some = {row["id"]: row["session_id"] for row in due[start : start + SLICE_SESSIONS]}
        reports = await _report(batch, list(some))
        refused |= {some[number]: UNREADABLE for number in some.keys() - reports.keys()}
        await batch.db.execute(
            "store_adaptive_reports",
            batch.organisation_id,
            list(reports),
            list(reports.values()),
            [newest[some[number]] for number in reports],
        )
    for job in batch.jobs:
        finish(job, [tell(session_id, sessions, refused, job.facts.id) for session_id in job.params.session_id])


async def _report(batch: Batch[ReportParams], numbers: list[int]) -> dict[int, bytes]:
    """The reports of these sessions as JSON, by their numbers; without those whose items cannot be read."""
    sessions = await batch.db.fetch("find_session_items", batch.organisation_id, numbers)
    responses = await batch.db.fetch("find_scored_responses", batch.organisation_id, numbers)
    turns = Turns()
    marks, reports = {}, {}
    for number, group in groupby(responses, itemgetter(0)):
        marks[number] = [Mark(*row[1:]) for row in group]
        await turns.pass_on()
    for session in sessions:
        report = await _work_out(session, marks.get(session["id"], []), turns)
        if report is not None:
            reports[session["id"]] = wire.encode(report)
    return reports


async def _work_out(session: Record, marks: list[Mark], turns: Turns) -> AdaptiveReport | None:
    """The report of one session, step by step; None: its items cannot be read."""
    try:
        items = wire.decode(session["items"], list[Item])
    except wire.Undecodable:
        return None
    taken = []
    for step in take_steps(items, marks):
        taken.append(step)
        await turns.pass_on()
    return conclude(taken)
