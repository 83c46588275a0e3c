"""What follows when sessions are Completed or their scores change: jobs that are queued in the same transaction.

    sessionrescore ──> subscorecalculation ──> sessionpush
                  └──> adaptivereport

Each waits for the one before it. Subscores are for sessions that were taken with definitions, reports for adaptive
ones, and scores are pushed where somebody wants to hear of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from jobgate import jobs, outbox
from jobgate.context import JobFacts
from jobgate.db import Record, Transaction
from jobgate.jobs import FollowUp
from jobgate.session_updates import FollowUpLink

PUSHED: outbox.Kind = "session.score"
"""The event that follows when sessions are scored."""

Links = dict[tuple[int, str], list[FollowUpLink]]
"""The jobs that go on with a session, in their order, by the id of their parent and that of the session."""


async def queue_follow_ups(
    db: Transaction, organisation_id: int, changed: Iterable[tuple[JobFacts, str]], *, rescore: bool
) -> Links:
    """Queue what follows from sessions that jobs have changed: for each of these parents one job of a type.

    `rescore`: begin with the scores themselves. A few statements do for any number of sessions.
    """
    parents: dict[int, tuple[JobFacts, list[str]]] = {}
    for parent, session_id in changed:
        parents.setdefault(parent.id, (parent, []))[1].append(session_id)
    if not parents:
        return {}
    everything = [session_id for _, session_ids in parents.values() for session_id in session_ids]
    rows = await db.fetch("find_follow_up_needs", organisation_id, everything)
    is_pushed = await outbox.has_target(db, organisation_id, PUSHED)
    needs = {row["session_id"]: row for row in rows}
    links: Links = {}
    asked: list[FollowUp] = []
    for _, (parent, session_ids) in sorted(parents.items()):
        chain = _Chain(parent, [needs[session_id] for session_id in session_ids], links)
        chain.extend(rescore=rescore, push=is_pushed)
        asked += chain.asked
    await jobs.follow_up(db, organisation_id, asked)
    return links


class _Chain:
    """The jobs that follow from one parent."""

    def __init__(self, parent: JobFacts, sessions: Sequence[Record], links: Links) -> None:
        self.asked: list[FollowUp] = []
        self._parent = parent
        self._sessions = sessions
        self._links = links

    def extend(self, *, rescore: bool, push: bool) -> None:
        sessions = self._sessions
        scored = subscored = None
        if rescore:
            weight = sum(1 + row["num_questions"] for row in sessions)
            scored = self._ask("sessionrescore", sessions, None, entries=weight)
        if partial := [row for row in sessions if row["has_subscores"]]:
            subscored = self._ask("subscorecalculation", partial, scored)
        if adaptive := [row for row in sessions if row["is_adaptive"]]:
            self._ask("adaptivereport", adaptive, scored)
        if push:
            self._ask("sessionpush", sessions, subscored or scored, kinds=[PUSHED])

    def _ask(
        self,
        type: str,
        sessions: Sequence[Record],
        after: uuid.UUID | None,
        *,
        entries: int = 0,
        **params: list[outbox.Kind],
    ) -> uuid.UUID:
        """One job for these sessions; its reference."""
        session_ids = [row["session_id"] for row in sessions]
        asked = FollowUp(
            consumer_key=self._parent.consumer_key,
            type=type,
            params={"session_id": session_ids} | params,
            entries=entries or len(session_ids),
            after=after,
        )
        self.asked.append(asked)
        for session_id in session_ids:
            self._links.setdefault((self._parent.id, session_id), []).append(FollowUpLink(type, asked.reference))
        return asked.reference
