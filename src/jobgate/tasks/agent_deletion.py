"""Jobs of `jobs/agent-deletion`: remove every trace of an agent, or of a person, from a store."""

from __future__ import annotations

from typing import Literal

import msgspec

from jobgate import jobs, wire
from jobgate.context import INFORMATION, Chunk, Run
from jobgate.db import Transaction
from jobgate.registry import task
from jobgate.stores import traces
from jobgate.stores.acts import tell_deletion
from jobgate.stores.binding import OfEachStore
from jobgate.stores.marks import FIRST, Mark
from jobgate.stores.naming import NamedAgent, read_named_agent
from jobgate.stores.pseudonym_keys import find_pseudonyms
from jobgate.stores.spaces import Slug, Store, hold, require_store
from jobgate.stores.sweeping import COUNTED, EVER
from jobgate.stores.traces import Sought, Traces

Step = Literal["statements", "documents", "tokens", "groups", "agents", "done"]

STEPS: tuple[Step, ...] = ("statements", "documents", "tokens", "groups", "agents", "done")
"""The catalogue last: it knows who is one person."""


class AgentDeletion(msgspec.Struct, OfEachStore, frozen=True, kw_only=True):
    """Whose traces are removed, and from which store."""

    agent: NamedAgent
    """An object, or its JSON text. Only its identifier is kept."""
    person: bool
    """True: all agents of the person that it was declared to be, too."""
    store: Slug | None = None
    """Absent: a job for each store that is ready."""
    mbox_sha1sum: bool = False
    """True: what was recorded under the SHA-1 of an mbox, too."""
    pseudonyms: bool = False
    """True: what was pseudonymised, too."""
    dry_run: bool = False
    """True: nothing is deleted, only counted."""

    def __post_init__(self) -> None:
        _, identifier = read_named_agent(self.agent)
        msgspec.structs.force_setattr(self, "agent", identifier.as_agent())


class DeletionPosition(msgspec.Struct, kw_only=True):
    """How far a run is. It names nobody: whoever goes on looks again who is meant."""

    step: Step = STEPS[0]
    mark: Mark = FIRST
    """Behind which statement it goes on, or else"""
    after: int = 0
    """after which number."""
    looked: int = 0
    """At how many statements."""
    known: int = 0
    """How many there are, as far as it has counted."""
    counts: dict[str, int] = msgspec.field(default_factory=dict)


@task("agent-deletion", timeout_s=6 * 3600)
async def delete_agent(run: Run[AgentDeletion]) -> None:
    """Look through all that a store has, 1,000 records in a transaction, and delete what is somebody's."""
    organisation_id, params = run.facts.organisation_id, run.params
    position = DeletionPosition() if run.cursor is None else msgspec.convert(run.cursor, DeletionPosition)
    sought: Sought | None = None
    is_over = False
    while not is_over:
        await _look_ahead(run, position)
        async with run.chunk() as chunk:
            store = await hold(chunk.db, organisation_id, str(params.store))
            if sought is None:
                sought = await _seek(run, chunk.db, store)
                chunk.say("Counting traces" if params.dry_run else "Deleting traces", identifiers=len(sought.ids))
            _note(position, await _take(run, chunk, store, sought, position))
            chunk.save(position, done=position.looked, total=max(position.looked, position.known))
            is_over = position.step == "done"
            if is_over:
                await _finish(run, chunk, store, position)


async def _look_ahead(run: Run[AgentDeletion], position: DeletionPosition) -> None:
    """Count the statements that come next, where all that were counted are done: a part of them, if there are many."""
    if position.step != "statements" or position.looked < position.known:
        return
    async with run.outside.db.reading(run.facts.organisation_id) as db:
        store = await require_store(db, run.facts.organisation_id, str(run.params.store))
        args = (run.facts.organisation_id, store.id, EVER, *position.mark, COUNTED)
        position.known = position.looked + await db.fetchval("count_old_statements", *args)


async def _seek(run: Run[AgentDeletion], db: Transaction, store: Store) -> Sought:
    organisation_id, params = run.facts.organisation_id, run.params
    pseudonyms = None
    if params.pseudonyms:
        pseudonyms = await find_pseudonyms(db, organisation_id, run.outside.require_key(), make=False)
    _, agent = read_named_agent(params.agent)
    return await traces.seek(
        db, organisation_id, store.id, agent, person=params.person, digests=params.mbox_sha1sum, pseudonyms=pseudonyms
    )


async def _take(
    run: Run[AgentDeletion], chunk: Chunk, store: Store, sought: Sought, position: DeletionPosition
) -> Traces:
    args, only_count = (chunk.db, run.facts.organisation_id, store.id, sought), run.params.dry_run
    match position.step:
        case "statements":
            return await traces.take_statements(*args, position.mark, only_count=only_count)
        case "documents":
            return await traces.take_documents(*args, position.after, only_count=only_count)
        case "tokens":
            return await traces.take_tokens(*args, position.after, only_count=only_count)
        case "groups":
            return await traces.take_memberships(*args, position.after, only_count=only_count)
        case _:
            return await traces.take_agents(*args, only_count=only_count)


def _note(position: DeletionPosition, found: Traces) -> None:
    """Add up, and go on to the next batch of the step, or, where there is none, to the next step."""
    for name, count in found.counts.items():
        position.counts[name] = position.counts.get(name, 0) + count
    if position.step == "statements":
        position.looked += found.looked
        position.mark = found.reached or position.mark
    else:
        position.after = found.reached or 0
    if found.reached is None:
        position.step = STEPS[STEPS.index(position.step) + 1]


async def _finish(run: Run[AgentDeletion], chunk: Chunk, store: Store, position: DeletionPosition) -> None:
    """Tell what was done. The job forgets whom it was about; the saved job does not, so that it can run again."""
    if run.params.dry_run:
        chunk.say("Found, and left as it was", INFORMATION, **position.counts)
    else:
        await tell_deletion(chunk, run.facts, store, "agent-deletion", position.counts)
        forgotten = msgspec.structs.asdict(run.params) | {"agent": None}
        await jobs.redact(chunk.db, run.facts.id, wire.encode(forgotten))
    word = "found" if run.params.dry_run else "deleted"
    chunk.finish([{"status": "ok", word: position.counts}])
