"""Agents that a caller names: a JSON object, or its text as the standard writes it in queries."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from jobgate import wire
from jobgate.errors import ApiError, Code
from jobgate.xapi.actors import check_actor
from jobgate.xapi.bulk import check_bulk
from jobgate.xapi.identifiers import Identifier, identify
from jobgate.xapi.violations import Report

NamedAgent = Annotated[
    str | dict[str, Any],
    Meta(description="An Agent, or a Group that has an identifier: an object, or its JSON text"),
]


def read_named_agent(given: NamedAgent, name: str = "agent") -> tuple[dict[str, Any], Identifier]:
    """The agent that was given, and what it is known by. Raises 20004 naming the parameter and what is wrong."""
    agent = _decode(given, name) if isinstance(given, str) else given
    report = Report("1.0.3")
    check_actor(agent, None, report)
    check_bulk(agent, report)
    identifier = identify(agent)
    if report.violations or identifier is None:
        reason = report.violations[0].message if report.violations else "a Group without an identifier is nobody"
        raise ApiError(Code.unsupported_value, f"`{name}` must be an agent with exactly one identifier: {reason}")
    return agent, identifier


def _decode(text: str, name: str) -> Any:
    try:
        return wire.decode(text, Any)
    except (ValueError, RecursionError):
        text = f"`{name}` must be an agent with exactly one identifier: its text is not JSON"
        raise ApiError(Code.unsupported_value, text) from None
