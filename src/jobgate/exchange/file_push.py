"""Pushing to files: a line for each record, appended in batches, each once.

The lines of a batch count when the transaction says so that writes down how far the run has come: the file is cut back
to what counts before anything is added to it. One job writes a file at a time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from jobgate.context import Run
from jobgate.db import Record
from jobgate.exchange.leaving import count_leaving, last_of, make_record, make_statement_record, read_leaving
from jobgate.exchange.lines import drop_unreachable
from jobgate.exchange.outgoing import Change, change_all
from jobgate.exchange.places import StorePlace
from jobgate.exchange.trips import Trip
from jobgate.remotes.endings import Busy
from jobgate.remotes.files import Writer
from jobgate.remotes.folders import name_file, open_folder
from jobgate.remotes.records import write_record
from jobgate.stores.pseudonym_keys import Pseudonyms
from jobgate.turns import Turns

MAX_BATCH = 500
_HELD_WAIT_S = 5.0


class FilePush:
    """A run that pushes to files."""

    def __init__(
        self, run: Run[Any], trip: Trip[Any], pseudonyms: Pseudonyms | None, *, is_raw: bool, changed: bool
    ) -> None:
        self.run = run
        self.trip = trip
        self.pseudonyms = pseudonyms
        self.is_raw = is_raw
        """Statements go without the record around them."""
        self.changed = changed
        """What has changed goes again."""
        self.store: str = run.params.store

    async def push(self) -> None:
        """Append all records of the window to the file of the service in work; raises how that fails."""
        trip = self.trip
        name = name_file(trip.connection.prefix, trip.service, self.store)
        claim = (trip.organisation_id, f"{trip.connection.folder}/{name}", self.run.facts.id)
        writer = await self._open(name, claim)
        try:
            # Not before the file is ours: another run of the job may just have written to it.
            place = await trip.begin_service(StorePlace)
            async with self.run.outside.db.reading(trip.organisation_id) as reading:
                total = await count_leaving(reading, trip, place, changed=self.changed)
            trip.journey.total = trip.journey.read + total
            await self._write(writer, place, claim)
            async with trip.step() as chunk:
                await chunk.db.execute("release_file", *claim)
                await trip.end_service(chunk, place)
        finally:
            await asyncio.to_thread(writer.close)

    async def _open(self, name: str, claim: tuple[int, str, int]) -> Writer:
        """The file, which nobody else writes, as long as it counts."""
        async with self.trip.step() as chunk:
            row = await chunk.db.fetchrow("claim_file", *claim)
        if row is None:
            raise Busy("another job writes to the file", _HELD_WAIT_S)
        writer = await asyncio.to_thread(self._open_writer, name, row["length"])
        try:
            async with self.trip.step() as chunk:
                await chunk.db.execute("count_file", *claim, writer.length)
        except BaseException:
            await asyncio.to_thread(writer.close)
            raise
        return writer

    def _open_writer(self, name: str, length: int | None) -> Writer:
        root = self.run.outside.settings.files_root
        folder = open_folder(root, self.trip.organisation_id, self.trip.connection.folder, makes=True)
        try:
            return Writer.open(folder, name, length)
        finally:
            os.close(folder)

    async def _write(self, writer: Writer, place: StorePlace, claim: tuple[int, str, int]) -> None:
        trip = self.trip
        while True:
            async with self.run.outside.db.reading(trip.organisation_id) as reading:
                rows = await read_leaving(reading, trip, place, MAX_BATCH, changed=self.changed)
            if not rows:
                return
            lines = await self._make_lines(rows)
            length = await asyncio.to_thread(writer.append, b"".join(lines))
            async with trip.step() as chunk:
                trip.tally.read += len(rows)
                trip.tally.written += len(rows)
                place.moment, place.number = last_of(rows)
                await chunk.db.execute("count_file", *claim, length)
                await trip.save_progress(chunk, place)

    async def _make_lines(self, rows: Sequence[Record]) -> list[bytes]:
        if self.trip.service == "statements":
            changes: list[Change] = [_without_unreachable]
            if self.pseudonyms is not None:
                changes.append(self.pseudonyms.rewrite)
            texts = await change_all(rows, changes)
            if self.is_raw:
                return [text + b"\n" for text in texts]
            is_covered = self.pseudonyms is not None
            return [
                write_record(make_statement_record(row, text, self.store, is_covered=is_covered))
                for row, text in zip(rows, texts, strict=True)
            ]
        turns, lines = Turns(), []
        for row in rows:
            lines.append(write_record(make_record(row, self.trip.service, self.store, self.pseudonyms)))
            await turns.pass_on()
        return lines


def _without_unreachable(statement: dict[str, Any]) -> dict[str, Any]:
    drop_unreachable(statement)
    return statement
