"""Documents of a store: states, activity profiles and agent profiles."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from jobgate import wire
from jobgate.context import Context, Reply, Request
from jobgate.db import Record
from jobgate.errors import ApiError, Code
from jobgate.registry import action
from jobgate.stores.documents import (
    JSON_TYPE,
    MAX_ID_CHARS,
    Document,
    DocumentKind,
    find_document,
    is_json,
    make_document,
    merge_document,
    page_documents,
    put_documents,
    read_owner,
)
from jobgate.stores.naming import NamedAgent
from jobgate.stores.spaces import Slug, find_stores, hold
from jobgate.times import show_moment

MAX_DOCUMENTS = 50

ActivityIri = Annotated[str, Meta(min_length=1, max_length=2000)]
DocumentId = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS)]
MediaType = Annotated[str, Meta(min_length=3, max_length=200)]
OwnerOrNull = Annotated[Raw, Meta(extra_json_schema={"type": ["object", "null"]})]


class GetDocuments(Request, frozen=True, kw_only=True):
    """Which documents to read; one must fit all filters that are given."""

    store: Slug
    service: DocumentKind
    activity_id: ActivityIri | None = None
    agent: NamedAgent | None = None
    state_id: DocumentId | None = None
    profile_id: DocumentId | None = None
    registration: UUID | None = None
    limit: Annotated[int, Meta(ge=1)] = MAX_DOCUMENTS
    """At most 50; more is taken for 50. A page of long documents has fewer."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class SetDocument(Request, frozen=True, kw_only=True):
    """A document, and what becomes of the one that the store has under the same ids."""

    store: Slug
    service: DocumentKind
    activity_id: ActivityIri | None = None
    """Of states and activity profiles."""
    agent: NamedAgent | None = None
    """Of states and agent profiles."""
    state_id: DocumentId | None = None
    profile_id: DocumentId | None = None
    registration: UUID | None = None
    """Of states, if they have one."""
    content: Raw | UnsetType = UNSET
    """Any JSON value; with another `content_type` than that of JSON a text. Or else:"""
    content_base64: str | None = None
    """Any bytes, in base64."""
    content_type: MediaType = JSON_TYPE
    merge: bool = False
    """True: properties that the other has and this has not are kept (both must be JSON objects). False: it goes."""


class XapiDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document."""

    service: DocumentKind
    activity_id: str | None
    agent: OwnerOrNull
    state_id: str | None
    profile_id: str | None
    registration: UUID | None
    content_type: str
    content: Raw | UnsetType = UNSET
    """JSON as it is, a text as a string; absent for other bytes, and where a document was only written."""
    content_base64: str | UnsetType = UNSET
    """Other bytes."""
    stored: str | None
    updated: str | None


@action("get")
async def read_documents(ctx: Context, request: GetDocuments) -> Reply[list[XapiDocument]]:
    """Read documents of a kind, those that came last first."""
    owner = read_owner(request.service, request.activity_id, request.agent)
    async with ctx.db.reading(ctx.organisation_id) as db:
        stores = await find_stores(db, ctx.organisation_id, slugs=[request.store])
        if not stores:
            return Reply(data=[], records=0)
        found, following = await page_documents(
            db,
            ctx.organisation_id,
            stores[0].id,
            request.service,
            owner,
            id=_find_id(request),
            registration=request.registration,
            token=request.next,
            limit=min(request.limit, MAX_DOCUMENTS),
            # An answer may take more bytes than what it shows: base64, and characters beyond ASCII.
            max_bytes=ctx.settings.max_answer // 4,
        )
    page = [_show(row, with_content=True) for row in found]
    return Reply(data=page, records=len(page), next=following)


@action("set")
async def write_document(ctx: Context, request: SetDocument) -> XapiDocument:
    """Write a document in place of the one with the same ids, or into it. The answer leaves the content out."""
    document = _read_document(request)
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        store = await hold(tx, ctx.organisation_id, request.store, for_many=False)
        if request.merge:
            document = await merge_document(tx, ctx.organisation_id, store.id, document)
        await put_documents(tx, ctx.organisation_id, store.id, [document])
        written = await find_document(tx, ctx.organisation_id, store.id, document)
    return _show(written, with_content=False)


def _find_id(request: GetDocuments | SetDocument) -> str | None:
    """The id of the document that the kind has. Raises 20004 for one of another kind."""
    own, other = ("state_id", "profile_id") if request.service == "states" else ("profile_id", "state_id")
    if getattr(request, other) is not None:
        raise ApiError(Code.unsupported_value, f"`{other}` does not belong to {request.service}")
    id: str | None = getattr(request, own)
    return id


def _read_document(request: SetDocument) -> Document:
    id = _find_id(request)
    if id is None:
        name = "state_id" if request.service == "states" else "profile_id"
        raise ApiError(Code.missing_parameter, f"`{name}` must have a non-null value for {request.service}")
    return make_document(
        request.service,
        activity_iri=request.activity_id,
        agent=request.agent,
        id=id,
        registration=request.registration,
        content=_read_content(request),
        content_type=request.content_type,
    )


def _read_content(request: SetDocument) -> bytes:
    if (request.content is UNSET) is (request.content_base64 is None):
        raise ApiError(Code.missing_parameter, "`content` or `content_base64` must be given, and not both")
    if request.content_base64 is not None:
        try:
            return base64.b64decode(request.content_base64, validate=True)
        except (binascii.Error, ValueError):
            raise ApiError(Code.unsupported_value, "`content_base64` must be base64") from None
    assert request.content is not UNSET
    if is_json(request.content_type):
        return bytes(request.content)
    try:
        return wire.decode(request.content, str).encode()
    except wire.Undecodable:
        raise ApiError(Code.wrong_type, f"`content` must be a string where its type is not {JSON_TYPE}") from None


def _show(row: Record, *, with_content: bool) -> XapiDocument:
    is_state = row["kind"] == "states"
    content: Raw | UnsetType = UNSET
    encoded: str | UnsetType = UNSET
    if with_content:
        content, encoded = _show_content(row["content"], row["content_type"])
    return XapiDocument(
        service=row["kind"],
        activity_id=row["activity_iri"],
        agent=Raw(row["agent"] or b"null"),
        state_id=row["document_id"] if is_state else None,
        profile_id=None if is_state else row["document_id"],
        registration=row["registration"],
        content_type=row["content_type"],
        content=content,
        content_base64=encoded,
        stored=show_moment(row["stored"]),
        updated=show_moment(row["updated"]),
    )


def _show_content(content: bytes, content_type: str) -> tuple[Raw | UnsetType, str | UnsetType]:
    if is_json(content_type):
        return Raw(content), UNSET
    if content_type.lower().startswith("text/"):
        try:
            return Raw(wire.encode(content.decode())), UNSET
        except UnicodeDecodeError:
            pass
    return UNSET, base64.b64encode(content).decode()
