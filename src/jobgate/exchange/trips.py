"""Trips: one run of a pull or a push. What it has come to and counted is its cursor, saved with every batch.

A saved job goes on where its last run ended: that is its progress, service by service, which never moves back. It
belongs to a connection and a store; where one of them changes, it begins anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import msgspec

from jobgate import wire
from jobgate.context import (
    ERROR,
    INFORMATION,
    WARNING,
    Chunk,
    LogEntry,
    Run,
    Severity,
    TaskDeferred,
    TaskFailed,
    TaskRefused,
)
from jobgate.db import Transaction
from jobgate.definitions import read_clock
from jobgate.exchange.places import Place
from jobgate.keys import KeyUnusable
from jobgate.remotes.endings import Broken, Busy, Refused
from jobgate.remotes.records import SERVICES, Service
from jobgate.stores.binding import Service as AnyService
from jobgate.stores.connections import OpenConnection, open_connection
from jobgate.stores.spaces import Slug, require_store
from jobgate.times import show_moment

MAX_REJECTIONS_TOLD = 100
"""How many are logged one by one in a run; all are counted."""


class Tally(msgspec.Struct, kw_only=True):
    """What became of the records of a service."""

    read: int = 0
    """Those of the window that the last run had not seen."""
    written: int = 0
    skipped: int = 0
    """They were there already, saying the same."""
    rejected: int = 0


class Journey(msgspec.Struct, kw_only=True):
    """How far a run is."""

    cutoff: datetime
    left: list[Service]
    """The services that are not done, the one in work first."""
    place: Place | None = None
    """In the one in work; None: it has not begun."""
    tallies: dict[Service, Tally]
    total: int = 0
    told: int = 0
    has_waited: bool = False

    @property
    def read(self) -> int:
        """Of all services."""
        return sum(tally.read for tally in self.tallies.values())


class _Progress(msgspec.Struct, kw_only=True):
    of: str
    place: Place


class Errand(Protocol):
    """What pulls and pushes take in common."""

    @property
    def connection(self) -> UUID:
        """The far end."""

    @property
    def service(self) -> AnyService:
        """What is meant."""

    @property
    def store(self) -> Slug:
        """The near end."""

    def find_cutoff(self, now: datetime) -> datetime:
        """The last instant of the window."""


E = TypeVar("E", bound=Errand)
L = TypeVar("L", bound=Place)


@dataclass
class Trip(Generic[E]):
    """A run that has begun."""

    run: Run[E]
    connection: OpenConnection
    store_id: int
    journey: Journey
    kind: str
    """What tells apart the progress of jobs that go by different things."""
    sayings: list[LogEntry] = field(default_factory=list)
    """What is said with the next chunk."""

    @property
    def organisation_id(self) -> int:
        """Whose trip it is."""
        return self.run.facts.organisation_id

    @property
    def service(self) -> Service:
        """The one in work."""
        return self.journey.left[0]

    @property
    def tally(self) -> Tally:
        """Of the service in work."""
        return self.journey.tallies[self.service]

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Chunk]:
        """A chunk that saves where the trip is and what it has counted."""
        async with self.run.chunk() as chunk:
            yield chunk
            chunk.log += self.sayings
            done = self.journey.read
            chunk.save(self.journey, done=done, total=max(done, self.journey.total))
        self.sayings.clear()

    def say(self, text: str, severity: Severity = INFORMATION, counters: Mapping[str, int] | None = None) -> None:
        """Log something, together with the next chunk."""
        self.sayings.append(LogEntry(text, severity, counters))

    def reject(self, what: str, why: str) -> None:
        """Count a record that is not taken, and tell which and why, as long as those told are not too many."""
        self.tally.rejected += 1
        if self.journey.told < MAX_REJECTIONS_TOLD:
            self.journey.told += 1
            self.say(f"Rejected {what}: {why}", WARNING)

    async def begin_service(self, kind: type[L]) -> L:
        """Where to go on with the service in work: where this run is, or else where the last one ended."""
        if self.journey.place is None:
            async with self.run.outside.db.reading(self.organisation_id) as db:
                self.journey.place = await self._find_progress(db, kind)
        place = self.journey.place
        assert isinstance(place, kind)
        return place

    async def end_service(self, chunk: Chunk, place: Place) -> None:
        """The service in work is done: the next run of the job begins at `place`."""
        await self.save_progress(chunk, place)
        self.journey.left = self.journey.left[1:]
        self.journey.place = None
        if not self.journey.left:
            self._finish(chunk)

    async def save_progress(self, chunk: Chunk, place: Place) -> None:
        """Let the next run of the job begin at `place`, unless another run of it has come further."""
        definition_id = self.run.facts.definition_id
        if definition_id is None:
            return
        known = await self._read_progress(chunk.db, "lock_progress")
        if known is None or not place.is_before(known):
            told = wire.encode(_Progress(of=self._key, place=place))
            await chunk.db.execute("save_progress", self.organisation_id, definition_id, self.service, told)

    @property
    def _key(self) -> str:
        return f"{self.run.params.connection}/{self.store_id}/{self.kind}"

    async def _find_progress(self, db: Transaction, kind: type[L]) -> L:
        known = await self._read_progress(db, "find_progress")
        return known if isinstance(known, kind) else kind()

    async def _read_progress(self, db: Transaction, statement: str) -> Place | None:
        """Where runs of the job have come, with this connection and this store."""
        definition_id = self.run.facts.definition_id
        stored = await db.fetchval(statement, self.organisation_id, definition_id, self.service)
        progress = None if stored is None else wire.decode(stored, _Progress)
        return progress.place if progress is not None and progress.of == self._key else None

    def _finish(self, chunk: Chunk) -> None:
        counts = {service: msgspec.structs.asdict(tally) for service, tally in self.journey.tallies.items()}
        if len(counts) > 1:
            for service, counters in counts.items():
                self.say(f"Ended {service}", WARNING if counters["rejected"] else INFORMATION, counters)
        total = {name: sum(counters[name] for counters in counts.values()) for name in Tally.__struct_fields__}
        self.say("Ended", ERROR if total["rejected"] else INFORMATION, total)
        chunk.finish(
            [{"status": "ok", "until": show_moment(self.journey.cutoff), "services": dict(self.journey.tallies)}]
        )


async def begin(run: Run[E], kind: str) -> Trip[E]:
    """Set out, or go on. Raises `TaskRefused` for a connection that cannot be used."""
    organisation_id = run.facts.organisation_id
    async with run.outside.db.reading(organisation_id) as db:
        store = await require_store(db, organisation_id, run.params.store)
        try:
            key = run.outside.require_key()
            connection = await open_connection(db, organisation_id, key, run.params.connection)
        except KeyUnusable:
            raise TaskRefused("The password of the connection does not open with JOBGATE_SECRET_KEY.") from None
        if connection is None:
            raise TaskRefused("The connection is not there any more.")
        now = await read_clock(db)
    if run.cursor is not None:
        return Trip(run, connection, store.id, msgspec.convert(run.cursor, Journey), kind)
    services = SERVICES if run.params.service == "all" else (run.params.service,)
    cutoff = run.params.find_cutoff(now)
    trip = Trip(
        run,
        connection,
        store.id,
        Journey(cutoff=cutoff, left=list(services), tallies={service: Tally() for service in services}),
        kind,
    )
    trip.say(f"Taking what was recorded up to {show_moment(cutoff)}")
    return trip


@asynccontextmanager
async def facing(trip: Trip[Any]) -> AsyncIterator[None]:
    """Let the job end as the exchange does: refused for good, put off, or failed and tried again."""
    try:
        yield
    except Refused as error:
        raise TaskRefused(_sentence(error)) from None
    except Broken as error:
        raise TaskFailed(_sentence(error)) from None
    except Busy as error:
        if not trip.journey.has_waited:
            trip.journey.has_waited = True
            trip.say(_sentence(error))
            async with trip.step():
                pass
        raise TaskDeferred(error.wait_s) from None


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + "."
