"""Contents: what is attached to statements, kept once in a store under its digest, however many have it attached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.stores.incoming import Facts
from jobgate.xapi.attachments import has_digest


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is attached to a statement."""

    content_type: str
    content: bytes


class AttachedContent(msgspec.Struct, frozen=True, kw_only=True):
    """What is attached to statements, as callers give and get it: statements name it by its digest."""

    sha2: Annotated[
        str,
        Meta(
            pattern=r"^(?:[0-9A-Fa-f]{56}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{96}|[0-9A-Fa-f]{128})\Z",
            description="56, 64, 96 or 128 hexadecimal digits",
        ),
    ]
    """SHA-224, 256, 384 or 512 of the content, in hexadecimal."""
    content_type: Annotated[str, Meta(min_length=3, max_length=200, pattern=r"^[\x20-\x7e]+/[\x20-\x7e]+\Z")]
    content: bytes
    """In base64."""


def take_contents(given: Iterable[AttachedContent], statements: Iterable[Any]) -> dict[str, Content]:
    """Contents by their digests. Raises 20004 for one that has another digest, or that no statement names."""
    contents: dict[str, Content] = {}
    named: set[str] | None = None
    for place, each in enumerate(given):
        if named is None:
            named = {sha2 for statement in statements for sha2 in find_digests(statement)}
        if not has_digest(each.content, each.sha2):
            raise ApiError(Code.unsupported_value, f"`attachments[{place}].sha2` must be the digest of the content")
        if each.sha2.lower() not in named:
            raise ApiError(Code.unsupported_value, f"`attachments[{place}]` is attached to no statement of the request")
        contents[each.sha2.lower()] = Content(content_type=each.content_type, content=each.content)
    return contents


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
