"""Statements that checks post: as small as they may be, and about things that nobody else talks about."""

from __future__ import annotations

from typing import Any

from jobgate.conformance.lrs import make_id
from jobgate.xapi.verbs import VOIDED

HOME = "https://conformance.example"


def make(**changes: Any) -> dict[str, Any]:
    """A statement of somebody new about something new; keywords add to it or replace."""
    statement = {"id": make_id(), "actor": make_agent(), "verb": make_verb(), "object": make_activity()}
    return statement | changes


def make_agent(**more: Any) -> dict[str, Any]:
    """An agent that nobody knows."""
    return {"objectType": "Agent", "mbox": f"mailto:{make_id()}@conformance.example"} | more


def make_verb() -> dict[str, Any]:
    """A verb that nobody uses."""
    return {"id": f"{HOME}/verbs/{make_id()}", "display": {"en": "tried", "de": "versuchte"}}


def make_activity(**definition: Any) -> dict[str, Any]:
    """An activity that nobody knows."""
    activity: dict[str, Any] = {"objectType": "Activity", "id": f"{HOME}/activities/{make_id()}"}
    return activity | ({"definition": definition} if definition else {})


def make_reference(id: str) -> dict[str, Any]:
    """A reference to a statement."""
    return {"objectType": "StatementRef", "id": id}


def make_voiding(target: str) -> dict[str, Any]:
    """A statement that voids another."""
    return make(verb={"id": VOIDED, "display": {"en": "voided"}}, object=make_reference(target))
