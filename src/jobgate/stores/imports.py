"""Statements from a file, any number of them: what `jobgate load --store` does.

Every batch is a transaction, and what the store has already is known again: an import that was cut short may simply run
again. So that this holds for statements without an id too, they get one that is made from their line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from jobgate.db import Database
from jobgate.keys import OuterKey
from jobgate.stores.incoming import Candidate, read_candidates
from jobgate.stores.logs import INFO, NOTICE, say
from jobgate.stores.options import EntryOptions
from jobgate.stores.pseudonym_keys import find_pseudonyms
from jobgate.stores.recording import MAX_STATEMENTS, Recorded, record
from jobgate.stores.spaces import hold, require_store
from jobgate.xapi.violations import Version

BATCH_BYTES = 8 * 1024 * 1024
"""How much one transaction records, besides `MAX_STATEMENTS`."""

PROBLEMS_KEPT = 1000

CLIENT = "load"
"""Who has brought the statements, as the store remembers."""


class Line(NamedTuple):
    """A line that is not empty."""

    number: int
    statement: bytes | None
    problem: str = ""
    """Why there is no statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What shall happen to the statements on the way."""

    options: EntryOptions
    version: Version | None = None
    atomic: bool = False
    """True: the first that is refused ends the import, and nothing of its batch is recorded."""
    key: OuterKey | None = None
    """Needed where pseudonyms are."""


@dataclass(slots=True)
class StatementReport:
    """How an import ended. `problems` begin with the number of their line; the first thousand are kept."""

    accepted: int = 0
    known: int = 0
    """Of the accepted ones: the store had them before."""
    replaced: int = 0
    voided: int = 0
    rejected: int = 0
    problems: list[str] = field(default_factory=list)
    was_stopped: bool = False
    """By a statement that was refused: what comes after its batch was not looked at."""

    def reject(self, line: int, problem: str) -> None:
        """Count a line that was not recorded."""
        self.rejected += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(f"line {line}: {problem}")


async def import_statements(
    db: Database,
    organisation_id: int,
    slug: str,
    lines: Iterable[Line],
    how: Import,
    *,
    on_batch: Callable[[StatementReport], None] | None = None,
) -> StatementReport:
    """Record the statements of `lines` in a store; those with a problem are reported and left out.

    After every batch `on_batch` hears how far it is. Raises like `require_store`.
    """
    report = StatementReport()
    async with db.reading(organisation_id) as tx:
        await require_store(tx, organisation_id, slug)
    for batch in _cut(lines):
        await _import(db, organisation_id, slug, batch, how, report)
        if on_batch is not None:
            on_batch(report)
        if report.was_stopped:
            break
    async with db.transaction(organisation_id) as tx:
        store = await require_store(tx, organisation_id, slug)
        counts = {name: getattr(report, name) for name in ("accepted", "known", "replaced", "voided", "rejected")}
        level = NOTICE if report.rejected else INFO
        await say(tx, organisation_id, store.id, "Loaded statements", type="console", level=level, data=counts)
    return report


def _cut(lines: Iterable[Line]) -> Iterator[list[Line]]:
    batch, size = list[Line](), 0
    for line in lines:
        batch.append(line)
        size += len(line.statement or b"")
        if len(batch) == MAX_STATEMENTS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _import(
    db: Database, organisation_id: int, slug: str, batch: Sequence[Line], how: Import, report: StatementReport
) -> None:
    read = [(line, line.statement) for line in batch if line.statement is not None]
    candidates = await read_candidates([text for _, text in read], how.options, how.version)
    for candidate, (line, text) in zip(candidates, read, strict=True):
        _name(candidate, line.number, text)
    unread = [line for line in batch if line.statement is None]
    done = Recorded()
    if candidates and not (how.atomic and unread):
        done = await _record(db, organisation_id, slug, candidates, how)
    report.accepted += len(done.accepted)
    report.known += done.known
    report.replaced += done.replaced
    report.voided += done.voided
    problems = [(line.number, line.problem) for line in unread]
    problems += [(read[refused.index][0].number, explain(refused)) for refused in done.rejected]
    for number, problem in sorted(problems):
        report.reject(number, problem)
    report.was_stopped = how.atomic and bool(problems)


async def _record(
    db: Database, organisation_id: int, slug: str, candidates: Sequence[Candidate], how: Import
) -> Recorded:
    async with db.transaction(organisation_id) as tx:
        store = await hold(tx, organisation_id, slug)
        pseudonyms = None
        if how.key is not None:
            make = how.options.pseudonymize_statements
            pseudonyms = await find_pseudonyms(tx, organisation_id, how.key, make=make)
        return await record(
            tx,
            organisation_id,
            store,
            candidates,
            how.options,
            client=CLIENT,
            version=how.version,
            atomic=how.atomic,
            may_repeat=True,
            pseudonyms=pseudonyms,
        )


def _name(candidate: Candidate, number: int, text: bytes) -> None:
    """Give a statement without an id one that it gets again from the same line."""
    if type(candidate.statement) is dict and "id" not in candidate.statement:
        digest = hashlib.sha256(b"%d %b" % (number, text.strip())).digest()
        candidate.statement["id"] = str(UUID(bytes=digest[:16], version=5))


def explain(refused: Candidate) -> str:
    """Which statement it is, and the first rule that it breaks."""
    path, rule, message = refused.violations[0]
    more = f" (and {len(refused.violations) - 1} more)" if len(refused.violations) > 1 else ""
    return f"{refused.id or 'no id'}: {path} {rule}: {message}{more}"
