"""Points in time and durations, as statements write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from jobgate.xapi.rules import Rule
from jobgate.xapi.values import make_field
from jobgate.xapi.violations import Field, Path, Report

_DATE_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
_OFFSET = r"[+-][0-9]{2}:[0-5][0-9]"

# ISO 8601: a comma, an offset without minutes or colon, and no zone at all are allowed.
_is_iso = re.compile(rf"{_DATE_TIME}(?:[.,][0-9]+)?(?:Z|(?!-00(?::?00)?\Z)[+-][0-9]{{2}}(?::?[0-5][0-9])?)?").fullmatch
# RFC 3339 asks for a zone; its letters may be small. `-00:00` means that the zone is unknown: both versions refuse it.
_is_rfc = re.compile(rf"{_DATE_TIME}(?:\.[0-9]+)?(?:Z|(?!-00:00){_OFFSET})", re.IGNORECASE).fullmatch

_is_duration = re.compile(
    r"""P(?=[0-9T]) (?![^.,]*[.,][0-9]+[A-Z]T?[0-9]) (?:     # what has a fraction stands last
        [0-9]+ (?:[.,][0-9]+)? W
        | (?:[0-9]+(?:[.,][0-9]+)?Y)? (?:[0-9]+(?:[.,][0-9]+)?M)? (?:[0-9]+(?:[.,][0-9]+)?D)?
          (?:T(?=[0-9]) (?:[0-9]+(?:[.,][0-9]+)?H)? (?:[0-9]+(?:[.,][0-9]+)?M)? (?:[0-9]+(?:[.,][0-9]+)?S)? )?
    )""",
    re.VERBOSE,
).fullmatch

# Nearly every time is written so, in both versions; the calendar has to be asked about February 29 only.
_is_plain = re.compile(
    r"[12][0-9]{3}-(?:"
    r"(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31"
    r")T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?Z"
).fullmatch

LEAP = ":60"
_SECOND = slice(16, 19)


def read_instant(value: str, *, is_2: bool) -> datetime | None:
    """The point in time in UTC, to the microsecond; without a zone it is UTC already. None: it is none.

    A leap second is the second after it, as Postgres has it.
    """
    if (_is_rfc if is_2 else _is_iso)(value) is None:
        return None
    try:
        if value[_SECOND] == LEAP:
            moment = datetime.fromisoformat(value[:16].upper() + ":59" + value[19:].upper()) + timedelta(seconds=1)
            if moment.minute or moment.second:
                return None
        else:
            moment = datetime.fromisoformat(value.upper())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def make_instant(rule: Rule) -> Field:
    """A point in time, written as the version asks."""

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not str:
            report.add_value(path, rule, value)
        elif read_instant(value, is_2=report.is_2) is None:
            report.add(path, Rule.time)

    return str, _is_plain, check


DURATION = make_field(str, _is_duration, Rule.duration_type, Rule.duration)
"""An ISO 8601 duration in which only the smallest part has a fraction."""
