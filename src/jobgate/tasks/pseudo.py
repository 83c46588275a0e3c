"""Jobs of `jobs/pseudo`: replace identities in what a store has recorded up to a time."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from jobgate.context import Chunk, Run
from jobgate.definitions import read_clock
from jobgate.registry import task
from jobgate.stores.acts import tell
from jobgate.stores.binding import OfEachStore
from jobgate.stores.forgetting import forget_unnamed_after, trim_groups
from jobgate.stores.marks import FIRST, Mark
from jobgate.stores.pseudonym_keys import Pseudonyms, find_pseudonyms
from jobgate.stores.pseudonymising import count_originals, replace_documents, replace_statements
from jobgate.stores.spaces import Slug, Store, hold, require_store
from jobgate.stores.sweeping import COUNTED
from jobgate.times import show_moment
from jobgate.windows import Window

Step = Literal["statements", "documents", "agents", "groups", "done"]


class Pseudo(Window, OfEachStore, frozen=True, kw_only=True):
    """What is pseudonymised, and in which store."""

    store: Slug | None = None
    """Absent: a job for each store that is ready."""
    documents: bool = False
    """True: states and agent profiles too, which their owners then find under their pseudonyms only."""


class PseudoCounts(msgspec.Struct, kw_only=True):
    """What was done."""

    statements: int = 0
    """Pseudonymised, as the documents."""
    documents: int = 0
    documents_deleted: int = 0
    """Another one has their place under the same pseudonym, and was changed later."""
    agents_deleted: int = 0
    """Nothing names them any more."""
    groups_changed: int = 0
    """Members went that nothing names any more."""


class PseudoPosition(msgspec.Struct, kw_only=True):
    """How far a run is."""

    cutoff: datetime
    found: int = 0
    """How many statements there are, as far as it has looked; those that are done are among them."""
    step: Step = "statements"
    mark: Mark = FIRST
    """Behind which statement it goes on, or else"""
    after: int = 0
    """after which number."""
    counts: PseudoCounts = msgspec.field(default_factory=PseudoCounts)

    def go_on(self, reached: int | None, following: Step) -> None:
        """To the next batch of the step, or, where there is none, to the following step."""
        self.step, self.after = (following, 0) if reached is None else (self.step, reached)


@task("pseudo", timeout_s=6 * 3600)
async def pseudonymise_store(run: Run[Pseudo]) -> None:
    """Replace the oldest first, at most 1,000 records in a transaction, then forget whom nothing names any more."""
    organisation_id, slug = run.facts.organisation_id, str(run.params.store)
    position = None if run.cursor is None else msgspec.convert(run.cursor, PseudoPosition)
    key = run.outside.require_key()
    is_over = False
    while not is_over:
        is_new = position is None
        position = await _look_ahead(run, position)
        async with run.chunk() as chunk:
            store = await hold(chunk.db, organisation_id, slug)
            pseudonyms = await find_pseudonyms(chunk.db, organisation_id, key)
            if is_new:
                until = show_moment(position.cutoff)
                chunk.say(f"Pseudonymising what was recorded up to {until}", found=position.found)
            await _take_step(run, chunk, store, pseudonyms, position)
            done = position.counts.statements
            chunk.save(position, done=done, total=max(done, position.found))
            is_over = position.step == "done"
            if is_over:
                counts = msgspec.structs.asdict(position.counts)
                await tell(chunk, run.facts, store, "pseudo", "Pseudonymised", counts)
                chunk.finish([{"status": "ok", "until": show_moment(position.cutoff)} | counts])


async def _look_ahead(run: Run[Pseudo], position: PseudoPosition | None) -> PseudoPosition:
    """Count what comes next, where all that was counted is done: a part of it, if there is much."""
    organisation_id = run.facts.organisation_id
    async with run.outside.db.reading(organisation_id) as db:
        if position is None:
            position = PseudoPosition(cutoff=run.params.find_cutoff(await read_clock(db)))
        if position.step == "statements" and position.counts.statements >= position.found:
            store = await require_store(db, organisation_id, str(run.params.store))
            args = (organisation_id, store.id, position.cutoff, position.mark, COUNTED)
            position.found = position.counts.statements + await count_originals(db, *args)
    return position


async def _take_step(
    run: Run[Pseudo], chunk: Chunk, store: Store, pseudonyms: Pseudonyms, position: PseudoPosition
) -> None:
    args, counts = (chunk.db, run.facts.organisation_id, store.id), position.counts
    match position.step:
        case "statements":
            replaced = await replace_statements(*args, pseudonyms, position.cutoff, position.mark)
            counts.statements += replaced.count
            counts.agents_deleted += replaced.agents
            if replaced.reached is None:
                position.step = "documents" if run.params.documents else "agents"
            else:
                position.mark = replaced.reached
        case "documents":
            documents = await replace_documents(*args, pseudonyms, position.cutoff, position.after)
            counts.documents += documents.count
            counts.documents_deleted += documents.outdone
            counts.agents_deleted += documents.agents
            position.go_on(documents.reached, "agents")
        case "agents":
            forgotten = await forget_unnamed_after(*args, position.cutoff, position.after)
            counts.agents_deleted += forgotten.count
            position.go_on(forgotten.reached, "groups")
        case _:
            trimmed = await trim_groups(*args, position.after)
            counts.groups_changed += trimmed.count
            position.go_on(trimmed.reached, "done")
