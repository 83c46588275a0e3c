"""Reports of adaptive sessions as callers see them, page by page."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from jobgate import wire
from jobgate.context import Context, Reply
from jobgate.db import Record
from jobgate.errors import ApiError, Code
from jobgate.scoring.adaptive import AdaptiveReport, AdaptiveStep, ExpectedAbility
from jobgate.sessions.entries import Status
from jobgate.sessions.pages import SessionQuery, find_page, read_horizon
from jobgate.sessions.records import JsonObjectOrNull


class AdaptiveReportRecord(Struct, frozen=True, kw_only=True):
    """The report of one session, with what an adaptive engine outside stored with it."""

    user_id: str
    activity_id: str
    session_id: str
    status: Status
    method: Literal["eap"]
    """How `final` was estimated."""
    final: ExpectedAbility | None
    """The estimate after the last step; null: there was none."""
    steps: list[AdaptiveStep]
    """The items that the learner met, in their order."""
    skipped: list[str]
    """Items that tell nothing: they wait for their marks, or have nothing to earn."""
    custom_state: JsonObjectOrNull
    """As it was stored."""


async def answer_reports(ctx: Context, query: SessionQuery) -> Reply[list[AdaptiveReportRecord]]:
    """Answer a read of reports: the page that `query` asks for, of the sessions that have one. Raises 20027."""
    horizon = await read_horizon(ctx.db)
    async with ctx.db.reading(ctx.organisation_id) as db:
        page = await find_page(db, ctx.organisation_id, query, horizon, reported=True)
        rows = await db.fetch("read_adaptive_reports", ctx.organisation_id, page.session_ids, ctx.settings.max_answer)
    if rows and not rows[0]["fits"]:
        raise ApiError(Code.answer_too_large, "the answer would be too large; ask for less")
    return Reply(data=[_show(row) for row in rows], records=len(rows), next=page.next)


def _show(row: Record) -> AdaptiveReportRecord:
    report = wire.decode(row["report"], AdaptiveReport)
    return AdaptiveReportRecord(
        user_id=row["user_id"],
        activity_id=row["activity_id"],
        session_id=row["session_id"],
        status=row["status"],
        method=report.method,
        final=report.final,
        steps=report.steps,
        skipped=report.skipped,
        custom_state=Raw(row["custom_state"] or b"null"),
    )
