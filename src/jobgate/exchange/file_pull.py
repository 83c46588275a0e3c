"""Pulling from files: line by line, from behind the last that was taken.

A line that is too young for the window is passed over, and the next run begins with the first of those. A file that is
not the one any more that was read before is read from its beginning: what the store has is known again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from collections.abc import Sequence
from typing import Any

from jobgate.context import WARNING, Chunk, Run
from jobgate.exchange.arriving import keep_statements, keep_things, tell_rejected
from jobgate.exchange.lines import Lines, drop_unreachable, read_lines
from jobgate.exchange.places import FilePlace
from jobgate.exchange.trips import Trip
from jobgate.remotes.files import Batch, Reader, Spot
from jobgate.remotes.folders import name_file, open_folder
from jobgate.stores.incoming import Candidate, read_candidates
from jobgate.stores.options import EntryOptions
from jobgate.stores.spaces import Store, hold

MAX_BATCH = 500


class FilePull:
    """A run that pulls from files."""

    def __init__(self, run: Run[Any], trip: Trip[Any], options: EntryOptions, store: str) -> None:
        self.run = run
        self.trip = trip
        self.options = options
        self.store = store
        """The slug that the files are named after."""
        self.place = FilePlace()

    async def pull(self) -> None:
        """Take all records of the window from the file of the service in work; raises how that fails."""
        name = name_file(self.trip.connection.prefix, self.trip.service, self.store)
        self.place = await self.trip.begin_service(FilePlace)
        reader = await asyncio.to_thread(self._open, name)
        if reader is None:
            self.trip.say(f"There is no file {name}")
            async with self.trip.step() as chunk:
                await self.trip.end_service(chunk, FilePlace())
            return
        try:
            await self._find_place(reader, name)
            await self._read(reader)
        finally:
            await asyncio.to_thread(reader.close)

    def _open(self, name: str) -> Reader | None:
        root = self.run.outside.settings.files_root
        folder = open_folder(root, self.trip.organisation_id, self.trip.connection.folder)
        try:
            return Reader.open(folder, name)
        finally:
            os.close(folder)

    async def _find_place(self, reader: Reader, name: str) -> None:
        place = self.place
        if place.offset and place.mark != await asyncio.to_thread(reader.mark, place.offset):
            self.trip.say(f"The file {name} is another than before: it is read from its beginning")
            place.offset, place.is_inside, place.later = 0, False, None

    async def _read(self, reader: Reader) -> None:
        place, is_last = self.place, False
        while not is_last:
            batch = await asyncio.to_thread(reader.read, Spot(place.offset, place.is_inside), MAX_BATCH)
            lines = await read_lines(batch.lines, place.offset, self.trip.service, self.trip.journey.cutoff)
            end = _find_end(batch, lines)
            await self._keep(lines, end, await asyncio.to_thread(reader.mark, end.offset))
            is_last = batch.is_last
        ended = FilePlace(offset=place.offset, mark=place.mark)
        if place.later is not None:
            ended = FilePlace(offset=place.later, mark=await asyncio.to_thread(reader.mark, place.later))
        async with self.trip.step() as chunk:
            await self.trip.end_service(chunk, ended)

    async def _keep(self, lines: Lines, end: Spot, mark: str) -> None:
        """Record what lines have, and that they are done."""
        trip, place = self.trip, self.place
        candidates = await read_candidates(lines.statements, self.options, None)
        for candidate, text, at in zip(candidates, lines.statements, lines.ends, strict=True):
            drop_unreachable(candidate.statement)
            _name(candidate, text, at)
        async with trip.step() as chunk:
            store = await hold(chunk.db, trip.organisation_id, self.run.params.store)
            trip.tally.read += lines.count
            if candidates:
                await self._keep_statements(chunk, store, candidates, lines.ends)
            if lines.things:
                written = await keep_things(chunk.db, trip.organisation_id, store.id, lines.things)
                trip.tally.written += written
                trip.tally.skipped += len(lines.things) - written
            for at, why in lines.wrong:
                trip.reject(f"the line that ends at byte {at}", why)
            if lines.is_half:
                trip.say("The last line is not complete: the next run reads it again", WARNING)
            place.offset, place.is_inside, place.mark = end.offset, end.is_inside, mark
            place.later = lines.later if place.later is None else place.later

    async def _keep_statements(
        self, chunk: Chunk, store: Store, candidates: Sequence[Candidate], ends: Sequence[int]
    ) -> None:
        done = await keep_statements(chunk.db, self.trip, store, candidates, self.options, {})
        self.trip.tally.written += len(done.accepted) - done.known
        self.trip.tally.skipped += done.known

        def name(candidate: Candidate) -> str:
            at = f"the statement on the line that ends at byte {ends[candidate.index]}"
            return at if candidate.id is None else candidate.id[:40]

        tell_rejected(self.trip, done.rejected, name)


def _name(candidate: Candidate, text: bytes, end: int) -> None:
    """Give a statement without an id one that it gets again from the same line of the same file."""
    if type(candidate.statement) is dict and "id" not in candidate.statement:
        digest = hashlib.sha256(b"%d %b" % (end, text)).digest()
        candidate.statement["id"] = str(uuid.UUID(bytes=digest[:16], version=5))


def _find_end(batch: Batch, lines: Lines) -> Spot:
    """Where to go on: a last line whose end is missing, but which is a record, is done too."""
    if batch.lines and not batch.lines[-1].is_whole and not lines.is_half:
        return Spot(batch.lines[-1].end)
    return batch.spot
