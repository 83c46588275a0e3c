"""Activities that a store knows."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Raw

from jobgate import wire
from jobgate.context import Context, Reply, Request
from jobgate.db import Record
from jobgate.paging import read_next
from jobgate.registry import action
from jobgate.stores.activities import page_activities
from jobgate.stores.spaces import Slug, find_stores
from jobgate.times import show_moment
from jobgate.xapi.identifiers import iri_id

MAX_ACTIVITIES = 50

ActivityObject = Annotated[Raw, Meta(extra_json_schema={"type": "object"})]
KnownIri = Annotated[str, Meta(min_length=1, max_length=2000)]


class GetXapiActivities(Request, frozen=True, kw_only=True):
    """Which activities to read; one must fit all filters that are given."""

    store: Slug
    activity_id: Annotated[list[KnownIri], Meta(max_length=1000)] | None = None
    """Those with these IRIs."""
    id: Annotated[list[UUID], Meta(max_length=1000)] | None = None
    type: KnownIri | None = None
    """Those of this type, an IRI."""
    limit: Annotated[int, Meta(ge=1)] = MAX_ACTIVITIES
    """At most 50; more is taken for 50. A page of long definitions has fewer."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class XapiActivity(msgspec.Struct, frozen=True, kw_only=True):
    """An activity."""

    id: UUID
    """Made from its IRI."""
    activity: ActivityObject
    """As the standard writes it, with all that statements said of it: what came later counts."""
    type: str | None
    is_category: bool
    """A statement named it in the category of its context."""
    is_profile: bool
    """It stands for a profile: its type says so."""
    stored: str | None
    updated: str | None


@action("get")
async def read_activities(ctx: Context, request: GetXapiActivities) -> Reply[list[XapiActivity]]:
    """Read the activities of a store, those that became known last first."""
    ids = request.id
    if request.activity_id is not None:
        named = {iri_id(iri) for iri in request.activity_id}
        ids = list(named if ids is None else named.intersection(ids))
    elif ids is not None:
        ids = list(set(ids))
    before = read_next(request.next)
    async with ctx.db.reading(ctx.organisation_id) as db:
        stores = await find_stores(db, ctx.organisation_id, slugs=[request.store])
        if not stores:
            return Reply(data=[], records=0)
        found, following = await page_activities(
            db,
            ctx.organisation_id,
            stores[0].id,
            ids=ids,
            type=request.type,
            before=before,
            limit=min(request.limit, MAX_ACTIVITIES),
            # An answer may take more bytes than what it shows: characters beyond ASCII.
            max_bytes=ctx.settings.max_answer // 4,
        )
    page = [_show(row) for row in found]
    return Reply(data=page, records=len(page), next=None if following is None else str(following))


def _show(row: Record) -> XapiActivity:
    activity = {"objectType": "Activity", "id": row["iri"]}
    if row["definition"] != b"{}":
        activity["definition"] = Raw(row["definition"])
    return XapiActivity(
        id=row["id"],
        activity=Raw(wire.encode(activity)),
        type=row["type"],
        is_category=row["is_category"],
        is_profile=row["is_profile"],
        stored=show_moment(row["stored"]),
        updated=show_moment(row["updated"]),
    )
