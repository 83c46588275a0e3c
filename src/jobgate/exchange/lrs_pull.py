"""Pulling from an LRS: its pages in the order of stored, from a little before where the last run ended.

A run that dies goes on with the page that it was to read next. Where the LRS has that no more, or says too much at
once, it walks anew from the last that it knows to be done.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from jobgate.context import WARNING, Run
from jobgate.exchange.arriving import keep_statements, tell_rejected
from jobgate.exchange.places import LrsPlace
from jobgate.exchange.trips import Trip
from jobgate.remotes.endings import Broken, Refused
from jobgate.remotes.lrs import PAGE_STATEMENTS, Far, Lrs, Page, TooMuch, speak
from jobgate.remotes.records import read_time
from jobgate.stores.incoming import Candidate, read_candidates
from jobgate.stores.options import EntryOptions
from jobgate.stores.spaces import hold

MAX_BATCH = 1000
"""How many are recorded together; no page should have more."""

MAX_PAGES = 100_000
"""How many a run reads; the next one goes on."""

OVERLAP = timedelta(seconds=10)
"""How far before its place a walk begins: what came late is not missed, and what the store has is known again."""


class LrsPull:
    """A run that pulls from an LRS."""

    def __init__(self, run: Run[Any], trip: Trip[Any], options: EntryOptions) -> None:
        self.run = run
        self.trip = trip
        self.options = options
        self._careful = msgspec.structs.replace(options, check_conflicts=True)
        """What is read again replaces nothing."""
        self.place = LrsPlace()
        self._limit = PAGE_STATEMENTS
        self._followed: set[str] = set()
        self._has_inherited = False
        """The page to go on with was named to a run that died: pages are promised for a day, and it may be gone."""

    async def pull(self) -> None:
        """Take all statements of the window; raises what the LRS raises."""
        connection = self.trip.connection
        far = Far(connection.endpoint, connection.username, connection.password, connection.version)
        self.place = await self.trip.begin_service(LrsPlace)
        self._has_inherited = self.place.more is not None
        async with speak(self.run.outside.client, far) as lrs:
            page = await self._go_on(lrs)
            while True:
                await self._take(page)
                if page.more is None or self.place.pages >= MAX_PAGES:
                    break
                page = await self._read_next(lrs, page.more)
        async with self.trip.step() as chunk:
            await self.trip.end_service(chunk, self._find_end(is_whole=page.more is None))

    # -- pages ---------------------------------------------------------------------------------------------------------

    async def _go_on(self, lrs: Lrs) -> Page:
        """The page that a run begins with, or that one which died was to read next."""
        if self.place.more is None:
            return await self._begin(lrs)
        return await self._read_next(lrs, self.place.more)

    async def _begin(self, lrs: Lrs) -> Page:
        """The first page of a walk."""
        cutoff = self.trip.journey.cutoff
        while True:
            try:
                since = None if self.place.done is None else self.place.done - OVERLAP
                page = await lrs.read_first(since, cutoff, self._limit)
            except TooMuch:
                self._ask_for_less()
            else:
                through = page.consistent_through
                self.place.through = None if through is None else min(through, cutoff)
                return page

    async def _read_next(self, lrs: Lrs, more: str) -> Page:
        if more in self._followed:
            raise Broken("the LRS leads in a circle: a page names as its next one that was read before")
        self._followed.add(more)
        try:
            page = await lrs.read_more(more)
        except TooMuch:
            self._ask_for_less()
        except Refused:
            if not self._has_inherited:
                raise
        else:
            self._has_inherited = False
            return page
        self._has_inherited = False
        self._return()
        return await self._begin(lrs)

    def _ask_for_less(self) -> None:
        """Contents of attachments come with the statements: fewer may be small enough."""
        if self._limit == 1:
            raise Broken("the LRS says too much: a page with one statement is too large")
        self._limit = max(1, self._limit // 10)

    def _return(self) -> None:
        """Walk anew from the last that is known to be done."""
        place = self.place
        if place.is_ordered and place.last is not None:
            place.done = max(place.last, place.done or place.last)
        place.more, place.pages, place.last, place.is_ordered = None, 0, None, True
        self._followed.clear()

    # -- statements ----------------------------------------------------------------------------------------------------

    async def _take(self, page: Page) -> None:
        """Record the statements of a page, and that it was read with the last of them."""
        texts = [page.statements[at : at + MAX_BATCH] for at in range(0, len(page.statements), MAX_BATCH)] or [[]]
        for batch in texts[:-1]:
            await self._keep(await read_candidates(batch, self.options, None), page, is_last=False)
        await self._keep(await read_candidates(texts[-1], self.options, None), page, is_last=True)

    async def _keep(self, candidates: Sequence[Candidate], page: Page, *, is_last: bool) -> None:
        trip, cutoff, done_before = self.trip, self.trip.journey.cutoff, self.place.done
        moments = [_find_stored(candidate) for candidate in candidates]
        fresh: list[Candidate] = []
        old: list[Candidate] = []
        for candidate, moment in zip(candidates, moments, strict=True):
            if moment is not None and done_before is not None and moment <= done_before:
                old.append(candidate)
            elif moment is None or moment <= cutoff:
                fresh.append(candidate)
        async with trip.step() as chunk:
            store = await hold(chunk.db, trip.organisation_id, self.run.params.store)
            if fresh:
                done = await keep_statements(chunk.db, trip, store, fresh, self.options, page.contents)
                trip.tally.read += len(fresh)
                trip.tally.written += len(done.accepted) - done.known
                trip.tally.skipped += done.known
                tell_rejected(trip, done.rejected, _name)
            if old:
                # An earlier run has counted them, but for those that came late.
                late = await keep_statements(chunk.db, trip, store, old, self._careful, page.contents)
                trip.tally.read += len(late.accepted) - late.known
                trip.tally.written += len(late.accepted) - late.known
            self._move([moment for moment in moments if moment is not None])
            if is_last:
                self.place.more = page.more
                self.place.pages += 1

    def _move(self, moments: Sequence[datetime]) -> None:
        place = self.place
        for moment in moments:
            place.is_ordered = place.is_ordered and (place.last is None or moment >= place.last)
            place.last = moment if place.last is None else max(place.last, moment)

    def _find_end(self, *, is_whole: bool) -> LrsPlace:
        """Where the next run begins; never before this one did."""
        place = self.place
        if is_whole:
            # An LRS that does not say up to when it is whole is believed as far as it has shown statements.
            reached = place.through or place.last
        else:
            self.trip.say(f"Stopped after {MAX_PAGES} pages; the next run goes on", WARNING)
            reached = place.last if place.is_ordered else None
        reached = None if reached is None else min(reached, self.trip.journey.cutoff)
        if reached is None or (place.done is not None and reached < place.done):
            return LrsPlace(done=place.done)
        return LrsPlace(done=reached)


def _find_stored(candidate: Candidate) -> datetime | None:
    stored = candidate.statement.get("stored") if type(candidate.statement) is dict else None
    return read_time(stored) if type(stored) is str else None


def _name(candidate: Candidate) -> str:
    return "a statement without an id" if candidate.id is None else candidate.id[:40]
