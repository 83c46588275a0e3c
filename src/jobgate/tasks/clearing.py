"""Jobs of `jobs/clearing`: delete what a store has recorded up to a time."""

from __future__ import annotations

from jobgate.context import Run
from jobgate.registry import task
from jobgate.stores.binding import OfEachStore, Service, services_of
from jobgate.stores.spaces import Slug
from jobgate.stores.sweeping import KINDS, Kind, sweep_out
from jobgate.windows import Window


class Clearing(Window, OfEachStore, frozen=True, kw_only=True):
    """What goes, and from which store."""

    service: Service
    store: Slug | None = None
    """Absent: a job for each store that is ready."""


@task("clearing", timeout_s=6 * 3600)
async def clear_store(run: Run[Clearing]) -> None:
    """Delete the oldest first, at most 1,000 records in a transaction, service by service."""
    kinds: dict[str, Kind] = {service: KINDS[service] for service in services_of(run.params.service)}
    await sweep_out(run, str(run.params.store), kinds, run.params.find_cutoff)
