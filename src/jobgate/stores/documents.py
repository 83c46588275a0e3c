"""Documents: states, and profiles of activities and of agents, each under the ids that the standard gives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code, shown
from jobgate.paging import fit, read_instant, show_instant
from jobgate.stores.naming import NamedAgent, read_named_agent
from jobgate.xapi.attachments import is_media_type
from jobgate.xapi.identifiers import agent_id, iri_id
from jobgate.xapi.values import is_iri

DocumentKind = Literal["states", "activity-profiles", "agent-profiles"]

JSON_TYPE = "application/json"

MAX_ID_CHARS = 500
"""An index has them."""

_NO_OBJECT = "can be merged: both must be JSON objects"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose documents are meant. What is None is not said, or not of that kind."""

    activity_iri: str | None = None
    activity_id: UUID | None = None
    agent: dict[str, Any] | None = None
    agent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A document that is to be written."""

    kind: DocumentKind
    owner: Owner
    id: str
    """Its stateId or profileId."""
    registration: UUID | None
    content: bytes
    content_type: str

    @property
    def key(self) -> tuple[str, UUID | None, UUID | None, str, UUID | None]:
        """What tells it from every other of its store."""
        return self.kind, self.owner.activity_id, self.owner.agent_id, self.id, self.registration

    @property
    def is_json(self) -> bool:
        """By its type."""
        return is_json(self.content_type)


def is_json(content_type: str) -> bool:
    """Whether a media type is that of JSON, whatever its parameters."""
    return content_type.partition(";")[0].strip().lower() == JSON_TYPE


def read_owner(kind: DocumentKind, activity_iri: str | None, agent: NamedAgent | None) -> Owner:
    """Who is meant, where not all has to be said. Raises 20004 naming what is malformed or out of place."""
    for name, value, other in (("agent", agent, "activity-profiles"), ("activity_id", activity_iri, "agent-profiles")):
        if value is not None and kind == other:
            raise ApiError(Code.unsupported_value, f"`{name}` does not belong to {kind}")
    if activity_iri is not None and not is_iri(activity_iri):
        raise ApiError(Code.unsupported_value, f"`activity_id` must be an absolute IRI, not {shown(activity_iri)}")
    activity_id = None if activity_iri is None else iri_id(activity_iri)
    if agent is None:
        return Owner(activity_iri, activity_id)
    found, identifier = read_named_agent(agent)
    return Owner(activity_iri, activity_id, found, agent_id(identifier))


def make_document(
    kind: DocumentKind,
    *,
    activity_iri: str | None = None,
    agent: NamedAgent | None = None,
    id: str,
    registration: UUID | None = None,
    content: bytes,
    content_type: str,
) -> Document:
    """A document that can be written. Raises 200xx naming what is missing, malformed or out of place."""
    for name, value, other in (("activity_id", activity_iri, "agent-profiles"), ("agent", agent, "activity-profiles")):
        if value is None and kind != other:
            raise ApiError(Code.missing_parameter, f"`{name}` must have a non-null value for {kind}")
    if registration is not None and kind != "states":
        raise ApiError(Code.unsupported_value, "`registration` belongs to states only")
    if not id or len(id) > MAX_ID_CHARS or "\0" in id:
        raise ApiError(Code.invalid_length, f"the id of a document has 1 to {MAX_ID_CHARS} characters")
    if not is_media_type(content_type):
        raise ApiError(Code.unsupported_value, f"`content_type` must be a media type, not {shown(content_type)}")
    if is_json(content_type):
        _require_json(content)
    return Document(kind, read_owner(kind, activity_iri, agent), id, registration, content, content_type)


def _require_json(content: bytes) -> None:
    try:
        wire.decode(content, Any)
    except (ValueError, RecursionError):
        raise ApiError(Code.unsupported_value, f"the content must be what its type {JSON_TYPE} says") from None


async def merge_document(db: Transaction, organisation_id: int, store_id: int, document: Document) -> Document:
    """The document with the properties of the one that a held store has, where it has none of its own. Raises 20004."""
    there = await db.fetchrow("find_document", organisation_id, store_id, *document.key)
    if there is None:
        return document
    if not (document.is_json and is_json(there["content_type"])):
        raise ApiError(Code.unsupported_value, f"no document {_NO_OBJECT}")
    merged = _read_properties(there["content"]) | _read_properties(document.content)
    return replace(document, content=wire.encode(merged))


def _read_properties(content: bytes) -> dict[str, msgspec.Raw]:
    try:
        return wire.decode(content, dict[str, msgspec.Raw])
    except wire.Undecodable:
        raise ApiError(Code.unsupported_value, f"no document {_NO_OBJECT}") from None


async def put_documents(db: Transaction, organisation_id: int, store_id: int, documents: Sequence[Document]) -> int:
    """Write documents into a store that is held, each in place of the one that it has; how many changed anything.

    Of several with the same key the last counts. What is there already as it is given is left as it was.
    """
    if not documents:
        return 0
    wanted = list({document.key: document for document in documents}.values())
    kinds = sorted({document.kind for document in wanted})
    moment: datetime = await db.fetchval("next_document_time", organisation_id, store_id, kinds)
    rows = [
        (
            document.kind,
            document.owner.activity_iri,
            document.owner.activity_id,
            None if document.owner.agent is None else wire.encode(document.owner.agent),
            document.owner.agent_id,
            document.id,
            document.registration,
            document.content,
            document.content_type,
        )
        for document in wanted
    ]
    return await db.execute("put_documents", organisation_id, store_id, moment, *map(list, zip(*rows, strict=True)))


async def find_document(db: Transaction, organisation_id: int, store_id: int, document: Document) -> Record:
    """A document that has been written, as it is kept."""
    there = await db.fetchrow("find_document", organisation_id, store_id, *document.key)
    assert there is not None
    (found,) = await db.fetch("read_documents", organisation_id, store_id, [there["number"]])
    return found


async def page_documents(
    db: Transaction,
    organisation_id: int,
    store_id: int,
    kind: DocumentKind,
    owner: Owner,
    *,
    id: str | None,
    registration: UUID | None,
    token: str | None,
    limit: int,
    max_bytes: int,
) -> tuple[list[Record], str | None]:
    """A page, newest first, and the token of the next one. It ends early where contents are long."""
    if owner.agent_id is not None:
        walk = "walk_documents_of_agent"
    else:
        walk = "walk_documents" if owner.activity_id is None else "walk_documents_of_activity"
    filters = (id, registration, owner.activity_id, owner.agent_id)
    found = await db.fetch(walk, organisation_id, store_id, kind, *read_instant(token), *filters, limit + 1)
    page = found[: fit([row["size"] for row in found], limit, max_bytes)]
    if not page:
        return [], None
    rows = await db.fetch("read_documents", organisation_id, store_id, [row["number"] for row in page])
    last = page[-1]
    return rows, show_instant(last["stored"], last["number"]) if len(found) > len(page) else None
