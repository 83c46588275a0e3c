"""Pushing to an LRS: a store's statements in the order in which they were recorded, voided ones and what voids them.

A batch is sent, and then written down. A run that dies between the two sends it again, and the LRS knows it.
"""

from __future__ import annotations

from typing import Any

from jobgate.context import Run
from jobgate.exchange.leaving import count_leaving, last_of, read_leaving
from jobgate.exchange.outgoing import Change, pack, read_contents
from jobgate.exchange.places import StorePlace
from jobgate.exchange.trips import Trip
from jobgate.remotes.delivering import Delivered, deliver
from jobgate.remotes.lrs import Far, speak
from jobgate.stores.pseudonym_keys import Pseudonyms
from jobgate.xapi.downgrading import downgrade

MAX_BATCH = 100


class LrsPush:
    """A run that pushes to an LRS."""

    def __init__(self, run: Run[Any], trip: Trip[Any], pseudonyms: Pseudonyms | None) -> None:
        self.run = run
        self.trip = trip
        self.changes: list[Change] = []
        if pseudonyms is not None:
            self.changes.append(pseudonyms.rewrite)
        if trip.connection.version == "1.0.3":
            self.changes.append(downgrade)

    async def push(self) -> None:
        """Send all statements of the window; raises what the LRS raises."""
        trip, db = self.trip, self.run.outside.db
        connection = trip.connection
        far = Far(connection.endpoint, connection.username, connection.password, connection.version)
        place = await trip.begin_service(StorePlace)
        async with db.reading(trip.organisation_id) as reading:
            trip.journey.total = trip.journey.read + await count_leaving(reading, trip, place, changed=False)
        async with speak(self.run.outside.client, far) as lrs:
            while True:
                async with db.reading(trip.organisation_id) as reading:
                    found = await read_leaving(reading, trip, place, MAX_BATCH, changed=False)
                    rows, contents = await read_contents(reading, trip, found)
                if not rows:
                    break
                done = await deliver(lrs, await pack(rows, contents, self.changes))
                async with trip.step() as chunk:
                    self._count(done, len(rows))
                    place.moment, place.number = last_of(rows)
                    await trip.save_progress(chunk, place)
        async with trip.step() as chunk:
            await trip.end_service(chunk, place)

    def _count(self, done: Delivered, sent: int) -> None:
        tally = self.trip.tally
        tally.read += sent
        tally.written += done.written
        tally.skipped += done.skipped
        for id, reason in done.rejected:
            self.trip.reject(id, reason)
