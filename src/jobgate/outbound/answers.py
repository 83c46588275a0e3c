"""What the other side said, and when it wants to be asked again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status: int
    body: bytes
    retry_after_s: float | None
    headers: Mapping[str, str] = field(default_factory=dict)
    """By names in lower case; what came several times is joined by commas."""


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers of an answer, as `Answer` keeps them."""
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def read_retry_after(value: str | None) -> float | None:
    """What `Retry-After` asks for, in seconds from now; None where it says nothing usable."""
    if value is None:
        return None
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
