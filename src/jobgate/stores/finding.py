"""Finding statements: the next places of a store that have what is asked for, in the order of `stored`.

A statement has it, or leads to one that has: when its object refers to a statement, it is found by what that one is
found by, and so on. So candidates come from two walks at once, along the index of the narrowest filter and along the
statements that refer to others; both are judged together, in their order.

    filter's index   ──────o──o───o────o──>  ┐
    references       ─────────────o────────> ┴──> judged as far as both have come

However rare the matches are, one call looks at so many places and no more: a page may be short, even empty, and still
tell where to go on. Where there are more references than a call looks at, but few statements that have what is asked
for themselves, those that lead to them are looked up instead of walked by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self
from uuid import UUID

from jobgate.db import Record, Transaction
from jobgate.paging import LATEST
from jobgate.xapi.identifiers import Identifier, agent_id, iri_id
from jobgate.xapi.positions import Place

MAX_LOOKED_AT = 10_000
"""Places that one call judges, roughly."""

MAX_STEPS = 100
"""References that may lie between a statement and one that has what is asked for."""

_WALK = 1000
_FEW = 1000
"""So many statements are looked up from the other end, with those that lead to them."""

_EARLIEST = datetime(1, 1, 2, tzinfo=UTC)

Spot = tuple[datetime, int]
"""A place in the order of a store: `stored`, and the number that breaks ties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What is asked for; all of it must be true of one statement."""

    verb_id: UUID | None = None
    registration: UUID | None = None
    agent_id: UUID | None = None
    agent_place: Place = Place.subject
    """The least telling place where the agent counts."""
    activity_id: UUID | None = None
    activity_place: Place = Place.subject

    @classmethod
    def read(
        cls,
        *,
        agent: Identifier | None,
        related_agents: bool,
        verb: str | None,
        activity: str | None,
        related_activities: bool,
        registration: UUID | None,
    ) -> Self:
        """The parameters of the standard."""
        return cls(
            verb_id=None if verb is None else iri_id(verb),
            registration=registration,
            agent_id=None if agent is None else agent_id(agent),
            agent_place=Place.authority if related_agents else Place.subject,
            activity_id=None if activity is None else iri_id(activity),
            activity_place=Place.related if related_activities else Place.subject,
        )

    @property
    def narrowest(self) -> tuple[str, UUID | None]:
        """The index that has the fewest statements, as a rule, and the key to walk it by."""
        for kind, key in (
            ("registration", self.registration),
            ("agent", self.agent_id),
            ("activity", self.activity_id),
            ("verb", self.verb_id),
        ):
            if key is not None:
                return kind, key
        return "statements", None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Which part of a store is looked at, and from which end."""

    since: datetime | None = None
    """Later than this."""
    until: datetime | None = None
    """Up to this, itself included."""
    ascending: bool = False
    after: Spot | None = None
    """Where the page before ended."""

    @property
    def start(self) -> Spot:
        """The place before the first one."""
        if self.ascending:
            first = (_EARLIEST if self.since is None else self.since, LATEST[1])
            return first if self.after is None else max(first, self.after)
        last = LATEST if self.until is None else (self.until, LATEST[1])
        return last if self.after is None else min(last, self.after)

    @property
    def bound(self) -> datetime:
        """How far it goes: up to this, or down to what is later."""
        if self.ascending:
            return LATEST[0] if self.until is None else self.until
        return _EARLIEST if self.since is None else self.since

    def holds(self, spot: Spot) -> bool:
        """Whether a place is looked at."""
        if self.ascending:
            return self.start < spot and spot[0] <= self.bound
        return spot < self.start and self.bound < spot[0]


class Found(NamedTuple):
    """A page: the places of statements, and the last one that was looked at, where there may be more."""

    spots: list[Spot]
    reached: Spot | None


async def find_spots(
    db: Transaction, organisation_id: int, store_id: int, filters: Filters, span: Span, limit: int
) -> Found:
    """The first statements in a span of a store that have what is asked for and are not voided."""
    await db.execute("walk_in_order")
    search = _Search(db, organisation_id, store_id, filters, span)
    spots: list[Spot] = []
    looked_at, size = 0, limit + 1
    while True:
        candidates = await search.advance(size)
        looked_at += len(candidates)
        spots += await search.judge(candidates, limit + 1 - len(spots))
        if len(spots) > limit:
            return Found(spots[:limit], spots[limit - 1])
        if search.is_over:
            return Found(spots, None)
        if looked_at >= MAX_LOOKED_AT:
            return Found(spots, candidates[-1])
        size = _WALK


@dataclass(slots=True)
class _Walk:
    """Along one index. What is ahead was read and not judged yet."""

    kind: str
    key: UUID | None
    at: Spot
    ahead: list[Spot] = field(default_factory=list)
    is_over: bool = False


class _Search:
    def __init__(self, db: Transaction, organisation_id: int, store_id: int, filters: Filters, span: Span) -> None:
        self._db, self._place = db, (organisation_id, store_id)
        self._filters, self._span = filters, span
        kind, key = filters.narrowest
        self._walks = [_Walk(kind, key, span.start)]
        if key is not None:
            self._walks.append(_Walk("referring", None, span.start))

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to judge."""
        return all(walk.is_over and not walk.ahead for walk in self._walks)

    async def advance(self, size: int) -> list[Spot]:
        """The next places of all walks, in order, as far as each of them has come."""
        for walk in self._walks:
            if not walk.ahead and not walk.is_over:
                await self._read(walk, size)
        choose = min if self._span.ascending else max
        reached = [walk.ahead[-1] for walk in self._walks if walk.ahead and not walk.is_over]
        border = choose(reached) if reached else None
        candidates: set[Spot] = set()
        for walk in self._walks:
            passed = [spot for spot in walk.ahead if border is None or choose(spot, border) == spot]
            candidates.update(passed)
            walk.ahead = walk.ahead[len(passed) :]
        return sorted(candidates, reverse=not self._span.ascending)

    async def _read(self, walk: _Walk, size: int) -> None:
        spots = await self._step(walk, self._span, walk.at, size)
        if len(spots) < size:
            walk.is_over = True
        elif walk.kind == "referring" and walk.at == self._span.start and (few := await self._look_up()) is not None:
            spots, walk.is_over = few, True
        walk.ahead = spots
        walk.at = spots[-1] if spots else walk.at

    async def _step(self, walk: _Walk, span: Span, start: Spot, size: int) -> list[Spot]:
        direction = "asc" if span.ascending else "desc"
        keys = () if walk.key is None else (walk.key,)
        name = f"walk_{walk.kind}_{direction}"
        return _spots(await self._db.fetch(name, *self._place, *start, span.bound, size, *keys))

    async def _look_up(self) -> list[Spot] | None:
        """All that refer to what may have what is asked for, in order, if that is little."""
        whole = Span(ascending=True)
        own = await self._step(self._walks[0], whole, whole.start, _FEW + 1)
        if len(own) > _FEW:
            return None
        rows = await self._db.fetch("find_referring", *self._place, *_columns(own), MAX_LOOKED_AT + 1)
        if len(rows) > MAX_LOOKED_AT:
            return None
        return sorted(filter(self._span.holds, set(_spots(rows))), reverse=not self._span.ascending)

    async def judge(self, candidates: Sequence[Spot], wanted: int) -> list[Spot]:
        """Those that have what is asked for."""
        if not candidates:
            return []
        filters = self._filters
        rows = await self._db.fetch(
            "judge_statements",
            *self._place,
            *_columns(candidates),
            MAX_STEPS,
            filters.verb_id,
            filters.registration,
            filters.agent_id,
            int(filters.agent_place),
            filters.activity_id,
            int(filters.activity_place),
            wanted,
        )
        return [candidates[row["place"] - 1] for row in rows]


def _spots(rows: Sequence[Record]) -> list[Spot]:
    return [(row["stored"], row["number"]) for row in rows]


def _columns(spots: Sequence[Spot]) -> tuple[list[Any], list[Any]]:
    return [stored for stored, _ in spots], [number for _, number in spots]
