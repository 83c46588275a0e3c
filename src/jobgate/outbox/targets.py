"""Targets: the listeners that an organisation's consumers name, and the secrets that sign what they are sent."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta

import msgspec
from msgspec import UNSET, UnsetType

from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code
from jobgate.keys import OuterKey
from jobgate.outbox.announcements import Kind
from jobgate.outbox.signatures import make_secret, secret_owner
from jobgate.times import show_moment

MAX_TARGETS = 20
"""Every announcement is written once for each of them."""

OLD_SECRET_SIGNS_FOR = timedelta(days=1)


class PushTarget(msgspec.Struct, frozen=True, kw_only=True):
    """A listener."""

    id: uuid.UUID
    url: str
    kinds: list[Kind]
    """What it is told: the status, the scores of a session."""
    paused: bool
    """Deliveries wait."""
    disabled_reason: str | None
    """Why nothing is sent any more, nor queued; null while it works."""
    created_at: str | None
    last_success_at: str | None
    last_failure_at: str | None
    last_failure: str | None
    secret: str | UnsetType = UNSET
    """What deliveries are signed with (Standard Webhooks). Shown once: when it is made."""


async def find_targets(db: Transaction, organisation_id: int, ids: Sequence[uuid.UUID] | None) -> list[PushTarget]:
    """The organisation's targets, or those of them with these ids, newest first."""
    return [_show(row) for row in await db.fetch("find_targets", organisation_id, ids)]


async def add_target(
    db: Transaction, organisation_id: int, key: OuterKey, *, url: str, kinds: Sequence[Kind], paused: bool
) -> PushTarget:
    """A new target, with its secret. Raises 20011 when the organisation has as many as it may have."""
    await db.execute("lock_organisation", organisation_id)
    if await db.fetchval("count_targets", organisation_id) >= MAX_TARGETS:
        raise ApiError(Code.conflict, f"an organisation has at most {MAX_TARGETS} targets; delete one")
    target_id, secret = uuid.uuid4(), make_secret()
    wrapped = key.wrap(secret.encode(), secret_owner(organisation_id, target_id))
    await db.execute("insert_target", organisation_id, target_id, url, _distinct(kinds), paused, wrapped)
    (target,) = await find_targets(db, organisation_id, [target_id])
    return msgspec.structs.replace(target, secret=secret)


async def change_target(
    db: Transaction,
    organisation_id: int,
    key: OuterKey,
    target_id: uuid.UUID,
    *,
    url: str | None,
    kinds: Sequence[Kind] | None,
    paused: bool | None,
    enable: bool,
    rotate: bool,
) -> PushTarget:
    """Change what is not None. `rotate` makes a new secret; the old one signs besides for a day. Raises 20004."""
    secret = make_secret() if rotate else UNSET
    wrapped = None if secret is UNSET else key.wrap(secret.encode(), secret_owner(organisation_id, target_id))
    changed = await db.execute(
        "update_target",
        organisation_id,
        target_id,
        url,
        None if kinds is None else _distinct(kinds),
        paused,
        enable,
        wrapped,
        OLD_SECRET_SIGNS_FOR,
    )
    if not changed:
        raise unknown_target()
    (target,) = await find_targets(db, organisation_id, [target_id])
    return msgspec.structs.replace(target, secret=secret)


def unknown_target() -> ApiError:
    """What a call hears that names a target which the organisation does not have."""
    return ApiError(Code.unsupported_value, "the target is not known")


def _distinct(kinds: Sequence[Kind]) -> list[Kind]:
    return list(dict.fromkeys(kinds))


def _show(row: Record) -> PushTarget:
    return PushTarget(
        id=row["id"],
        url=row["url"],
        kinds=row["kinds"],
        paused=row["is_paused"],
        disabled_reason=row["disabled_reason"],
        created_at=show_moment(row["created_at"]),
        last_success_at=show_moment(row["last_success_at"]),
        last_failure_at=show_moment(row["last_failure_at"]),
        last_failure=row["last_failure"],
    )
