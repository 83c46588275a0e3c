"""Contents: what is attached to statements, kept once in a store under its digest, however many have it attached."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from jobgate.db import Transaction
from jobgate.stores.incoming import Facts

_HASHES = {56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is attached to a statement."""

    content_type: str
    content: bytes


def is_digest_of(sha2: str, content: bytes) -> bool:
    """Whether a digest, in hexadecimal, is the one of a content; its length tells the function."""
    name = _HASHES.get(len(sha2))
    return name is not None and hashlib.new(name, content).hexdigest() == sha2.lower()


def find_digests(statement: Any) -> list[str]:
    """The digests of what is attached to a statement, and to the one within it, in small letters."""
    found: list[str] = []
    about = statement.get("object") if type(statement) is dict else None
    for each in (statement, about):
        attachments = each.get("attachments") if type(each) is dict else None
        for attachment in attachments if type(attachments) is list else ():
            sha2 = attachment.get("sha2") if type(attachment) is dict else None
            if type(sha2) is str:
                found.append(sha2.lower())
    return list(dict.fromkeys(found))


async def keep_contents(
    db: Transaction, organisation_id: int, store_id: int, facts: Iterable[Facts], contents: Mapping[str, Content]
) -> dict[UUID, Sequence[str]]:
    """Store what came along with statements, by its digest in small letters; which contents of each are kept."""
    if not contents:
        return {}
    kept = {each.id: [sha2 for sha2 in find_digests(each.statement) if sha2 in contents] for each in facts}
    digests = sorted({sha2 for each in kept.values() for sha2 in each})
    if digests:
        types = [contents[sha2].content_type for sha2 in digests]
        bodies = [contents[sha2].content for sha2 in digests]
        await db.execute("insert_attachments", organisation_id, store_id, digests, types, bodies)
    return dict(kept)
