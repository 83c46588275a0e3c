"""Statements as they go out: what is stored, changed only where the job or the far end asks for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jobgate import wire
from jobgate.context import Run, TaskRefused
from jobgate.db import Record, Transaction
from jobgate.exchange.leaving import MAX_BYTES
from jobgate.exchange.trips import Trip
from jobgate.keys import KeyUnusable
from jobgate.remotes.attachments import Content
from jobgate.remotes.delivering import Parcel
from jobgate.stores.contents import find_digests
from jobgate.stores.pseudonym_keys import Pseudonyms, find_pseudonyms
from jobgate.turns import Turns

Change = Callable[[dict[str, Any]], dict[str, Any]]


async def change_all(rows: Sequence[Record], changes: Sequence[Change]) -> list[bytes]:
    """The statements of rows, each after these changes; what nothing changes goes as it is stored."""
    turns, texts = Turns(), []
    for row in rows:
        text: bytes = row["raw"]
        if changes:
            statement = wire.decode(text, dict[str, Any])
            for change in changes:
                statement = change(statement)
            text = wire.encode(statement)
        texts.append(text)
        await turns.pass_on()
    return texts


async def read_contents(
    db: Transaction, trip: Trip[Any], rows: Sequence[Record]
) -> tuple[Sequence[Record], dict[str, Content]]:
    """As many of the first rows as have contents that are not too much together, and these contents."""
    digests = sorted({sha2 for row in rows for sha2 in row["attachments"]})
    if not digests:
        return rows, {}
    args = (trip.organisation_id, trip.store_id)
    sizes = {row["sha2"]: row["size"] for row in await db.fetch("measure_attachments", *args, digests)}
    count, taken, size = 0, set[str](), 0
    for row in rows:
        new = set(row["attachments"]) - taken
        size += sum(sizes.get(sha2, 0) for sha2 in new)
        if count and size > MAX_BYTES:
            break
        taken |= new
        count += 1
    found = await db.fetch("read_contents", *args, sorted(taken))
    return rows[:count], {row["sha2"]: Content(row["content_type"], row["content"]) for row in found}


async def pack(rows: Sequence[Record], contents: dict[str, Content], changes: Sequence[Change]) -> list[Parcel]:
    """The statements of rows, each after these changes and with its contents."""
    return [
        Parcel(str(row["id"]), text, _find_contents(text, contents) if row["attachments"] else {})
        for row, text in zip(rows, await change_all(rows, changes), strict=True)
    ]


def _find_contents(text: bytes, contents: dict[str, Content]) -> dict[str, Content]:
    """What is attached to a statement as it goes out: a signature may have been taken away."""
    digests = find_digests(wire.decode(text, dict[str, Any]))
    return {sha2: contents[sha2] for sha2 in digests if sha2 in contents}


async def require_pseudonyms(run: Run[Any], trip: Trip[Any]) -> Pseudonyms:
    """The organisation's pseudonyms, made now if it had none yet."""
    async with trip.step() as chunk:
        try:
            return await find_pseudonyms(chunk.db, trip.organisation_id, run.outside.require_key())
        except KeyUnusable:
            raise TaskRefused("The secret of the pseudonyms does not open with JOBGATE_SECRET_KEY.") from None
