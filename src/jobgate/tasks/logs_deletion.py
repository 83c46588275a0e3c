"""Jobs of `jobs/logs-deletion`: delete what is logged about stores, up to a level and a time."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from jobgate.context import Run
from jobgate.registry import task
from jobgate.stores.binding import OfStore
from jobgate.stores.spaces import Slug
from jobgate.stores.sweeping import Kind, sweep_out
from jobgate.windows import Window


class LogsDeletion(Window, OfStore, frozen=True, kw_only=True):
    """What goes, and from which log."""

    max_level: Annotated[int, Meta(ge=0, le=7)]
    """Entries up to it: 0 (debug) to 7 (emergency), so 7 is all of them."""
    store: Slug | None = None
    """Absent: what is logged about all stores, and about none."""


@task("logs-deletion", timeout_s=6 * 3600)
async def delete_logs(run: Run[LogsDeletion]) -> None:
    """Delete the oldest first, at most 1,000 entries in a transaction."""
    store, level = run.params.store, run.params.max_level
    of = "" if store is None else "_of_store"
    kinds = {"logs": Kind(f"delete_old_logs{of}", f"count_old_logs{of}", (level,))}
    await sweep_out(run, store, kinds, run.params.find_cutoff)
