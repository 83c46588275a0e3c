"""Where agents and activities stand in a statement. Takes any decoded JSON: what has another shape is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any

RELATIONS = ("parent", "grouping", "category", "other")


class Place(IntEnum):
    """What a filter has to be told to find it there."""

    subject = 0
    """As actor or object, or a member of these: found by its name."""
    related = 1
    """In the context, a team, a statement within: found where related ones are asked for."""
    authority = 2
    """Vouching for it."""


def walk_actors(statement: Any) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every agent and group of a statement, members after their group."""
    if type(statement) is not dict:
        return
    yield from _actors_of(statement, Place.subject)
    yield from _members_too(statement.get("authority"), Place.authority)


def _actors_of(statement: dict[str, Any], place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    yield from _members_too(statement.get("actor"), place)
    about = statement.get("object")
    if type(about) is dict:
        kind = about.get("objectType")
        if kind == "Agent" or kind == "Group":
            yield from _members_too(about, place)
        elif kind == "SubStatement" and place is Place.subject:
            yield from _actors_of(about, Place.related)
    context = statement.get("context")
    if type(context) is not dict:
        return
    yield from _members_too(context.get("instructor"), Place.related)
    yield from _members_too(context.get("team"), Place.related)
    for name, inner in (("contextAgents", "agent"), ("contextGroups", "group")):
        each = context.get(name)
        if type(each) is list:
            for participant in each:
                if type(participant) is dict:
                    yield from _members_too(participant.get(inner), Place.related)


def _members_too(actor: Any, place: Place) -> Iterator[tuple[Place, dict[str, Any]]]:
    if type(actor) is not dict:
        return
    yield place, actor
    members = actor.get("member")
    if type(members) is list:
        for member in members:
            if type(member) is dict:
                yield place, member


def walk_activities(statement: Any) -> Iterator[tuple[Place, str | None, dict[str, Any]]]:
    """Every activity of a statement, with the relation that a context names it in."""
    if type(statement) is dict:
        yield from _activities_of(statement, Place.subject)


def _activities_of(statement: dict[str, Any], place: Place) -> Iterator[tuple[Place, str | None, dict[str, Any]]]:
    about = statement.get("object")
    if type(about) is dict:
        kind = about.get("objectType", "Activity")
        if kind == "Activity":
            yield place, None, about
        elif kind == "SubStatement" and place is Place.subject:
            yield from _activities_of(about, Place.related)
    context = statement.get("context")
    activities = context.get("contextActivities") if type(context) is dict else None
    if type(activities) is not dict:
        return
    for relation in RELATIONS:
        each = activities.get(relation)
        for activity in each if type(each) is list else (each,):
            if type(activity) is dict:
                yield Place.related, relation, activity
