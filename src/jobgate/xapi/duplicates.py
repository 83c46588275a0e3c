"""Names that stand twice in one object: every decoder drops one of them, and which is anybody's guess."""

from __future__ import annotations

import json
from typing import Any

from jobgate.xapi.rules import Rule
from jobgate.xapi.violations import Path, Report


class _Doubled(dict[str, Any]):
    """An object with names that stood twice."""

    names: set[str]


def check_duplicates(text: bytes, written: bytes | None, report: Report) -> None:
    """Look for them in a text that decodes; `written` is what it decoded to, as JSON.

    A name that was dropped took its colon along, and only an escape brings one that was not there before: as long as
    there are as many as before, nothing has to be read a second time.
    """
    has_escapes = b"\\u003a" in text or b"\\u003A" in text
    if written is not None and not has_escapes and text.count(b":") == written.count(b":"):
        return
    try:
        found = json.loads(text, object_pairs_hook=_keep)
    except (ValueError, RecursionError):  # decoded once already: too deep, or digits without end
        report.add(None, Rule.json)
        return
    pending: list[tuple[Any, Path]] = [(found, None)]
    while pending:
        value, path = pending.pop()
        if isinstance(value, _Doubled):
            for name in sorted(value.names):
                report.add((path, name), Rule.json)
        if isinstance(value, dict):
            pending += [(inner, (path, name)) for name, inner in value.items()]
        elif isinstance(value, list):
            pending += [(inner, (path, place)) for place, inner in enumerate(value)]


def _keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    doubled = _Doubled(found)
    doubled.names = {name for name, _ in pairs if name in seen or seen.add(name)}  # type: ignore[func-returns-value]
    return doubled
