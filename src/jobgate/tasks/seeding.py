"""Jobs of `jobs/seeding`: fill a store with made-up statements."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta

from jobgate import wire
from jobgate.context import WARNING, Chunk, Run, TaskRefused
from jobgate.errors import ApiError, Code, shown
from jobgate.registry import task
from jobgate.settings import Settings
from jobgate.stores.binding import OfStore
from jobgate.stores.incoming import read_candidates
from jobgate.stores.options import EntryOptions
from jobgate.stores.recording import Recorded, record
from jobgate.stores.spaces import Slug, hold
from jobgate.xapi.seeding import Misconfigured, Sower, find_seeding
from jobgate.xapi.seeding.configuration import MAX_STATEMENTS

CHUNK_STATEMENTS = 500

CLIENT = "jobs/seeding"
"""Who brought the statements."""


class Seeding(msgspec.Struct, OfStore, frozen=True, kw_only=True):
    """What is made up, and the store that it is for."""

    store: Slug
    config: Annotated[str, Meta(max_length=64)] = "default"
    """The name of a configuration."""
    seed: Annotated[str, Meta(max_length=100)] | None = None
    """Another one than the configuration has: other statements of the same families."""
    count: Annotated[int, Meta(ge=0, le=MAX_STATEMENTS)] | None = None
    """Another number of statements than the configuration has, over the same time."""

    def require_configured(self, settings: Settings) -> None:
        """Raise 20004 for a configuration that there is not, or that nothing can be made from."""
        problem = self._find(settings)
        if isinstance(problem, str):
            raise ApiError(Code.unsupported_value, f"`config` must be the name of a configuration, not {problem}")

    def sow(self, settings: Settings) -> Sower:
        """What makes the statements. Raises `TaskRefused`."""
        found = self._find(settings)
        if isinstance(found, str):
            raise TaskRefused(f"There is no such configuration any more: {found}.")
        return found

    def _find(self, settings: Settings) -> Sower | str:
        try:
            seeding = find_seeding(self.config, settings.seedings_dir)
        except Misconfigured as error:
            return f"{shown(self.config)}: {error}"
        return shown(self.config) if seeding is None else Sower(seeding.sow(seed=self.seed, count=self.count))


class SeedingPosition(msgspec.Struct, kw_only=True):
    """How far a run is."""

    key: str
    """Tells whether the configuration is still the same."""
    number: int = 0
    """Of the next statement."""
    recorded: int = 0
    known: int = 0
    rejected: int = 0


class SeedingResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the statements."""

    status: str = "ok"
    recorded: int
    known: int
    """The store had them: they were made by an earlier run with the same configuration, seed and number."""
    rejected: int
    """The store has something else under their ids: they were changed there since."""


@task("seeding", timeout_s=6 * 3600)
async def seed_store(run: Run[Seeding]) -> None:
    """Make the statements one after the other, and record them by all options of the pipeline.

    A statement's id comes from the configuration and its number: the same run again finds its statements there.
    """
    sower = run.params.sow(run.outside.settings)
    key = sha256(sower.key).hexdigest()
    position = SeedingPosition(key=key) if run.cursor is None else msgspec.convert(run.cursor, SeedingPosition)
    if position.key != key:
        raise TaskRefused("The configuration was changed after the job had begun; run it again.")
    options, is_over = EntryOptions(), False
    while not is_over:
        texts = map(wire.encode, sower.make(position.number, CHUNK_STATEMENTS))
        candidates = await read_candidates(texts, options, None)
        async with run.chunk() as chunk:
            store = await hold(chunk.db, run.facts.organisation_id, run.params.store)
            if run.cursor is None and position.number == 0:
                chunk.say("Making statements", statements=sower.count)
            done = await record(chunk.db, run.facts.organisation_id, store, candidates, options, client=CLIENT)
            _count(position, done, len(candidates))
            is_over = position.number >= sower.count
            chunk.save(position, done=position.number, total=sower.count)
            if is_over:
                _finish(chunk, position)


def _count(position: SeedingPosition, done: Recorded, made: int) -> None:
    position.number += made
    position.recorded += len(done.accepted) - done.known
    position.known += done.known
    position.rejected += len(done.rejected)


def _finish(chunk: Chunk, position: SeedingPosition) -> None:
    result = SeedingResult(recorded=position.recorded, known=position.known, rejected=position.rejected)
    if result.rejected:
        chunk.say("The store has something else under the ids of some statements", WARNING, rejected=result.rejected)
    chunk.say("Recorded made-up statements", recorded=result.recorded, known=result.known, rejected=result.rejected)
    chunk.finish([result])
