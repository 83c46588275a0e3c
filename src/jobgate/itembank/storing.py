"""Setting entries of the item bank: what is new becomes a version, what says the same again does not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType

from jobgate import jobs
from jobgate.context import Context
from jobgate.db import Transaction
from jobgate.errors import ApiError, Code, shown
from jobgate.itembank.drafts import EntryDraft
from jobgate.itembank.entries import ActivityEntry, ItemEntry, QuestionEntry
from jobgate.itembank.records import Kind

E = TypeVar("E", QuestionEntry, ItemEntry, ActivityEntry)


class EntryResult(Struct, frozen=True, kw_only=True):
    """How setting one entry ended."""

    reference: str
    status: Literal["ok", "error"] = "ok"
    version: int | UnsetType = UNSET
    """The current one; that of before when nothing has changed."""
    code: int | UnsetType = UNSET
    message: str | UnsetType = UNSET


async def set_entries(
    ctx: Context, kind: Kind, entries: Sequence[E], make_draft: Callable[[E], EntryDraft]
) -> list[EntryResult]:
    """Keep the entries that can be kept, and answer how each of them ended, in order. Raises `ApiError`."""
    twice = [reference for reference, count in Counter(entry.reference for entry in entries).items() if count > 1]
    if twice:
        raise ApiError(Code.unsupported_value, f"`reference` {shown(twice[0])} stands twice in one call")
    drafts: list[EntryDraft] = []
    results: dict[str, EntryResult] = {}
    for entry in entries:
        try:
            drafts.append(make_draft(entry))
        except ApiError as error:
            results[entry.reference] = EntryResult(
                reference=entry.reference, status="error", code=error.code.number, message=error.message
            )
        await asyncio.sleep(0)  # an entry may be as large as a packet: let others in between
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        versions = await store_drafts(tx, ctx.organisation_id, kind, drafts)
        for draft, version in zip(drafts, versions, strict=True):
            results[draft.reference] = EntryResult(reference=draft.reference, version=version)
        answer = [results[entry.reference] for entry in entries]
        await jobs.accept(ctx, tx, answer)
    return answer


async def store_drafts(db: Transaction, organisation_id: int, kind: Kind, drafts: Sequence[EntryDraft]) -> list[int]:
    """Keep entries with different references; the version that each of them is at now, in order."""
    await db.execute("lock_bank", organisation_id)
    references, bodies = [draft.reference for draft in drafts], [draft.body for draft in drafts]
    return [row["version"] for row in await db.fetch("set_bank_entries", organisation_id, kind, references, bodies)]
