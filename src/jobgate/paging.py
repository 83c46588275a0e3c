"""Lists in pages, newest first, by numbers that only grow: `next` is the number that the page before ended with."""

from __future__ import annotations

import re
from typing import Final

from jobgate.errors import ApiError, Code, shown

NEWEST: Final = 2**63 - 1
"""Greater than every number: where the first page begins."""

_NUMBER = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def read_next(token: str | None) -> int:
    """The number below which a page begins. Raises 20004."""
    if token is None:
        return NEWEST
    if _NUMBER.fullmatch(token) is None:
        raise unknown_page(token)
    return int(token)


def unknown_page(token: str) -> ApiError:
    """What a caller hears whose `next` was never answered."""
    return ApiError(Code.unsupported_value, f"`next` must be a token that a page answered, not {shown(token)}")
