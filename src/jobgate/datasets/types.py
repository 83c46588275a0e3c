"""The types of datasets: what is compiled, and from what."""

from __future__ import annotations

from jobgate.errors import ApiError, Code, shown

ACTIVITY_SUMMARY = "activity-summary-by-group"

_LATER = ("sessions-summary-by-group", "activity-analysis-by-question", "ibk-analysis-by-question")


def require_type(name: str) -> str:
    """The name of a type that can be compiled. Raises 44000 for any other."""
    if name == ACTIVITY_SUMMARY:
        return name
    fault = "is documented, but not available here" if name in _LATER else "is unknown"
    raise ApiError(Code.unknown_dataset_type, f"`dataset_type` {shown(name)} {fault}; there is {ACTIVITY_SUMMARY}")
