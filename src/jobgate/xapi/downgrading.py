"""Statements of 2.0.0 for receivers that know 1.0.3 only: without what that version does not name."""

from __future__ import annotations

from typing import Any

_ADDED = ("contextAgents", "contextGroups")

OLDER = "1.0.3"


def downgrade(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement as 1.0.3 has it; one that is of 1.0.x comes back as it is."""
    named = statement.get("version")
    if type(named) is not str or not named.startswith("2."):
        return statement
    return _without(statement) | {"version": OLDER}


def _without(statement: dict[str, Any]) -> dict[str, Any]:
    found = dict(statement)
    context, about = found.get("context"), found.get("object")
    if type(context) is dict:
        found["context"] = {name: value for name, value in context.items() if name not in _ADDED}
    if type(about) is dict and about.get("objectType") == "SubStatement":
        found["object"] = _without(about)
    return found
