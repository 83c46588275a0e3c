"""Jobs of `jobs/pull`: take what an LRS, or files, have recorded into a store."""

from __future__ import annotations

import uuid

from jobgate.context import Run
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.exchange.file_pull import FilePull
from jobgate.exchange.lrs_pull import LrsPull
from jobgate.exchange.trips import begin, facing
from jobgate.registry import task
from jobgate.stores.binding import OfStore, Service
from jobgate.stores.connections import require_connection
from jobgate.stores.options import (
    AUTHORITY_HOMEPAGE,
    AUTHORITY_NAME,
    AuthorityHomepage,
    AuthorityName,
    EntryOptions,
    PipelineOptions,
    complete_options,
)
from jobgate.stores.spaces import Slug
from jobgate.windows import Window


class Pull(Window, OfStore, frozen=True, kw_only=True):
    """What comes from where, into which store, and what happens to statements on the way."""

    service: Service
    """From an LRS statements only."""
    connection: uuid.UUID
    store: Slug
    source_store: Slug | None = None
    """Files: the slug of the store that they are named after; that of `store` when absent."""
    validate_statements: bool = True
    check_conflicts: bool = True
    void_statements: bool = True
    update_activities: bool = True
    update_agents: bool = True
    update_vocab: bool = True
    update_activity_ids: bool = True
    update_agent_ids: bool = True
    authority_name: AuthorityName = AUTHORITY_NAME
    authority_homepage: AuthorityHomepage = AUTHORITY_HOMEPAGE

    def __post_init__(self) -> None:
        Window.__post_init__(self)
        self.read_options()

    def read_options(self) -> EntryOptions:
        """The options of the pipeline. Raises 20004 for an authority that is none."""
        return complete_options(
            PipelineOptions(**{name: getattr(self, name) for name in PipelineOptions.__struct_fields__})
        )

    async def require(self, db: Transaction, organisation_id: int) -> None:
        """Raise 20004 for a connection that there is not, or that does not have what is wanted."""
        kind = await require_connection(db, organisation_id, self.connection)
        if kind == "lrs" and self.service != "statements":
            raise ApiError(Code.unsupported_value, "`service` must be statements: an LRS gives nothing else")
        if kind == "lrs" and self.source_store is not None:
            raise ApiError(Code.unsupported_value, "`source_store` belongs to connections of the kind file")


@task("pull", timeout_s=6 * 3600, calls_out=True)
async def pull_records(run: Run[Pull]) -> None:
    """Take a batch at a time; each is recorded together with how far the run has come."""
    params, options = run.params, run.params.read_options()
    trip = await begin(run, params.source_store or params.store)
    async with facing(trip):
        while trip.journey.left:
            if trip.connection.kind == "lrs":
                await LrsPull(run, trip, options).pull()
            else:
                await FilePull(run, trip, options, params.source_store or params.store).pull()
