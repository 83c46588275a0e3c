"""Keep activities, and read them back."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from jobgate.context import Context, Reply, Request
from jobgate.itembank.drafts import draft_activity
from jobgate.itembank.entries import ActivityEntry
from jobgate.itembank.pages import BankQuery, find_entries
from jobgate.itembank.records import ActivityVersion, show_activity
from jobgate.itembank.storing import EntryResult, set_entries
from jobgate.registry import action


class SetActivities(Request, frozen=True, kw_only=True):
    """Activities with different references; each is set as a whole."""

    activities: Annotated[list[ActivityEntry], Meta(min_length=1, max_length=50)]


class GetActivities(BankQuery, frozen=True, kw_only=True):
    """Which activities to read."""


@action("set", guarded=True)
async def set_activities(ctx: Context, request: SetActivities) -> list[EntryResult]:
    """Keep up to 50 activities; each that says something new becomes the current version of its reference."""
    return await set_entries(ctx, "activity", request.activities, draft_activity)


@action("get")
async def get_activities(ctx: Context, request: GetActivities) -> Reply[list[ActivityVersion]]:
    """Read activities page by page, the newest reference first."""
    found, following = await find_entries(ctx, request, "activity")
    return Reply(data=[show_activity(kept) for kept in found], records=len(found), next=following)
