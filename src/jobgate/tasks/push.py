"""Jobs of `jobs/push`: bring what a store has recorded to an LRS, or into files."""

from __future__ import annotations

import uuid

from jobgate.context import Run
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.exchange.file_push import FilePush
from jobgate.exchange.lrs_push import LrsPush
from jobgate.exchange.outgoing import require_pseudonyms
from jobgate.exchange.trips import begin, facing
from jobgate.registry import task
from jobgate.stores.binding import OfStore, Service
from jobgate.stores.connections import require_connection
from jobgate.stores.spaces import Slug
from jobgate.windows import Window


class Push(Window, OfStore, frozen=True, kw_only=True):
    """What goes where, from which store, and in which form."""

    service: Service
    """To an LRS statements only."""
    connection: uuid.UUID
    store: Slug
    raw: bool = False
    """Files: a line is the statement itself and no record."""
    sync_updates: bool = False
    """What has changed since goes again; statements never change."""
    pseudonymize_statements: bool = False
    """Agents go under their pseudonyms; what is stored stays as it is."""

    def __post_init__(self) -> None:
        Window.__post_init__(self)
        if self.raw and self.service not in ("statements", "all"):
            raise ApiError(Code.unsupported_value, "`raw` must not be true for other services than statements and all")
        if self.sync_updates and self.service == "statements":
            raise ApiError(Code.unsupported_value, "`sync_updates` must not be true for statements: they never change")
        if self.pseudonymize_statements and self.service not in ("statements", "all"):
            text = "`pseudonymize_statements` must not be true for other services than statements and all"
            raise ApiError(Code.unsupported_value, text)

    async def require(self, db: Transaction, organisation_id: int) -> None:
        """Raise 20004 for a connection that there is not, or that does not take what is given."""
        kind = await require_connection(db, organisation_id, self.connection)
        if kind == "lrs" and self.service != "statements":
            raise ApiError(Code.unsupported_value, "`service` must be statements: an LRS takes nothing else")


@task("push", timeout_s=6 * 3600, calls_out=True)
async def push_records(run: Run[Push]) -> None:
    """Send a batch at a time, then write down how far the run has come."""
    params = run.params
    trip = await begin(run, "changed" if params.sync_updates else "recorded")
    async with facing(trip):
        pseudonyms = await require_pseudonyms(run, trip) if params.pseudonymize_statements else None
        while trip.journey.left:
            if trip.connection.kind == "lrs":
                await LrsPush(run, trip, pseudonyms).push()
            else:
                files = FilePush(run, trip, pseudonyms, is_raw=params.raw, changed=params.sync_updates)
                await files.push()
