"""Jobs of `jobs/clearing`: delete what a store has recorded up to a time."""

from __future__ import annotations

from datetime import datetime

import msgspec

from jobgate.context import Run
from jobgate.definitions import read_clock
from jobgate.registry import task
from jobgate.stores.acts import tell_deletion
from jobgate.stores.binding import OfEachStore, Service, services_of
from jobgate.stores.clearing import clear_old, count_old
from jobgate.stores.spaces import Slug, hold
from jobgate.times import show_moment
from jobgate.windows import Window


class Clearing(Window, OfEachStore, frozen=True, kw_only=True):
    """What goes, and from which store."""

    service: Service
    store: Slug | None = None
    """Absent: a job for each store that is ready."""


class ClearingPosition(msgspec.Struct, kw_only=True):
    """How far a run is."""

    cutoff: datetime
    total: int
    left: list[Service]
    """The services that are not done, the one in work first."""
    deleted: dict[str, int]


@task("clearing", timeout_s=6 * 3600)
async def clear_store(run: Run[Clearing]) -> None:
    """Delete the oldest first, at most 1,000 records in a transaction, service by service."""
    organisation_id, slug = run.facts.organisation_id, str(run.params.store)
    position = None if run.cursor is None else msgspec.convert(run.cursor, ClearingPosition)
    is_over = False
    while not is_over:
        async with run.chunk() as chunk:
            store = await hold(chunk.db, organisation_id, slug)
            if position is None:
                cutoff = run.params.find_cutoff(await read_clock(chunk.db))
                left = list(services_of(run.params.service))
                total = sum([await count_old(chunk.db, organisation_id, store.id, each, cutoff) for each in left])
                position = ClearingPosition(cutoff=cutoff, total=total, left=left, deleted=dict.fromkeys(left, 0))
                chunk.say(f"Clearing what was recorded up to {show_moment(cutoff)}", found=total)
            elif position.left:
                service = position.left[0]
                gone = await clear_old(chunk.db, organisation_id, store.id, service, position.cutoff)
                position.deleted[service] += gone
                if gone == 0:
                    position.left = position.left[1:]
            done = sum(position.deleted.values())
            chunk.save(position, done=done, total=max(done, position.total))
            is_over = not position.left
            if is_over:
                await tell_deletion(chunk, run.facts, store, "clearing", position.deleted)
                chunk.finish([{"status": "ok", "until": show_moment(position.cutoff), "deleted": position.deleted}])
