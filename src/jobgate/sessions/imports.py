"""Sessions from a file, one a line, any number of them: what `jobgate load` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from jobgate import wire
from jobgate.db import Database
from jobgate.errors import ApiError
from jobgate.sessions.creation import Placed, store_sessions
from jobgate.sessions.drafts import Draft, make_draft
from jobgate.sessions.entries import SessionEntry

BATCH_SESSIONS = 1000
BATCH_BYTES = 8 * 1024 * 1024
"""How much one transaction stores."""

PROBLEMS_KEPT = 1000


@dataclass(slots=True)
class ImportReport:
    """How an import ended. `problems` begin with the number of their line; the first thousand are kept."""

    stored: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)

    def refuse(self, problem: str) -> None:
        """Count a line that was not stored."""
        self.refused += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)


def read_line(line: bytes, number: int) -> Draft:
    """The session that a line holds; raises `ValueError` with the number of the line and what is wrong with it."""
    try:
        entry, _ = wire.decode_request(line, SessionEntry)
        return make_draft(entry)
    except ApiError as error:
        raise ValueError(f"line {number}: {error.message.replace('`request`', 'the line')}") from None


async def import_sessions(
    db: Database, organisation_id: int, lines: Iterable[bytes], *, on_batch: Callable[[int], None] | None = None
) -> ImportReport:
    """Store the sessions of `lines`; empty lines are passed over, those with a problem reported and left out.

    Every batch is a transaction; after it `on_batch` hears how many lines are done. What the file says is newer than
    every job accepted before, and replaces a session that is there. An import that was cut short may simply run again.
    """
    report = ImportReport()
    batch: list[tuple[int, Draft]] = []
    size = number = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            draft = read_line(line, number)
        except ValueError as problem:
            report.refuse(str(problem))
            continue
        batch.append((number, draft))
        size += len(line)
        if len(batch) == BATCH_SESSIONS or size >= BATCH_BYTES:
            await _store(db, organisation_id, batch, report)
            batch, size = [], 0
            if on_batch is not None:
                on_batch(number)
    if batch:
        await _store(db, organisation_id, batch, report)
    if on_batch is not None:
        on_batch(number)
    return report


async def _store(db: Database, organisation_id: int, batch: list[tuple[int, Draft]], report: ImportReport) -> None:
    async with db.transaction(organisation_id) as tx:
        place = await tx.fetchval("next_job_id")
        outcomes = await store_sessions(tx, organisation_id, [Placed(draft, place) for _, draft in batch])
    for (number, draft), outcome in zip(batch, outcomes, strict=True):
        if outcome == "stored":
            report.stored += 1
        elif outcome == "foreign":
            report.refuse(f"line {number}: the session {draft.session_id} belongs to another user")
        else:
            report.refuse(f"line {number}: the session {draft.session_id} was set by a newer job meanwhile")
