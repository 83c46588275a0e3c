"""Finding entries of the item bank page by page: the newest entry first, or the questions of items in their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta

from jobgate.context import Context, Request
from jobgate.db import Record
from jobgate.errors import ApiError, Code
from jobgate.itembank.entries import BankReference
from jobgate.itembank.records import Kept, Kind
from jobgate.paging import NEWEST, unknown_page
from jobgate.sessions.entries import Version

MAX_ENTRIES = 50

_TOKEN = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,9}))?")


class BankQuery(Request, frozen=True, kw_only=True):
    """What every read of the item bank takes. `meta.next` is there as long as there is more."""

    references: Annotated[list[BankReference], Meta(max_length=1000)] | None = None
    """Entries by their references; unknown ones are absent from the answer. All when absent."""
    version: Version | None = None
    """This version of each entry, of those that have it. The current one when absent."""
    limit: Annotated[int, Meta(ge=1)] = MAX_ENTRIES
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


async def find_entries(ctx: Context, query: BankQuery, kind: Kind) -> tuple[list[Kept], str | None]:
    """A page of one kind, the newest entry first, and the token of the next one. Raises `ApiError`."""
    before = NEWEST if query.next is None else _read_token(query.next, 1)[0]
    limit = min(query.limit, MAX_ENTRIES)
    args: list[Any] = [ctx.organisation_id, kind, before, query.version, limit + 1, ctx.settings.max_answer]
    async with ctx.db.reading(ctx.organisation_id) as db:
        if query.references is None:
            rows = await db.fetch("page_bank_entries", *args)
        else:
            rows = await db.fetch("page_bank_entries_named", *args, query.references)
    page = _weigh(rows)[:limit]
    return [_keep(row) for row in page], str(page[-1]["id"]) if len(rows) > limit else None


async def find_questions_of_items(
    ctx: Context, query: BankQuery, items: Sequence[str]
) -> tuple[dict[str, list[Kept]], str | None]:
    """A page of the questions of items, by item and in the order of the items, and the token of the next one.

    Raises `ApiError`.
    """
    after = (0, 0) if query.next is None else _read_token(query.next, 2)
    limit = min(query.limit, MAX_ENTRIES)
    args: list[Any] = [ctx.organisation_id, list(dict.fromkeys(items)), *after, limit + 1, ctx.settings.max_answer]
    async with ctx.db.reading(ctx.organisation_id) as db:
        rows = await db.fetch("page_questions_of_items", *args)
    page = _weigh(rows)[:limit]
    found: dict[str, list[Kept]] = {}
    for row in page:
        found.setdefault(row["item_reference"], []).append(_keep(row))
    return found, f"{page[-1]['item_place']}.{page[-1]['place']}" if len(rows) > limit else None


def _read_token(token: str, parts: int) -> tuple[int, ...]:
    found = _TOKEN.fullmatch(token)
    numbers = tuple(int(part) for part in found.groups() if part is not None) if found else ()
    if len(numbers) != parts:
        raise unknown_page(token)
    return numbers


def _weigh(rows: list[Record]) -> list[Record]:
    if rows and not rows[0]["fits"]:
        raise ApiError(Code.answer_too_large, "the answer would be too large; ask for less")
    return rows


def _keep(row: Record) -> Kept:
    return Kept(row["reference"], row["version"], row["set_at"], row["body"])
