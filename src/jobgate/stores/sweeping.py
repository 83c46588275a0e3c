"""Sweeps: what a store has recorded up to a time goes, kind by kind, the oldest first, a batch in each transaction.

Statements and their times are the receiver's. Activities and agents are derived: without their entries in the catalogue
statements stay as they are; a person goes with the last agent. Documents go by the later of stored and updated: what
somebody has changed since stays.

A sweep remembers behind which record it goes on. So no batch walks again along what the ones before have deleted, which
Postgres keeps in its indexes for as long as anybody can see it, nor along what stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from jobgate.context import Run
from jobgate.db import Transaction
from jobgate.stores.acts import tell_deletion
from jobgate.stores.erasing import MAX_ERASED, erase_statements
from jobgate.stores.marks import FIRST, Mark
from jobgate.stores.spaces import hold, require_store
from jobgate.times import show_moment

COUNTED = 100_000
"""How far a sweep looks ahead to tell how much there is; what it holds meanwhile is nothing."""

EVER = datetime.max.replace(tzinfo=UTC)
"""A cutoff after everything."""


class Kind(NamedTuple):
    """How a kind of records is counted and deleted: the names of statements, and what they take besides."""

    deleting: str
    counting: str | None = None
    """None: they have no times, so they are not counted, and go in any order."""
    besides: tuple[str | int, ...] = ()


KINDS: dict[str, Kind] = {
    "statements": Kind("find_old_statements", "count_old_statements"),
    "activities": Kind("delete_old_activities", "count_old_activities"),
    "agents": Kind("delete_old_agents", "count_old_agents"),
    "tokens": Kind("delete_old_tokens", "count_old_tokens"),
} | {
    kind: Kind("delete_old_documents", "count_old_documents", (kind,))
    for kind in ("activity-profiles", "agent-profiles", "states")
}


class Sweep(msgspec.Struct, kw_only=True):
    """How far the deletion of what is old has come."""

    cutoff: datetime
    left: list[str]
    """The kinds that are not done, the one in work first."""
    deleted: dict[str, int]
    mark: Mark = FIRST
    """Behind which record of that kind it goes on."""
    found: int = 0
    """How many records go, as far as it has looked; those that have gone are among them."""

    @property
    def done(self) -> int:
        """How many have gone."""
        return sum(self.deleted.values())


def begin_sweep(kinds: Iterable[str], cutoff: datetime) -> Sweep:
    """A sweep through these kinds, of which nothing is done."""
    left = list(kinds)
    return Sweep(cutoff=cutoff, left=left, deleted=dict.fromkeys(left, 0))


async def look_ahead(
    db: Transaction, organisation_id: int, store_id: int | None, sweep: Sweep, kinds: Mapping[str, Kind]
) -> None:
    """Count what comes next, where everything that was counted has gone: a part of it, if there is much."""
    if sweep.done < sweep.found:
        return
    sweep.found, mark = sweep.done, sweep.mark
    for name in sweep.left:
        kind = kinds[name]
        if kind.counting is not None:
            limit = COUNTED - (sweep.found - sweep.done)
            args = (organisation_id, store_id, sweep.cutoff, *mark, limit, *kind.besides)
            sweep.found += await db.fetchval(kind.counting, *args)
        mark = FIRST


async def delete_batch(
    db: Transaction, organisation_id: int, store_id: int | None, sweep: Sweep, kinds: Mapping[str, Kind]
) -> None:
    """Delete a batch of the kind in work, out of a store that nobody else writes into; the last ends that kind."""
    name = sweep.left[0]
    kind = kinds[name]
    if kind.counting is None:
        gone, mark = await db.execute(kind.deleting, organisation_id, store_id, MAX_ERASED), FIRST
    else:
        gone, mark = await _delete_behind(db, organisation_id, store_id, sweep, name, kind)
    sweep.deleted[name] += gone
    if gone == MAX_ERASED:
        sweep.mark = mark
    else:
        sweep.left, sweep.mark = sweep.left[1:], FIRST


async def _delete_behind(
    db: Transaction, organisation_id: int, store_id: int | None, sweep: Sweep, name: str, kind: Kind
) -> tuple[int, Mark]:
    """Delete the oldest behind the mark; how many, and the last of them."""
    args = (organisation_id, store_id, sweep.cutoff, *sweep.mark, MAX_ERASED, *kind.besides)
    rows = await db.fetch(kind.deleting, *args)
    if store_id is not None and name == "statements":
        await erase_statements(db, organisation_id, store_id, [row["id"] for row in rows])
    if name == "agents":
        persons = sorted({row["person_id"] for row in rows if row["person_id"] is not None})
        await db.execute("delete_empty_persons", organisation_id, store_id, persons)
    return len(rows), (rows[-1]["stored"], rows[-1]["number"]) if rows else FIRST


async def sweep_out(
    run: Run[Any], slug: str | None, kinds: Mapping[str, Kind], find_cutoff: Callable[[datetime], datetime]
) -> None:
    """Carry a job that does nothing but delete what is older than a cutoff, which is found from the time that it is.

    What is deleted is that of a store, which is held, or, without one, that of the organisation.
    """
    organisation_id = run.facts.organisation_id
    sweep = None if run.cursor is None else msgspec.convert(run.cursor, Sweep)
    is_over = False
    while not is_over:
        is_new = sweep is None
        async with run.outside.db.reading(organisation_id) as db:
            store = None if slug is None else await require_store(db, organisation_id, slug)
            if sweep is None:
                sweep = begin_sweep(kinds, find_cutoff(await db.fetchval("read_clock")))
            await look_ahead(db, organisation_id, None if store is None else store.id, sweep, kinds)
        async with run.chunk() as chunk:
            store = None
            if slug is None:
                await chunk.db.execute("walk_in_order")
            else:
                store = await hold(chunk.db, organisation_id, slug)
            if is_new:
                chunk.say(f"Deleting what was recorded up to {show_moment(sweep.cutoff)}", found=sweep.found)
            await delete_batch(chunk.db, organisation_id, None if store is None else store.id, sweep, kinds)
            chunk.save(sweep, done=sweep.done, total=max(sweep.done, sweep.found))
            is_over = not sweep.left
            if is_over:
                await tell_deletion(chunk, run.facts, store, run.facts.type, sweep.deleted)
                chunk.finish([{"status": "ok", "until": show_moment(sweep.cutoff), "deleted": sweep.deleted}])
