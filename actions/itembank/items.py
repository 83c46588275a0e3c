"""Keep items, and read them back."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from jobgate.context import Context, Reply, Request
from jobgate.itembank.drafts import draft_item
from jobgate.itembank.entries import ItemEntry
from jobgate.itembank.pages import BankQuery, find_entries
from jobgate.itembank.records import ItemVersion, show_item
from jobgate.itembank.storing import EntryResult, set_entries
from jobgate.registry import action


class SetItems(Request, frozen=True, kw_only=True):
    """Items with different references; each is set as a whole."""

    items: Annotated[list[ItemEntry], Meta(min_length=1, max_length=50)]


class GetItems(BankQuery, frozen=True, kw_only=True):
    """Which items to read."""


@action("set", guarded=True)
async def set_items(ctx: Context, request: SetItems) -> list[EntryResult]:
    """Keep up to 50 items; each that says something new becomes the current version of its reference."""
    return await set_entries(ctx, "item", request.items, draft_item)


@action("get")
async def get_items(ctx: Context, request: GetItems) -> Reply[list[ItemVersion]]:
    """Read items page by page, the newest reference first."""
    found, following = await find_entries(ctx, request, "item")
    return Reply(data=[show_item(kept) for kept in found], records=len(found), next=following)
