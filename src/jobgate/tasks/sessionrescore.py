"""Jobs that follow sessions being Completed: score them anew, from the questions that their learners were asked."""

from __future__ import annotations

import msgspec

from jobgate.context import Batch, JobFacts
from jobgate.follow_ups import queue_follow_ups
from jobgate.registry import task
from jobgate.rescoring import Maths, mark_responses
from jobgate.session_scores import Tally, portion, store_rows, store_totals
from jobgate.session_updates import finish, link, tell

PORTION_BYTES = 2 * 1024 * 1024
"""How much JSON is in memory at once; a session with more stands alone."""

MAX_SESSION_BYTES = 64 * 1024 * 1024
"""How much JSON a session may have; a thousand copies of a large question from the item bank would be more."""

TOO_LARGE = "the questions and responses of the session are too large to be scored"


class RescoreParams(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions to score."""

    session_id: list[str]


@task("sessionrescore")
async def rescore_sessions(batch: Batch[RescoreParams]) -> None:
    """Score every response of the sessions that the batch names, once, for the newest job that does.

    Sessions whose maths the batch has no time for are left to jobs of their own, which their results name.
    """
    newest = {session_id: job.facts for job in batch.jobs for session_id in job.params.session_id}
    rows = await batch.db.fetch("lock_sessions_to_rescore", batch.organisation_id, list(newest))
    due = [row for row in rows if row["written_by"] < newest[row["session_id"]].id]
    refused = {row["session_id"]: TOO_LARGE for row in due if row["weight"] > MAX_SESSION_BYTES}
    maths = Maths(batch.maths, batch.db)
    late: list[tuple[JobFacts, str]] = []
    for sessions in portion((row for row in due if row["session_id"] not in refused), PORTION_BYTES):
        tallies = {row["id"]: Tally(row["id"], newest[row["session_id"]].id) for row in sessions}
        responses = await batch.db.fetch("find_answered_questions", batch.organisation_id, list(tallies))
        marked = await mark_responses(responses, tallies, maths)
        await store_rows(batch.db, "update_response_scores", batch.organisation_id, marked)
        await store_totals(batch.db, batch.organisation_id, list(tallies.values()))
        left = (row["session_id"] for row in sessions if row["id"] not in tallies)
        late += [(newest[session_id], session_id) for session_id in left]
    links = await queue_follow_ups(batch.db, batch.organisation_id, late, rescore=True)
    stored = {row["session_id"]: row for row in rows}
    for job in batch.jobs:
        results = [tell(session_id, stored, refused, job.facts.id) for session_id in job.params.session_id]
        finish(job, [link(result, links.get((job.facts.id, result.session_id))) for result in results])
