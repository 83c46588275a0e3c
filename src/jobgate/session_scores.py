"""The stored scores of sessions: totals and items follow from the marks of the responses.

Whatever changes marks, a rescoring or a person, brings them here as `Tally`s, and stores what became of them with the
responses that it changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from msgspec import Raw

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.scoring.sessions import SessionScore, add_up
from jobgate.scoring.subscores import TOLERANCE, Item, Mark
from jobgate.turns import Turns


@dataclass(slots=True)
class Tally:
    """The marks that the responses of a session have by now."""

    number: int
    """session.id"""
    job_id: int = 0
    """The job that scored all of it anew; 0: none did."""
    marks: list[Mark] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    """Why responses could not be marked, by their ids."""
    changed: bool = False
    """Something that is stored with a response has changed."""


class _Totals(NamedTuple):
    """What is stored with a session; its items only where they have changed."""

    number: int
    num_attempted: int
    score: float | None
    max_score: float | None
    items: bytes | None
    job_id: int
    changed: bool


def portion(rows: Iterable[Record], most: int) -> Iterator[list[Record]]:
    """The rows in portions whose weights add up to `most`, or that have a single row which is heavier."""
    portion: list[Record] = []
    weight = 0
    for row in rows:
        if portion and weight + row["weight"] > most:
            yield portion
            portion, weight = [], 0
        portion.append(row)
        weight += row["weight"]
    if portion:
        yield portion


async def store_totals(db: Transaction, organisation_id: int, tallies: Sequence[Tally]) -> None:
    """Store what the sessions and their items come to.

    A session without responses keeps the totals that it came with, and so does one whose items cannot be read.
    """
    marked = [tally for tally in tallies if tally.marks]
    if not marked:
        return
    rows = await db.fetch("find_session_totals", organisation_id, [tally.number for tally in marked])
    stored = {row["id"]: row for row in rows}
    turns = Turns()
    totals = []
    for tally in marked:
        totals.append(_total(tally, stored[tally.number]))
        await turns.pass_on()
    await store_rows(db, "update_session_totals", organisation_id, totals)


async def store_rows(db: Transaction, name: str, organisation_id: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement that takes an array for every column of `rows`."""
    if rows:
        await db.execute(name, organisation_id, *map(list, zip(*rows, strict=True)))


def _total(tally: Tally, row: Record) -> _Totals:
    try:
        score = add_up(wire.decode(row["items"], list[Item]), tally.marks, tally.errors)
    except wire.Undecodable:
        kept = row["num_attempted"], row["score"], row["max_score"]
        return _Totals(tally.number, *kept, None, tally.job_id, tally.changed)
    items = _show_items(row["items"], score)
    moved = differ(row["score"], score.score) or differ(row["max_score"], score.max_score)
    changed = tally.changed or moved or items is not None or row["num_attempted"] != score.num_attempted
    return _Totals(tally.number, score.num_attempted, score.score, score.max_score, items, tally.job_id, changed)


def _show_items(stored: bytes, score: SessionScore) -> bytes | None:
    """The items with their scores; None: they have them already."""
    changed = False
    items: list[dict[str, Raw]] = wire.decode(stored, list[dict[str, Raw]])
    for item in items:
        scoring = _find_scoring(item, score)
        if scoring is not None and item.get("scoring") != scoring:
            item["scoring"] = scoring
            changed = True
    return wire.encode(items) if changed else None


def _find_scoring(item: Mapping[str, Raw], score: SessionScore) -> Raw | None:
    found = score.items.get(wire.decode(item["reference"], str))
    return None if found is None else Raw(wire.encode(found))


def differ(one: float | None, other: float | None) -> bool:
    """Whether two scores are not the same."""
    return one is not other and (one is None or other is None or abs(one - other) > TOLERANCE)
