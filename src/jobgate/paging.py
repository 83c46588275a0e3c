"""Lists in pages, newest first: `next` tells what the page before ended with.

By numbers that only grow, or, where an index has them so, by times, and by numbers where times are equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from jobgate.errors import ApiError, Code, shown

NEWEST: Final = 2**63 - 1
"""Greater than every number: where the first page begins."""

LATEST: Final = (datetime.max.replace(tzinfo=UTC), NEWEST)
"""Later than everything: where the first page by times begins."""

_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_INSTANT = re.compile(r"([0-9]{1,17})\.([1-9][0-9]{0,17})", re.ASCII)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def read_next(token: str | None) -> int:
    """The number below which a page begins. Raises 20004."""
    if token is None:
        return NEWEST
    if _NUMBER.fullmatch(token) is None:
        raise unknown_page(token)
    return int(token)


def read_instant(token: str | None) -> tuple[datetime, int]:
    """The time and the number before which a page begins. Raises 20004."""
    if token is None:
        return LATEST
    read = _INSTANT.fullmatch(token)
    if read is None:
        raise unknown_page(token)
    return _EPOCH + int(read[1]) * _MICROSECOND, int(read[2])


def show_instant(moment: datetime, number: int) -> str:
    """The token of the page after a record."""
    return f"{(moment - _EPOCH) // _MICROSECOND}.{number}"


def fit(sizes: Sequence[int], limit: int, max_bytes: int) -> int:
    """How many of the records of these sizes fit into a page: one at least, if there is any."""
    count, total = 0, 0
    for size in sizes[:limit]:
        total += size
        if count and total > max_bytes:
            break
        count += 1
    return count


def unknown_page(token: str) -> ApiError:
    """What a caller hears whose `next` was never answered."""
    return ApiError(Code.unsupported_value, f"`next` must be a token that a page answered, not {shown(token)}")
