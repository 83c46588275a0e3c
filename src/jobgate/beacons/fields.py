"""What the parameters of beacons and their jobs may be, and the two rules of the source for flags."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from jobgate.context import Caller

DEFAULT_BEACON = "default"
"""The beacon of a job that names none; a beacon like any other."""

BeaconName = Annotated[str, Meta(min_length=1, max_length=200)]
JobName = Annotated[str, Meta(min_length=1, max_length=500)]
Tag = Annotated[str, Meta(min_length=1, max_length=100)]
Tags = Annotated[tuple[Tag, ...], Meta(max_length=50)]
ClaimToken = Annotated[str, Meta(min_length=1, max_length=100)]
TaskNumber = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Result = dict[str, Any]
"""What a task gave: any object. `task_index` in it says which task it was, from 0."""

MAX_TASKS = 10_000

Results = Annotated[tuple[Result, ...], Meta(max_length=MAX_TASKS)]

Flag = bool | int | float | str
"""A word of the source, or a JSON boolean."""

CronField = int | str
"""Read only when a job is scheduled: `schedule` judges it."""

UserId = Annotated[str, Meta(min_length=1, max_length=200)] | int


def is_on(flag: Flag) -> bool:
    """The rule for `q` and `schedule`: exactly `true` or `1` means yes, anything else no."""
    return flag in ("true", "1") or (not isinstance(flag, str) and flag == 1)


def is_off(flag: Flag) -> bool:
    """The rule for `schedule_active`: exactly `false` or `0` means no, anything else yes."""
    return flag in ("false", "0") or (not isinstance(flag, str) and flag == 0)


def choose_owner(user_id: UserId | None, user_guid: str | None, signed_for: str | None, caller: Caller) -> str:
    """Whose job it is: the first that is said."""
    for said in (user_id, user_guid, signed_for):
        if said is not None:
            return str(said)
    return caller.key
