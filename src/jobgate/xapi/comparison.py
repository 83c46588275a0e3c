"""Are two statements the same? By the comparison rules of the standard, between a statement and one that came before.

What a receiver assigns or may change does not count: id, authority, stored, timestamp, version where one has none, the
definitions of activities, displays of verbs, attachments, the order of a group's members, how an instant, a whole
number or a mail domain is written, a single context activity for an array of one. Everything else counts as written.
"""

from __future__ import annotations

import re
from typing import Any

from jobgate import wire
from jobgate.xapi.identifiers import identify
from jobgate.xapi.instants import read_instant
from jobgate.xapi.positions import RELATIONS

_ASSIGNED = ("id", "stored", "authority", "version", "attachments")

_EXACT = 2**53

_FRACTION = re.compile(r"([.,][0-9]{2})[0-9]+(?=S)")
"""Of the seconds of a duration: what is finer than a hundredth."""


def are_equal(one: Any, other: Any) -> bool:
    """Whether two valid statements say the same."""
    if "timestamp" not in one or "timestamp" not in other:
        one, other = ({name: value for name, value in each.items() if name != "timestamp"} for each in (one, other))
    return compare_by(one) == compare_by(other)


def compare_by(statement: dict[str, Any]) -> bytes:
    """What counts of a statement; equal statements have equal bytes."""
    found = _reduce({key: value for key, value in statement.items() if key not in _ASSIGNED})
    return wire.encode_canonically(_reduce_numbers(found))


def _reduce_numbers(value: Any) -> Any:
    """Whole numbers without a fraction: what passes through other programs gains or loses it."""
    kind = type(value)
    if kind is dict:
        return {name: _reduce_numbers(inner) for name, inner in value.items()}
    if kind is list:
        return [_reduce_numbers(inner) for inner in value]
    return int(value) if kind is float and value.is_integer() and abs(value) < _EXACT else value


def _reduce(statement: dict[str, Any]) -> dict[str, Any]:
    found = dict(statement)
    if "timestamp" in found:
        found["timestamp"] = _reduce_instant(found["timestamp"])
    if "actor" in found:
        found["actor"] = _reduce_actor(found["actor"])
    if type(found.get("verb")) is dict:
        found["verb"] = found["verb"].get("id")
    if type(found.get("object")) is dict:
        found["object"] = _reduce_object(found["object"])
    if type(found.get("result")) is dict:
        found["result"] = _reduce_result(found["result"])
    if type(found.get("context")) is dict:
        found["context"] = _reduce_context(found["context"])
    return found


def _reduce_instant(value: Any) -> Any:
    moment = read_instant(value, is_2=False) if type(value) is str else None
    return value if moment is None else moment.isoformat()


def _reduce_actor(actor: Any) -> Any:
    if type(actor) is not dict:
        return actor
    found: dict[str, Any] = {"objectType": "Agent"} | actor
    identifier = identify(actor)
    if identifier is not None:
        found.pop(identifier.kind)
        found["="] = identifier.canonical
    if type(found.get("member")) is list:
        found["member"] = sorted(map(_reduce_actor, found["member"]), key=wire.encode_canonically)
    return found


def _reduce_object(about: dict[str, Any]) -> Any:
    kind = about.get("objectType", "Activity")
    if kind == "Activity":
        return about.get("id")
    if kind in ("Agent", "Group"):
        return _reduce_actor(about)
    if kind == "SubStatement":
        return _reduce({key: value for key, value in about.items() if key != "attachments"})
    return {key: value.lower() if key == "id" and type(value) is str else value for key, value in about.items()}


def _reduce_result(result: dict[str, Any]) -> dict[str, Any]:
    duration = result.get("duration")
    return result | {"duration": _FRACTION.sub(r"\1", duration)} if type(duration) is str else result


def _reduce_context(context: dict[str, Any]) -> dict[str, Any]:
    found = dict(context)
    for name in ("instructor", "team"):
        if name in found:
            found[name] = _reduce_actor(found[name])
    if type(found.get("registration")) is str:
        found["registration"] = found["registration"].lower()
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        if type(found.get(name)) is list:
            found[name] = [
                each | {inner: _reduce_actor(each[inner])} if type(each) is dict and inner in each else each
                for each in found[name]
            ]
    activities = found.get("contextActivities")
    if type(activities) is dict:
        found["contextActivities"] = {
            name: [_reduce_object(each) if type(each) is dict else each for each in _as_list(activities[name])]
            for name in RELATIONS
            if name in activities
        }
    return found


def _as_list(value: Any) -> list[Any]:
    return value if type(value) is list else [value]
