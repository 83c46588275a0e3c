"""Keys of pseudonyms: an organisation has one secret, so that a person has the same pseudonym in all of its stores.

It is made when it is needed first, and kept wrapped by the outer key. Whoever loses it gives everybody a new pseudonym.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal, overload

from jobgate.db import Record, Transaction
from jobgate.keys import OuterKey
from jobgate.xapi.identifiers import Identifier
from jobgate.xapi.pseudonyms import make_pseudonym, pseudonymise, pseudonymise_agent

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """How identities are replaced."""

    key_id: str
    """Of the key that it is done with."""
    secret: bytes = field(repr=False)

    def rewrite(self, statement: dict[str, Any]) -> dict[str, Any]:
        """The statement with everybody but its authority replaced."""
        return pseudonymise(statement, self.secret)

    def rewrite_agent(self, agent: Any) -> dict[str, Any]:
        """The agent that a document or a token is of, replaced."""
        return pseudonymise_agent(agent, self.secret)

    def find(self, identifier: Identifier) -> Identifier:
        """The pseudonym of somebody."""
        return make_pseudonym(identifier, self.secret)


@overload
async def find_pseudonyms(
    db: Transaction, organisation_id: int, key: OuterKey, *, make: Literal[True] = True
) -> Pseudonyms: ...
@overload
async def find_pseudonyms(db: Transaction, organisation_id: int, key: OuterKey, *, make: bool) -> Pseudonyms | None: ...
async def find_pseudonyms(
    db: Transaction, organisation_id: int, key: OuterKey, *, make: bool = True
) -> Pseudonyms | None:
    """The organisation's pseudonyms; where it has none yet, new ones, or None unless they shall be made.

    Raises `KeyUnusable` when the secret does not open.
    """
    row = await db.fetchrow("find_pseudonym_key", organisation_id)
    if row is None and make:
        await db.execute("lock_organisation", organisation_id)
        row = await db.fetchrow("find_pseudonym_key", organisation_id)  # another may have made it meanwhile
        return await _make(db, organisation_id, key) if row is None else _open(row, organisation_id, key)
    return None if row is None else _open(row, organisation_id, key)


async def _make(db: Transaction, organisation_id: int, key: OuterKey) -> Pseudonyms:
    secret = secrets.token_bytes(SECRET_BYTES)
    id = hashlib.sha256(secret).hexdigest()[:8]
    await db.execute("insert_pseudonym_key", organisation_id, id, key.wrap(secret, _owner(organisation_id, id)))
    return Pseudonyms(id, secret)


def _open(row: Record, organisation_id: int, key: OuterKey) -> Pseudonyms:
    return Pseudonyms(row["id"], key.unwrap(row["secret"], _owner(organisation_id, row["id"])))


def _owner(organisation_id: int, id: str) -> str:
    return f"pseudonyms {organisation_id} {id}"
