"""Jobs of `jobs/validation`: judge what a store recorded without validation."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from jobgate.context import WARNING, Chunk, Run
from jobgate.db import Transaction
from jobgate.registry import task
from jobgate.stores.acts import tell_deletion
from jobgate.stores.binding import OfEachStore
from jobgate.stores.erasing import MAX_ERASED, erase_statements
from jobgate.stores.marks import FIRST, Mark
from jobgate.stores.spaces import Slug, Store, hold, require_store
from jobgate.stores.validating import Verdict, count_unjudged, find_unjudged, judge, write_verdicts

MAX_TOLD = 20
"""How many invalid statements a run tells of one by one."""


class Validation(msgspec.Struct, OfEachStore, frozen=True, kw_only=True):
    """What is judged, and what becomes of what is not valid."""

    clear: bool
    """True: statements that break a rule are deleted, those too that an earlier run has found."""
    store: Slug | None = None
    """Absent: a job for each store that is ready."""


class ValidationPosition(msgspec.Struct, kw_only=True):
    """How far a run is."""

    latest: datetime
    """What is stored later is for the next run."""
    step: Literal["judging", "deleting", "done"] = "judging"
    mark: Mark = FIRST
    """Behind which statement the step goes on."""
    found: int = 0
    """How much there is to judge, as far as it has looked."""
    valid: int = 0
    invalid: int = 0
    deleted: int = 0

    @property
    def checked(self) -> int:
        """How many were judged."""
        return self.valid + self.invalid


class ValidationResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    status: Literal["ok"] = "ok"
    checked: int
    valid: int
    invalid: int
    deleted: int
    """Invalid ones, those of earlier runs among them."""


@task("validation", timeout_s=6 * 3600)
async def validate_store(run: Run[Validation]) -> None:
    """Judge the oldest first, each once, by the rules of the version that it names; then delete, if that is wanted."""
    organisation_id, slug = run.facts.organisation_id, str(run.params.store)
    position = None if run.cursor is None else msgspec.convert(run.cursor, ValidationPosition)
    is_over = False
    while not is_over:
        is_new = position is None
        async with run.outside.db.reading(organisation_id) as db:
            store = await require_store(db, organisation_id, slug)
            if position is None:
                position = ValidationPosition(latest=await db.fetchval("next_stored", organisation_id, store.id))
            rows = []
            if position.step == "judging":
                await _look_ahead(db, organisation_id, store, position)
                rows = await find_unjudged(db, organisation_id, store.id, position.latest, position.mark)
        verdicts = await judge(rows)
        async with run.chunk() as chunk:
            store = await hold(chunk.db, organisation_id, slug)
            if is_new:
                chunk.say("Judging statements that were recorded without validation", found=position.found)
            if position.step == "judging":
                await _take_verdicts(chunk, organisation_id, store, verdicts, position)
                if not verdicts:
                    position.step = "deleting" if run.params.clear else "done"
                    position.mark = FIRST
            elif position.step == "deleting":
                await _delete_invalid(chunk.db, organisation_id, store, position)
            done = position.checked + position.deleted
            chunk.save(position, done=done, total=max(done, position.found))
            is_over = position.step == "done"
            if is_over:
                await _finish(run, chunk, store, position)


async def _look_ahead(db: Transaction, organisation_id: int, store: Store, position: ValidationPosition) -> None:
    if position.checked >= position.found:
        ahead = await count_unjudged(db, organisation_id, store.id, position.latest, position.mark)
        position.found = position.checked + ahead


async def _take_verdicts(
    chunk: Chunk, organisation_id: int, store: Store, verdicts: list[Verdict], position: ValidationPosition
) -> None:
    written = await write_verdicts(chunk.db, organisation_id, store.id, verdicts) if verdicts else set()
    for verdict in verdicts:
        if verdict.row["number"] not in written:
            continue
        if verdict.is_valid:
            position.valid += 1
            continue
        position.invalid += 1
        if position.invalid <= MAX_TOLD:
            broken = "; ".join(f"{path} {rule}" for path, rule, _ in verdict.violations)
            chunk.say(f"Statement {verdict.row['id']} is not valid: {broken}", WARNING)
    if verdicts and len(written) == len(verdicts):
        position.mark = verdicts[-1].row["stored"], verdicts[-1].row["number"]
    # Otherwise something was changed while it was judged: what is still there, and not judged, is read again.


async def _delete_invalid(db: Transaction, organisation_id: int, store: Store, position: ValidationPosition) -> None:
    args = (organisation_id, store.id, position.latest, *position.mark, MAX_ERASED)
    rows = await db.fetch("find_invalid", *args)
    position.deleted += await erase_statements(db, organisation_id, store.id, [row["id"] for row in rows])
    if len(rows) == MAX_ERASED:
        position.mark = rows[-1]["stored"], rows[-1]["number"]
    else:
        position.step = "done"


async def _finish(run: Run[Validation], chunk: Chunk, store: Store, position: ValidationPosition) -> None:
    result = ValidationResult(
        checked=position.checked, valid=position.valid, invalid=position.invalid, deleted=position.deleted
    )
    if run.params.clear:
        await tell_deletion(chunk, run.facts, store, "validation", {"statements": result.deleted})
    # What is said last is what the saved job shows: all counts.
    counters = {"checked": result.checked, "valid": result.valid, "invalid": result.invalid, "deleted": result.deleted}
    chunk.say("Judged statements", WARNING if result.invalid else 0, **counters)
    chunk.finish([result])
