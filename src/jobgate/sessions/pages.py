"""Which sessions a read is about, and in which order: filters, cursors, pages.

Ascending by (updated_at, id) and only up to the horizon, so that a token can be kept and asked with again later without
missing anything: whatever is still being written will be newer than the horizon. A session that changes meanwhile comes
once more. Descending pages show the newest state and walk back to the end, where there is nothing to resume.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import Meta

from jobgate.context import Request
from jobgate.db import Database, Record, Transaction
from jobgate.errors import ApiError, Code
from jobgate.paging import unknown_page
from jobgate.sessions.entries import ActivityId, SessionId, Status, UserId
from jobgate.times import Moment, read_moment

MAX_SESSIONS = 50

Sort = Literal["asc", "desc"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FAR = datetime(9999, 12, 31, tzinfo=UTC)
_MAX_ID = 2**63 - 1
_TOKEN = re.compile(r"(\d{1,11})\.(\d{6})\.(\d{1,18})(\.desc)?", re.ASCII)


class SessionQuery(Request, frozen=True, kw_only=True):
    """What every read of sessions takes. Bounds are inclusive; a session must fit all filters that are given."""

    activity_id: Annotated[list[ActivityId], Meta(min_length=1, max_length=1000)] | None = None
    session_id: Annotated[list[SessionId], Meta(min_length=1, max_length=1000)] | None = None
    user_id: Annotated[list[UserId], Meta(min_length=1, max_length=1000)] | None = None
    status: Annotated[list[Status], Meta(min_length=1, max_length=100)] | None = None
    mintime: Moment | None = None
    """Bounds on the time of the last update: Unix seconds or ISO 8601, UTC where no zone is given."""
    maxtime: Moment | None = None
    mintime_started: Moment | None = None
    maxtime_started: Moment | None = None
    mintime_completed: Moment | None = None
    maxtime_completed: Moment | None = None
    limit: Annotated[int, Meta(ge=1)] = MAX_SESSIONS
    """At most 50; more is taken for 50."""
    sort: Sort | None = None
    """By the time of the last update. `asc`, the default, can be resumed at any later time; `desc` ends."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class Cursor(NamedTuple):
    """A place in the order of updates."""

    updated_at: datetime
    id: int

    def show(self, sort: Sort) -> str:
        """The token for a caller."""
        since = self.updated_at - _EPOCH
        text = f"{since.days * 86400 + since.seconds}.{since.microseconds:06d}.{self.id}"
        return text if sort == "asc" else text + ".desc"


@dataclass(frozen=True, slots=True)
class Page:
    """Some sessions in order, by their ids, and where the next page begins."""

    session_ids: list[str]
    next: str | None


def read_token(token: str) -> tuple[Cursor, Sort]:
    """The place that a token stands for, and the direction of its walk; raises 20004."""
    found = _TOKEN.fullmatch(token)
    if found is not None:
        seconds, microseconds, id, desc = found.groups()
        cursor = Cursor(_EPOCH + timedelta(seconds=int(seconds), microseconds=int(microseconds)), int(id))
        sort: Sort = "desc" if desc else "asc"
        if cursor.show(sort) == token:
            return cursor, sort
    raise unknown_page(token)


async def read_horizon(db: Database) -> datetime:
    """A time before which nothing will be written any more. Read it before the snapshot of the page is taken."""
    horizon: datetime = await db.fetchval("session_horizon")
    return horizon


async def find_page(
    db: Transaction, organisation_id: int, query: SessionQuery, horizon: datetime, *, reported: bool = False
) -> Page:
    """The page that `query` asks for; `reported`: of the sessions that have an adaptive report.

    Raises `ApiError` for a bad token or time.
    """
    cursor, sort = (None, query.sort or "asc") if query.next is None else read_token(query.next)
    if query.sort not in (None, sort):
        raise ApiError(Code.unsupported_value, f"`sort` must stay {sort}: `next` comes from such a walk")
    limit = min(query.limit, MAX_SESSIONS)
    oldest = read_moment(query.mintime, "mintime") or _EPOCH
    newest = read_moment(query.maxtime, "maxtime") or _FAR
    filters = _filters(query)
    if sort == "desc":
        last = min(cursor or Cursor(_FAR, _MAX_ID), Cursor(newest, _MAX_ID))
        rows = await _find(db, query, "desc", reported, organisation_id, *last, oldest, limit + 1, *filters)
        page = rows[:limit]
        return Page([row["session_id"] for row in page], _after(page).show("desc") if len(rows) > limit else None)
    first = max(cursor or Cursor(_EPOCH, 0), Cursor(oldest, -1))
    bound = horizon if newest >= horizon else newest + timedelta(microseconds=1)
    rows = await _find(db, query, "asc", reported, organisation_id, *first, bound, limit, *filters)
    # An empty first page is remembered by the horizon: everything before it has been looked at.
    reached = _after(rows) if rows else Cursor(horizon, 0)
    return Page([row["session_id"] for row in rows], query.next if query.next and not rows else reached.show("asc"))


def _after(rows: list[Record]) -> Cursor:
    return Cursor(rows[-1]["updated_at"], rows[-1]["id"])


def _filters(query: SessionQuery) -> list[Any]:
    return [
        query.status,
        read_moment(query.mintime_started, "mintime_started"),
        read_moment(query.maxtime_started, "maxtime_started"),
        read_moment(query.mintime_completed, "mintime_completed"),
        read_moment(query.maxtime_completed, "maxtime_completed"),
    ]


async def _find(db: Transaction, query: SessionQuery, sort: Sort, reported: bool, *args: Any) -> list[Record]:
    """Walk the index of the narrowest filter that is given."""
    sessions, users, activities = map(_distinct, (query.session_id, query.user_id, query.activity_id))
    if sessions is not None:
        return await db.fetch(f"page_sessions_named_{sort}", *args, sessions, users, activities, reported)
    if users is not None:
        return await db.fetch(f"page_sessions_of_users_{sort}", *args, users, activities, reported)
    if activities is not None:
        return await db.fetch(f"page_sessions_of_activities_{sort}", *args, activities, reported)
    return await db.fetch(f"page_{'reports' if reported else 'sessions'}_{sort}", *args)


def _distinct(names: list[str] | None) -> list[str] | None:
    """Each name once: a statement that walks name by name would find its sessions twice."""
    return None if names is None else list(dict.fromkeys(names))
