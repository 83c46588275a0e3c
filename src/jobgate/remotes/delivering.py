"""Delivering statements to an LRS that takes a batch as a whole or not at all: what it refuses is found by halving.

A statement that the LRS has already, saying the same, is no loss: it was skipped, as when a run had sent it and died
before that was written down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jobgate import wire
from jobgate.remotes.attachments import Content
from jobgate.remotes.lrs import Lrs
from jobgate.xapi.comparison import are_equal

INVALID = "refused as invalid"
TOO_LARGE = "too large for the LRS"
CONFLICT = "the LRS has another statement with its id"


class Parcel(NamedTuple):
    """A statement to deliver, with what is attached to it."""

    id: str
    text: bytes
    contents: dict[str, Content]


class Rejection(NamedTuple):
    """A statement that the LRS would not take."""

    id: str
    reason: str


@dataclass(slots=True)
class Delivered:
    """What became of statements."""

    written: int = 0
    skipped: int = 0
    """The LRS had them."""
    rejected: list[Rejection] = field(default_factory=list)

    def reject(self, parcel: Parcel, reason: str) -> None:
        """Count a statement that was not taken."""
        self.rejected.append(Rejection(parcel.id, reason))


async def deliver(lrs: Lrs, parcels: Sequence[Parcel]) -> Delivered:
    """Offer statements, in their order; raises what the LRS raises. It may be repeated."""
    done = Delivered()
    # What is left, the next last, so that order is kept: an original before what voids it.
    pending = [list(parcels)] if parcels else []
    while pending:
        batch = pending.pop()
        contents = {sha2: content for parcel in batch for sha2, content in parcel.contents.items()}
        told = await lrs.post([parcel.text for parcel in batch], contents)
        if told == "stored":
            done.written += len(batch)
        elif told == "conflict":
            left = await _find_new(lrs, batch, done)
            if len(left) < len(batch):
                pending += [left] if left else []
            else:
                pending += _halve(batch, done, CONFLICT)
        else:
            pending += _halve(batch, done, INVALID if told == "invalid" else TOO_LARGE)
    return done


def _halve(batch: list[Parcel], done: Delivered, reason: str) -> list[list[Parcel]]:
    """Both halves, the first last; nothing of a statement that stands alone, which is the culprit."""
    if len(batch) == 1:
        done.reject(batch[0], reason)
        return []
    half = len(batch) // 2
    return [batch[half:], batch[:half]]


async def _find_new(lrs: Lrs, batch: Sequence[Parcel], done: Delivered) -> list[Parcel]:
    """Those that the LRS does not have; the others are counted."""
    left: list[Parcel] = []
    for parcel in batch:
        there = await lrs.find(parcel.id)
        if there is None:
            left.append(parcel)
        elif _is_same(parcel, there):
            done.skipped += 1
        else:
            done.reject(parcel, CONFLICT)
    return left


def _is_same(parcel: Parcel, there: Any) -> bool:
    """Whether what the LRS has says the same, whatever that is."""
    try:
        return are_equal(wire.decode(parcel.text, dict[str, Any]), there)
    except (ValueError, OverflowError, RecursionError):  # numbers that nothing can hold
        return False
