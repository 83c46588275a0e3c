"""The boxes themselves: a name, what it can do, whether it gets work, when it was last heard of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from jobgate.context import Reply
from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code
from jobgate.paging import NEWEST
from jobgate.times import show_moment

MAX_BEACONS = 1000
"""Names that an organisation may have."""

BeaconState = Literal["active", "paused", "draining"]


class Beacon(msgspec.Struct, frozen=True, kw_only=True):
    """A beacon: one box, or several of the same name."""

    name: str
    state: BeaconState
    """paused: it gets no further jobs. draining: nor does it, and it is told so, to finish and stop."""
    tags: list[str]
    """What it can do."""
    held: int
    """Jobs that it has picked up and not ended."""
    eligible: int
    """Jobs that wait for it by now."""
    created_at: str | None
    last_seen_at: str | None
    """When it was last heard of; null: never."""


async def find_beacons(
    db: Transaction, organisation_id: int, names: Sequence[str] | None, before: int, limit: int
) -> Reply[list[Beacon]]:
    """A page of the organisation's beacons, newest first, from `before` on: what the page before answered as `next`."""
    rows = await db.fetch("find_beacons", organisation_id, names, before, limit + 1)
    page = rows[:limit]
    return Reply(
        data=[_show(row) for row in page],
        records=len(page),
        next=str(page[-1]["number"]) if len(rows) > limit else None,
    )


async def read_beacon(db: Transaction, organisation_id: int, name: str) -> Beacon:
    """The beacon of this name. Raises 20004."""
    for beacon in (await find_beacons(db, organisation_id, [name], NEWEST, 1)).data:
        return beacon
    raise ApiError(Code.unsupported_value, "the beacon is not known")


async def keep_beacon(db: Transaction, organisation_id: int, name: str, tags: Sequence[str]) -> None:
    """Register a beacon, or give one that is known other tags."""
    if not await _register(db, organisation_id, name, tags, is_seen=False):
        await db.execute("update_beacon", organisation_id, name, sorted(set(tags)), None)


async def meet_beacon(db: Transaction, organisation_id: int, name: str, tags: Sequence[str] | None) -> Record:
    """A beacon asks for work: its state and tags. One that is not known is registered."""
    if not await db.execute("see_beacon", organisation_id, name):
        await _register(db, organisation_id, name, tags or (), is_seen=True)
    found = await db.fetchrow("find_beacon", organisation_id, name)
    assert found is not None  # it was seen or registered in this very transaction
    return found


async def _register(db: Transaction, organisation_id: int, name: str, tags: Sequence[str], *, is_seen: bool) -> bool:
    """Whether it is new. Raises 20011 when the organisation has as many as it may have."""
    if await db.fetchrow("find_beacon", organisation_id, name) is not None:
        return False
    await db.execute("lock_organisation", organisation_id)
    if await db.fetchval("count_beacons", organisation_id) >= MAX_BEACONS:
        raise ApiError(Code.conflict, f"an organisation has at most {MAX_BEACONS} beacons; delete one")
    return await db.fetchval("register_beacon", organisation_id, name, sorted(set(tags)), is_seen) is not None


def _show(row: Record) -> Beacon:
    return Beacon(
        name=row["name"],
        state=row["state"],
        tags=row["tags"],
        held=row["held"],
        eligible=row["eligible"],
        created_at=show_moment(row["created_at"]),
        last_seen_at=show_moment(row["last_seen_at"]),
    )
