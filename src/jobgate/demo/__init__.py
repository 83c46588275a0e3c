"""The demo: the consumer that every official SDK publishes in its quickstart, and a small school's sessions.

Only `jobgate dev` furnishes a database with it, and only one of its own: the key pair is public.
"""

from __future__ import annotations

from importlib.resources import files

from jobgate.callers import NewConsumer, add_consumer, add_secret
from jobgate.client import Credentials
from jobgate.db import Database
from jobgate.keys import OuterKey
from jobgate.sessions import import_sessions

DEMO = Credentials("yis0TYCu7U9V4o7M", "74c5fd430cf1242a527f6223aebd42d30464be22")

ORGANISATION = 1

STATUS_CHANGE = {
    "session_id": "0d7a4c1e-52f1-4a0e-9a43-6f2b1c8d0e05",
    "user_id": "student-edith",
    "status": "Completed",
}
"""A session that was left open, and can be completed: an entry of `jobs/sessions/statuses` update."""


def read_sessions() -> list[bytes]:
    """The demo sessions, one JSON object each, as `jobgate load` reads them."""
    return (files("jobgate") / "demo" / "sessions.jsonl").read_bytes().splitlines()


async def furnish(db: Database, key: OuterKey) -> int:
    """Let the demo consumer in, and add the sessions unless there are any; how many were added."""
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
    report = await import_sessions(db, ORGANISATION, read_sessions())
    assert not report.problems, report.problems  # the file is ours
    return report.stored


async def lock_out(db: Database) -> None:
    """Let the demo consumer in no more, if it is there."""
    await db.execute("set_consumer_active", DEMO.key, False)
