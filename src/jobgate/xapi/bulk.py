"""What a statement may not hold anywhere, extensions included: too much, too deep, and what cannot be stored."""

from __future__ import annotations

from math import isfinite
from typing import Any

import msgspec

from jobgate import wire
from jobgate.xapi.rules import Rule
from jobgate.xapi.violations import Path, Report

MAX_BYTES = 1024 * 1024
MAX_NESTING = 64
_MAX_BITS = 1024
"""Of an integer: what 64-bit floating point holds."""

_ZERO = b"\\u0000"


def check_bulk(statement: Any, report: Report) -> bytes | None:
    """The limits of a whole statement, after all other rules. Returns its JSON, or None where it has none.

    Writing it out takes a moment in C and shows nearly always that there is nothing to look for.
    """
    try:
        text = wire.encode(statement)
    except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError):
        text = None
    if text is None or _may_break(text, report):
        _look_through(statement, report)
    if text is not None and len(text) > MAX_BYTES:
        report.add(None, Rule.size)
    return text


def _may_break(text: bytes, report: Report) -> bool:
    """Whether there may be a zero character or too many levels in a JSON text."""
    if b"\\" in text and _ZERO in text:
        return True
    if not report.has_depths and not report.violations:
        return False
    return text.count(b"{") + text.count(b"[") > MAX_NESTING


def _look_through(statement: Any, report: Report) -> None:
    level: list[tuple[Any, Path]] = [(statement, None)]
    for _ in range(MAX_NESTING):
        below: list[tuple[Any, Path]] = []
        for value, path in level:
            if type(value) is dict:
                for name, inner in value.items():
                    _check_scalar(name, (path, name), report)
                    below.append((inner, (path, name)))
            elif type(value) is list:
                below += [(inner, (path, place)) for place, inner in enumerate(value)]
            else:
                _check_scalar(value, path, report)
        level = below
        if not level:
            return
    for value, path in level:
        if type(value) is dict or type(value) is list:
            report.add(path, Rule.depth)
        else:
            _check_scalar(value, path, report)


def _check_scalar(value: Any, path: Path, report: Report) -> None:
    kind = type(value)
    if kind is str:
        if "\0" in value or not _is_unicode(value):
            report.add(path, Rule.text)
    elif kind is float:
        if not isfinite(value):
            report.add(path, Rule.number)
    elif kind is int:
        if value.bit_length() > _MAX_BITS:
            report.add(path, Rule.number)
    elif kind is not bool and value is not None:
        report.add(path, Rule.type)


def _is_unicode(value: str) -> bool:
    """Whether there is no half of a surrogate pair in it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
