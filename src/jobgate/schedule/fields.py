"""Cron fields: what a caller may write in one, and how cronsim is told."""

from __future__ import annotations

import re

from jobgate.errors import ApiError, Code, shown

CRON_FIELDS = {"min": (0, 59), "hour": (0, 23), "dom": (1, 31), "month": (1, 12), "dow": (0, 7)}
"""Every field with its bounds, in the order of a cron line. In `dow` both 0 and 7 are Sunday."""

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_NAMES = {
    "month": {name: number for number, name in enumerate(MONTHS, 1)},
    "dow": {name: number for number, name in enumerate(DAYS)},
}
_STAR = re.compile(r"\*(/0?[1-9]|/[1-9][0-9])?", re.ASCII)
_WORD = r"[0-9]{1,2}|[A-Z]{3}"
_RANGE = re.compile(rf"({_WORD})(?:-({_WORD})(?:/([0-9]{{1,2}}))?)?", re.ASCII)


def read_field(value: int | str, name: str) -> str:
    """The field as cronsim takes it; raises 20004 naming the parameter."""
    try:
        return ",".join(_read_item(item, name) for item in str(value).upper().split(","))
    except ValueError:
        wanted = "a cron field such as `5`, `*`, `1-5` or `*/10`, within its bounds"
        raise ApiError(Code.unsupported_value, f"`{name}` must be {wanted}, not {shown(value)}") from None


def _read_item(item: str, name: str) -> str:
    """Stars stay, because they change how days are joined and clocks are followed; ranges are written out, because
    cronsim takes `5-5/2` for `5-59/2`. Raises `ValueError`."""
    if _STAR.fullmatch(item):
        return item
    found = _RANGE.fullmatch(item)
    if found is None:
        raise ValueError(item)
    first, last, step = found.groups()
    low = high = _read_word(first, name)
    if last is not None:
        # Sunday ends the week as often as it begins it.
        high = 7 if last == "SUN" and low > 0 else _read_word(last, name)
    numbers = range(low, high + 1, int(step or 1))
    if not numbers:
        raise ValueError(item)
    return ",".join(map(str, numbers))


def _read_word(word: str, name: str) -> int:
    number = _NAMES.get(name, {}).get(word)
    if number is None:
        number = int(word)
    low, high = CRON_FIELDS[name]
    if not low <= number <= high:
        raise ValueError(word)
    return number
