"""Row 11: what row-level security costs on the read path."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobgate.bench.contest import Contest, Sides
from jobgate.bench.engine_rows import store_sessions
from jobgate.bench.stage import ORGANISATION_ID, Stage
from jobgate.bench.table import Mark
from jobgate.db import Database
from jobgate.sessions.reading import Parts, read_sessions
from jobgate.settings import Settings

SESSIONS = 20_000
PAGE = 50


@asynccontextmanager
async def open_pages(stage: Stage) -> AsyncIterator[Sides]:
    """The same page of sessions, as the gateway's role and as one that the walls do not hold."""
    await store_sessions(stage, SESSIONS)
    admin_url = stage.servers.admin_url.replace("/postgres?", f"/{stage.database}?")
    free = await Database.connect(admin_url, size=1, acquire_s=5, statement_s=5, lock_s=5, name="bench")
    try:
        yield Sides(lambda: _read_pages(stage, stage.db), lambda: _read_pages(stage, free))
    finally:
        await free.close()


async def _read_pages(stage: Stage, db: Database) -> float:
    """Pages a second, one after the other, each in the transaction that a read has."""
    pages = 0
    started = time.perf_counter()
    end = started + stage.effort.seconds
    while time.perf_counter() < end:
        first = pages * PAGE % (SESSIONS - PAGE)
        names = [f"session-{number:08}" for number in range(first, first + PAGE)]
        async with db.reading(ORGANISATION_ID) as tx:
            sessions = await read_sessions(tx, ORGANISATION_ID, names, Parts(metadata=True), Settings().max_answer)
        if len(sessions) != PAGE:
            raise RuntimeError(f"{len(sessions)} of {PAGE} sessions were read")
        pages += 1
    return pages / (time.perf_counter() - started)


WALL_ROWS = (Contest(Mark(11, "pages behind row-level security", "the same without", 0.7), "pages", open_pages),)
