"""Tokens of cmi5: with one of them, content that was launched for an agent and an activity speaks to an LRS.

A token is the Base64 of a user and a password, as it follows `Basic`. It is told once; only its digest is kept.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import uuid
from typing import NamedTuple

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.stores.documents import Owner


class NewToken(NamedTuple):
    """A token that was made."""

    row: Record
    text: str
    """What nobody is told again."""


async def add_token(db: Transaction, organisation_id: int, store_id: int, owner: Owner, origin: str | None) -> NewToken:
    """Make a token of a store that is held, for an agent and an activity."""
    assert owner.agent is not None
    id = uuid.uuid4()
    text = base64.b64encode(f"{id.hex}:{secrets.token_urlsafe(32)}".encode()).decode()
    row = await db.fetchrow(
        "insert_token",
        organisation_id,
        store_id,
        id,
        _digest(text),
        owner.activity_iri,
        wire.encode(owner.agent),
        owner.agent_id,
        origin,
    )
    assert row is not None
    return NewToken(row, text)


async def find_token(db: Transaction, organisation_id: int, store_id: int, text: str, owner: Owner) -> Record | None:
    """The token that somebody shows; None for one that was never made, is gone, or is for something else."""
    try:
        user = base64.b64decode(text, validate=True).partition(b":")[0]
        id = uuid.UUID(hex=user.decode("ascii"))
    except (binascii.Error, ValueError):
        return None
    args = (id, _digest(text), owner.activity_iri, owner.agent_id)
    return await db.fetchrow("find_token", organisation_id, store_id, *args)


async def find_tokens(
    db: Transaction, organisation_id: int, store_id: int, owner: Owner, *, before: int, limit: int
) -> list[Record]:
    """Tokens of a store for this agent and this activity, if they are said; the newest first, before a number."""
    walk = "walk_tokens" if owner.agent_id is None else "walk_tokens_of_agent"
    return await db.fetch(walk, organisation_id, store_id, before, owner.activity_iri, owner.agent_id, limit)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
