"""What gateways and workers log about stores."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw

from jobgate.context import Context, Reply, Request
from jobgate.db import Record
from jobgate.paging import read_instant
from jobgate.registry import action
from jobgate.stores.logs import LogType, page_logs
from jobgate.stores.spaces import Slug, find_stores
from jobgate.times import Moment, read_moment, show_moment

MAX_ENTRIES = 50

LevelName = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
LEVELS: tuple[LevelName, ...] = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")

ObjectOrNull = Annotated[Raw, Meta(extra_json_schema={"type": ["object", "null"]})]


class GetStoreLogs(Request, frozen=True, kw_only=True):
    """Which entries to read; one must fit all filters that are given."""

    store: Slug | None = None
    """Absent: those about all stores, and about none."""
    type: LogType | None = None
    level: Annotated[int, Meta(ge=0, le=7)] = 0
    """At least so severe: 0 (debug) to 7 (emergency)."""
    since: Moment | None = None
    """Logged after it."""
    until: Moment | None = None
    """Logged up to it."""
    text: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """A part of the description, in capitals or not."""
    limit: Annotated[int, Meta(ge=1)] = MAX_ENTRIES
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class StoreLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a store."""

    id: int
    store: str | None
    """Null: it is about none, or about one that is gone."""
    type: LogType
    level: int
    level_name: LevelName
    service: str | None
    api: str | None
    """The endpoint."""
    method: str | None
    """The action."""
    description: str
    data: ObjectOrNull
    stored: str | None


@action("get")
async def read_store_logs(ctx: Context, request: GetStoreLogs) -> Reply[list[StoreLogEntry]]:
    """Read what is logged about stores, newest first."""
    read_instant(request.next)
    since, until = read_moment(request.since, "since"), read_moment(request.until, "until")
    async with ctx.db.reading(ctx.organisation_id) as db:
        store_id = None
        if request.store is not None:
            stores = await find_stores(db, ctx.organisation_id, slugs=[request.store])
            if not stores:
                return Reply(data=[], records=0)
            store_id = stores[0].id
        found, following = await page_logs(
            db,
            ctx.organisation_id,
            store_id,
            since=since,
            until=until,
            type=request.type,
            min_level=request.level,
            text=request.text,
            token=request.next,
            limit=min(request.limit, MAX_ENTRIES),
        )
    page = [_show(row) for row in found]
    return Reply(data=page, records=len(page), next=following)


def _show(row: Record) -> StoreLogEntry:
    return StoreLogEntry(
        id=row["number"],
        store=row["slug"],
        type=row["type"],
        level=row["level"],
        level_name=LEVELS[row["level"]],
        service=row["service"],
        api=row["api"],
        method=row["method"],
        description=row["description"],
        data=Raw(row["data"] or b"null"),
        stored=show_moment(row["stored"]),
    )
