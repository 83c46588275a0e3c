"""Jobs of `jobs/cmi5-tokens-deletion`: delete tokens that content was launched with."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from jobgate.context import Run
from jobgate.registry import task
from jobgate.stores.binding import OfEachStore
from jobgate.stores.spaces import Slug
from jobgate.stores.sweeping import KINDS, sweep_out
from jobgate.windows import SPANS


class TokensDeletion(msgspec.Struct, OfEachStore, frozen=True, kw_only=True):
    """What goes, and from which store."""

    until: Literal["now", "1_hour", "1_day", "1_week"]
    """Tokens made up to the start of the run, or up to a span before it."""
    store: Slug | None = None
    """Absent: a job for each store that is ready."""

    def find_cutoff(self, now: datetime) -> datetime:
        """The last instant at which a token that goes was made, for a run that starts at `now`."""
        return now - SPANS[self.until]


@task("cmi5-tokens-deletion", timeout_s=3600)
async def delete_tokens(run: Run[TokensDeletion]) -> None:
    """Delete the oldest first, at most 1,000 in a transaction; they are not known from then on."""
    await sweep_out(run, str(run.params.store), {"tokens": KINDS["tokens"]}, run.params.find_cutoff)
