"""The agent and the activity resource, and `about`."""

from __future__ import annotations

import json
from typing import Any

from jobgate.xapi.identifiers import identify
from jobgate.xapi.positions import walk_activities, walk_actors
from jobgate.xapi.values import is_iri
from jobgate.xapi.violations import Version
from tests.lrs.http import Request, Response
from tests.lrs.kept import Keeping
from tests.lrs.refusals import Refusal
from tests.lrs.statements import read_agent

JSON = {"Content-Type": "application/json"}


def get_agent(keeping: Keeping, request: Request, version: Version) -> Response:
    """A Person: everything that an agent was ever called."""
    if request.params.keys() != {"agent"}:
        raise Refusal(400, "agents takes agent and nothing else")
    agent = read_agent(request.params["agent"], version)
    identifier = identify(agent)
    assert identifier is not None
    names = [
        actor["name"]
        for kept in keeping.statements.values()
        for _, actor in walk_actors(kept.statement)
        if "name" in actor and (found := identify(actor)) is not None and found.canonical == identifier.canonical
    ]
    person: dict[str, Any] = {"objectType": "Person"} | {name: [each] for name, each in identifier.as_agent().items()}
    if names:
        person["name"] = list(dict.fromkeys(names))
    return Response(200, json.dumps(person).encode(), JSON)


def get_activity(keeping: Keeping, request: Request, version: Version) -> Response:
    """An activity, with what all statements say of it."""
    if request.params.keys() != {"activityId"}:
        raise Refusal(400, "activities takes activityId and nothing else")
    iri = request.params["activityId"]
    if not is_iri(iri):
        raise Refusal(400, "activityId is no IRI")
    definition: dict[str, Any] = {}
    for kept in keeping.statements.values():
        for _, _, activity in walk_activities(kept.statement):
            if activity["id"] == iri:
                definition = _merge(definition, activity.get("definition", {}))
    activity = {"objectType": "Activity", "id": iri} | ({"definition": definition} if definition else {})
    return Response(200, json.dumps(activity).encode(), JSON)


def get_about(versions: list[str]) -> Response:
    """What the LRS can."""
    return Response(200, json.dumps({"version": versions, "extensions": {}}).encode(), JSON)


def _merge(known: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    merged = known | said
    for name in ("name", "description", "extensions"):
        if name in known and name in said:
            merged[name] = known[name] | said[name]
    return merged
