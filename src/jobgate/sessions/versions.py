"""What the items of a session take from the item bank when the session is stored.

An item says of itself how it is scored, its tags and its parameters; what it does not say comes from the item bank, and
the version that it came from is kept. Later changes in the bank change no session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Raw, Struct
from msgspec.structs import replace

from jobgate import wire
from jobgate.db import Transaction
from jobgate.sessions.drafts import Draft
from jobgate.sessions.entries import ItemParameters, ItemScoring, ItemTag, SessionEntry, SessionItem
from jobgate.turns import Turns

Asked = tuple[str, int | None]
"""The reference of an item, and the version that the session names."""


class Settled(NamedTuple):
    """A session as it is stored."""

    session: Raw
    is_adaptive: bool


class _Item(Struct):
    reference: str
    version: int | None = None
    irt: ItemParameters | None = None


class _Session(Struct):
    items: list[_Item] = []


class _Taken(NamedTuple):
    """What a version of an item in the bank hands over."""

    version: int
    tags: list[ItemTag]
    irt: ItemParameters | None
    scoring_type: str | None


async def take_items(db: Transaction, organisation_id: int, drafts: Sequence[Draft]) -> list[Settled]:
    """The sessions of `drafts`, their items completed from the item bank."""
    turns = Turns()
    asked: list[list[Asked]] = []
    settled: list[Settled] = []
    for draft in drafts:
        items = wire.decode(draft.session, _Session).items
        asked.append([(item.reference, item.version) for item in items])
        settled.append(Settled(draft.session, any(item.irt is not None for item in items)))
        await turns.pass_on()
    bank = await _find(db, organisation_id, list({each for wanted in asked for each in wanted}), turns)
    if bank:
        for at, wanted in enumerate(asked):
            if not bank.keys().isdisjoint(wanted):
                settled[at] = _complete(settled[at].session, bank)
                await turns.pass_on()
    return settled


async def _find(db: Transaction, organisation_id: int, asked: Sequence[Asked], turns: Turns) -> dict[Asked, _Taken]:
    if not asked:
        return {}
    references, versions = zip(*asked, strict=True)
    bank: dict[Asked, _Taken] = {}
    for row in await db.fetch("find_items_to_take", organisation_id, references, versions):
        bank[row["reference"], row["asked"]] = _Taken(
            row["version"],
            _list_tags(row["tags"]),
            wire.decode(row["irt"], ItemParameters | None),
            row["scoring_type"],
        )
        await turns.pass_on()
    return bank


def _list_tags(tags: bytes) -> list[ItemTag]:
    named = wire.decode(tags, dict[str, list[str]])
    return [ItemTag(type=type, name=name) for type, names in named.items() for name in names]


def _complete(session: Raw, bank: Mapping[Asked, _Taken]) -> Settled:
    entry = wire.decode(session, SessionEntry)
    items = [_take(item, bank.get((item.reference, item.version))) for item in entry.items]
    completed = Raw(wire.encode(replace(entry, items=items)))
    return Settled(completed, any(item.irt is not None for item in items))


def _take(item: SessionItem, taken: _Taken | None) -> SessionItem:
    if taken is None:
        return item
    scoring = item.scoring or ItemScoring()
    if scoring.type is None and taken.scoring_type is not None:
        scoring = replace(scoring, type=taken.scoring_type)
    return replace(
        item,
        version=taken.version,
        tags=item.tags or taken.tags,
        irt=item.irt or taken.irt,
        scoring=None if scoring == ItemScoring() else scoring,
    )
