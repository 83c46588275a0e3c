"""The types of datasets: what is compiled, and from what."""

from __future__ import annotations

from typing import NamedTuple

from jobgate.errors import ApiError, Code, shown


class DatasetType(NamedTuple):
    """What tells a type from the others."""

    name: str
    needs_sessions: bool = False
    """Every line of its files names sessions, and only those count."""
    is_analysis: bool = False
    """Questions are analysed; lines may name sessions."""
    spans_activities: bool = False
    """A question is one question wherever it was asked, and all activities count where no filter names some."""


ACTIVITY_SUMMARY = DatasetType("activity-summary-by-group")
SESSIONS_SUMMARY = DatasetType("sessions-summary-by-group", needs_sessions=True)
ACTIVITY_ANALYSIS = DatasetType("activity-analysis-by-question", is_analysis=True)
BANK_ANALYSIS = DatasetType("ibk-analysis-by-question", is_analysis=True, spans_activities=True)

TYPES = {kind.name: kind for kind in (ACTIVITY_SUMMARY, SESSIONS_SUMMARY, ACTIVITY_ANALYSIS, BANK_ANALYSIS)}


def require_type(name: str) -> DatasetType:
    """The type with this name. Raises 44000 for any other name."""
    kind = TYPES.get(name)
    if kind is None:
        known = ", ".join(TYPES)
        raise ApiError(Code.unknown_dataset_type, f"`dataset_type` {shown(name)} is unknown; there are {known}")
    return kind
