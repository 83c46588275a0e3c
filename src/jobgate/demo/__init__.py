"""The demo: the consumer that every official SDK publishes in its quickstart, a small school, a store of statements.

Only `jobgate dev` furnishes a database with it, and only one of its own: the key pair is public. `School` makes a
school of any size, for `jobgate seed` and the bench.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from jobgate import jobs, wire
from jobgate.callers import NewConsumer, add_consumer, add_secret
from jobgate.client import Credentials
from jobgate.db import Database
from jobgate.demo.authoring import store_bank
from jobgate.demo.reports import make_datasets, store_dataset
from jobgate.demo.school import SITTINGS, School
from jobgate.keys import OuterKey
from jobgate.sessions import import_sessions
from jobgate.sessions.entries import SessionEntry
from jobgate.stores.spaces import add_store, find_stores

__all__ = [
    "DEMO",
    "ORGANISATION",
    "SESSIONS",
    "SITTINGS",
    "STATEMENTS",
    "STATUS_CHANGE",
    "STORE",
    "School",
    "furnish",
    "lock_out",
    "store_bank",
]

DEMO = Credentials("yis0TYCu7U9V4o7M", "74c5fd430cf1242a527f6223aebd42d30464be22")

ORGANISATION = 1

SEED = "1"
SESSIONS = 504
"""Three classes, each with a year of lessons."""

STORE = "demo"
STATEMENTS = 500
"""Of the default configuration of `jobs/seeding`."""

STATUS_CHANGE = {
    "session_id": "5fcd12aa-c1ce-4c1a-ae0e-3cfc591915e2",
    "user_id": "student-edith",
    "status": "Completed",
}
"""A session that was left open, and can be completed: an entry of `jobs/sessions/statuses` update."""

_ENTRIES = 100
"""Sessions that one job completes."""


async def furnish(db: Database, key: OuterKey, until: date) -> int:
    """Let the demo consumer in, and store the school unless there are sessions; how many were stored.

    Its lessons end before `until`. Jobs of the demo consumer then complete what the learners completed, so that all
    which follows from that is there to be read: scores of items, subscores, adaptive reports; others compile datasets
    and fill the store.
    """
    async with db.transaction(ORGANISATION) as tx:
        if await tx.fetchrow("find_consumer", DEMO.key) is None:
            consumer = NewConsumer(
                key=DEMO.key,
                name="demo",
                organisations=(ORGANISATION,),
                domains=("localhost", "127.0.0.1"),
                unlimited=True,
            )
            await add_consumer(tx, key, consumer, DEMO.secret)
        else:
            await tx.execute("set_consumer_active", DEMO.key, True)
            if not await tx.fetch("find_secrets", DEMO.key):
                await add_secret(tx, key, DEMO.key, DEMO.secret)
        if await tx.fetchval("has_sessions", ORGANISATION):
            return 0
    school = School(SEED, until)
    await store_bank(db, ORGANISATION)
    sessions = [school.session(number) for number in range(SESSIONS)]
    report = await import_sessions(db, ORGANISATION, map(wire.encode, sessions))
    assert not report.problems, report.problems  # the school is ours
    await _complete(db, sessions)
    await _report(db, school)
    await _seed(db)
    return report.stored


async def _complete(db: Database, sessions: Sequence[SessionEntry]) -> None:
    """Queue the jobs that a client would have started when the learners handed in."""
    statuses = [
        {"session_id": session.session_id, "user_id": session.user_id, "status": session.status}
        for session in sessions
        if session.status == "Completed"
    ]
    for start in range(0, len(statuses), _ENTRIES):
        part = statuses[start : start + _ENTRIES]
        await _queue(db, "sessionstatusupdate", {"statuses": part}, entries=len(part))


async def _report(db: Database, school: School) -> None:
    """Say who is in which class, and queue the jobs that compile what is told of classes and questions."""
    for dataset in make_datasets(ORGANISATION):
        params = await store_dataset(db, dataset, school.learners(SESSIONS))
        await _queue(db, "datasetcompile", params)


async def _seed(db: Database) -> None:
    """Open a store of xAPI statements, unless there is one, and queue the job that fills it."""
    async with db.transaction(ORGANISATION) as tx:
        if await find_stores(tx, ORGANISATION, slugs=[STORE]):
            return
        await add_store(tx, ORGANISATION, STORE, "Demo")
    await _queue(db, "seeding", {"store": STORE, "count": STATEMENTS})


async def _queue(db: Database, type: str, params: Any, entries: int = 1) -> None:
    async with db.transaction(ORGANISATION) as tx:
        await jobs.insert(
            tx,
            reference=uuid.uuid4(),
            organisation_id=ORGANISATION,
            consumer_key=DEMO.key,
            type=type,
            params=params,
            entries=entries,
        )


async def lock_out(db: Database) -> None:
    """Let the demo consumer in no more, if it is there."""
    await db.execute("set_consumer_active", DEMO.key, False)
