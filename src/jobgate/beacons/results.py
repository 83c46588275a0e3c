"""What the tasks of a job gave: one object each, in order, so that a task without a result shifts no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobgate import wire
from jobgate.beacons.fields import Result
from jobgate.errors import ApiError, Code, shown

INDEX = "task_index"
"""The name in a result that says which task it is of, from 0."""


def index_results(sent: Sequence[Result], total_tasks: int) -> dict[int, bytes] | None:
    """The results by their tasks, encoded; None when none of them says which task it is of.

    Raises 20004 when only some say so, when two say the same, and when there is no such task.
    """
    if not any(INDEX in result for result in sent):
        return None
    indexed: dict[int, bytes] = {}
    for result in sent:
        index = result.get(INDEX)
        if type(index) is not int or not 0 <= index < total_tasks:
            raise ApiError(
                Code.unsupported_value,
                f"`{INDEX}` of every result must be an integer from 0 to {total_tasks - 1}, not {shown(index)}",
            )
        if index in indexed:
            raise ApiError(Code.unsupported_value, f"`{INDEX}` {index} was given twice")
        indexed[index] = wire.encode(result)
    return indexed


def merge_results(
    held: Mapping[int, bytes], sent: Sequence[Result], indexed: Mapping[int, bytes] | None
) -> list[bytes]:
    """All results in the end: in the order of their tasks, or, when what is sent names no tasks, just that."""
    if sent and indexed is None:
        return [wire.encode(result) for result in sent]
    merged: dict[int, Any] = {**held, **(indexed or {})}
    return [merged[index] for index in sorted(merged)]
