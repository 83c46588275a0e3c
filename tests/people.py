"""Agents in every place that a statement has for them, and the search for what is left of them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from jobgate.conformance.samples import ACTIVITY, ATTACHMENT, USUAL

AGENTS: list[dict[str, Any]] = [
    {"mbox": "mailto:ada@school.example"},
    {"mbox_sha1sum": "d7f1c2a3b4e5f60718293a4b5c6d7e8f90a1b2c3"},
    {"openid": "https://ada.example/"},
    {"account": {"homePage": "https://school.example", "name": "ada-1815"}},
]
"""One of each kind; in tests they may be one person."""

OTHERS: list[dict[str, Any]] = [
    {"mbox": "mailto:ben@school.example", "name": "Ben"},
    {"mbox": "mailto:ada@school.example.org"},
    {"account": {"homePage": "https://other.example", "name": "ada-1815"}},
    {"openid": "https://ada.example/blog"},
]
"""Other people, whose identifiers look much the same."""


BARE: dict[str, Any] = {"actor": OTHERS[0], "verb": USUAL["verb"], "object": ACTIVITY}
"""A statement of another."""


def as_agent(who: dict[str, Any]) -> dict[str, Any]:
    """An agent that says so, as it must where it is the object."""
    return {"objectType": "Agent"} | who


def as_group(who: dict[str, Any], *members: dict[str, Any]) -> dict[str, Any]:
    """An identified group with the identifier of somebody."""
    return {"objectType": "Group"} | who | ({"member": list(members)} if members else {})


def group_of(*members: dict[str, Any]) -> dict[str, Any]:
    """An anonymous group."""
    return {"objectType": "Group", "name": "Team", "member": list(members)}


def place_everywhere(who: dict[str, Any], other: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What to change of a statement so that somebody stands in it, by the name of the place. Needs 2.0.0."""
    contexts = {
        "instructor": {"instructor": who},
        "instructor as a group": {"instructor": as_group(who)},
        "team": {"team": as_group(who, other)},
        "member of the team": {"team": group_of(other, who)},
        "context agent": {"contextAgents": [_participate("Agent", other), _participate("Agent", who)]},
        "context group": {"contextGroups": [_participate("Group", as_group(who))]},
        "member of a context group": {"contextGroups": [_participate("Group", as_group(other, other, who))]},
    }
    places: dict[str, dict[str, Any]] = {
        "actor": {"actor": who},
        "actor as a group": {"actor": as_group(who)},
        "member of the actor": {"actor": group_of(who, other)},
        "member of an identified actor": {"actor": as_group(other, other, who)},
        "object": {"object": as_agent(who)},
        "object as a group": {"object": as_group(who, other)},
        "member of the object": {"object": group_of(other, who)},
    } | {name: {"context": each} for name, each in contexts.items()}
    within = {"objectType": "SubStatement", "actor": other, "verb": USUAL["verb"], "object": ACTIVITY}
    return places | {f"{name}, within": {"object": within | change} for name, change in places.items()}


def _participate(kind: str, who: dict[str, Any]) -> dict[str, Any]:
    relevant = {"relevantTypes": ["https://school.example/roles/mentor"]}
    return {"objectType": f"context{kind}", kind.lower(): who} | relevant


def write_statements(dice: random.Random, count: int, people: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Valid statements of 2.0.0, in each one of these or of the others in one place or two."""
    found = []
    for _ in range(count):
        statement = BARE | {"actor": dice.choice(OTHERS)}
        for _ in range(dice.randint(1, 2)):
            places = place_everywhere(dice.choice(people + OTHERS), dice.choice(OTHERS))
            statement |= places[dice.choice(list(places))]
        if dice.random() < 0.2:
            statement["attachments"] = [ATTACHMENT]
        id = f"{dice.getrandbits(128):032x}"
        id = f"{id[:8]}-{id[8:12]}-4{id[13:16]}-8{id[17:20]}-{id[20:]}"
        found.append(statement | {"id": id, "version": "2.0.0"})
    return found


def find_traces(statement: dict[str, Any], who: dict[str, Any]) -> int:
    """How often somebody's identifier stands in a statement, its authority aside, whatever the place: as a value or a
    name, or, for an account, as the two strings of it in one object."""
    ((_, identifier),) = who.items()
    wanted = set(identifier.values()) if isinstance(identifier, dict) else {identifier}
    rest = {name: value for name, value in statement.items() if name != "authority"}
    return sum(wanted <= texts for texts in _walk_texts(rest))


def _walk_texts(value: Any) -> Iterator[set[str]]:
    """The strings of each object and of each array, without those further in."""
    if isinstance(value, dict | list):
        inner = list(value.values()) if isinstance(value, dict) else value
        yield {each for each in [*inner, *value] if isinstance(each, str)}
        for each in inner:
            yield from _walk_texts(each)
