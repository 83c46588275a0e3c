"""Jobs of `jobs/stores-deletion`: delete a store, with all that it has."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from jobgate import definitions
from jobgate.context import Chunk, Run, TaskRefused
from jobgate.db import Transaction
from jobgate.registry import task
from jobgate.stores.acts import tell_deletion
from jobgate.stores.ending import EVERYTHING, end_store, mark_for_deletion, require_deletable
from jobgate.stores.erasing import MAX_ERASED
from jobgate.stores.spaces import Store, find_stores
from jobgate.stores.sweeping import EVER, Sweep, begin_sweep, delete_batch, look_ahead


class StoreDeletion(msgspec.Struct, frozen=True, kw_only=True):
    """Which store goes."""

    store_id: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    """Its id, and not its slug."""

    async def require(self, db: Transaction, organisation_id: int) -> None:
        """Raise 20004 for an unknown store, 20011 for the last one."""
        await require_deletable(db, organisation_id, self.store_id)


class StoreDeletionPosition(msgspec.Struct, kw_only=True):
    """How far a run is."""

    slug: str
    sweep: Sweep
    jobs: int = 0
    """Saved jobs on the store that are gone."""
    has_jobs: bool = True
    """There may be more of them."""

    @property
    def counts(self) -> dict[str, int]:
        """What has gone."""
        return {"jobs": self.jobs} | self.sweep.deleted


@task("stores-deletion", timeout_s=24 * 3600)
async def delete_store(run: Run[StoreDeletion]) -> None:
    """Mark the store, cancel the jobs on it, delete all that it has in batches of at most 1,000, and at last itself."""
    organisation_id, store_id = run.facts.organisation_id, run.params.store_id
    position = None if run.cursor is None else msgspec.convert(run.cursor, StoreDeletionPosition)
    is_over = False
    while not is_over:
        if position is not None:
            async with run.outside.db.reading(organisation_id) as db:
                await look_ahead(db, organisation_id, store_id, position.sweep, EVERYTHING)
        async with run.chunk() as chunk:
            if position is None:
                store = await mark_for_deletion(chunk.db, organisation_id, store_id)
                position = StoreDeletionPosition(slug=store.slug, sweep=begin_sweep(EVERYTHING, EVER))
                chunk.say(f"Deleting the store {store.slug}")
            else:
                store = await _find_marked(chunk.db, organisation_id, store_id)
                await _delete_more(chunk.db, organisation_id, store_id, position)
            done = sum(position.counts.values())
            chunk.save(position, done=done, total=max(done, position.jobs + position.sweep.found))
            is_over = not position.sweep.left
            if is_over:
                await _finish(run, chunk, store, position)


async def _find_marked(db: Transaction, organisation_id: int, store_id: int) -> Store:
    """The store, on which no other job works either. Raises `TaskRefused` where another job has ended it."""
    await db.fetchval("hold_store", store_id, True)
    for store in await find_stores(db, organisation_id, ids=[store_id]):
        return store
    raise TaskRefused("Another job has deleted the store meanwhile.")


async def _delete_more(db: Transaction, organisation_id: int, store_id: int, position: StoreDeletionPosition) -> None:
    if position.has_jobs:
        gone = await definitions.delete_of_store(db, organisation_id, store_id, MAX_ERASED)
        position.jobs += gone
        position.has_jobs = gone == MAX_ERASED
    else:
        await delete_batch(db, organisation_id, store_id, position.sweep, EVERYTHING)


async def _finish(run: Run[StoreDeletion], chunk: Chunk, store: Store, position: StoreDeletionPosition) -> None:
    position.sweep.deleted["logs"] += await end_store(chunk.db, run.facts.organisation_id, store.id)
    await tell_deletion(chunk, run.facts, store, run.facts.type, position.counts)
    chunk.finish([{"status": "ok", "store": position.slug, "deleted": position.counts}])
