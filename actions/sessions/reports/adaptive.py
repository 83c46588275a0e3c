"""Read the reports of adaptive sessions."""

from __future__ import annotations

from jobgate.adaptive_reports import AdaptiveReportRecord, answer_reports
from jobgate.context import Context, Reply
from jobgate.registry import action
from jobgate.sessions.pages import SessionQuery


class GetAdaptiveReports(SessionQuery, frozen=True, kw_only=True):
    """Which sessions to read; those that are not adaptive, or were not completed yet, have no record."""


@action("get")
async def read_reports(ctx: Context, request: GetAdaptiveReports) -> Reply[list[AdaptiveReportRecord]]:
    """Read how the estimates of learners' abilities moved, item by item, in adaptive sessions."""
    return await answer_reports(ctx, request)
