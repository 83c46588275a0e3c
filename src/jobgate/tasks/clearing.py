"""Jobs of `jobs/clearing`: delete what a store has recorded up to a time."""

from __future__ import annotations

from jobgate.context import Run
from jobgate.registry import task
from jobgate.stores.binding import OfEachStore, Service, services_of
from jobgate.stores.spaces import Slug
from jobgate.stores.sweeping import sweep_store
from jobgate.windows import Window


class Clearing(Window, OfEachStore, frozen=True, kw_only=True):
    """What goes, and from which store."""

    service: Service
    store: Slug | None = None
    """Absent: a job for each store that is ready."""


@task("clearing", timeout_s=6 * 3600)
async def clear_store(run: Run[Clearing]) -> None:
    """Delete the oldest first, at most 1,000 records in a transaction, service by service."""
    params = run.params
    await sweep_store(run, "clearing", str(params.store), services_of(params.service), params.find_cutoff)
