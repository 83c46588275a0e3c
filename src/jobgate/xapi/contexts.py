"""Contexts: what a statement belongs to, and who else takes part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jobgate.xapi.actors import check_instructor, check_team, require_agent, require_group
from jobgate.xapi.extensions import check_extensions
from jobgate.xapi.languages import is_language_tag
from jobgate.xapi.objects import check_activity, check_reference
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import add_choice, is_iri, make_field, make_text, make_uuid
from jobgate.xapi.violations import SEEN, Field, Fields, Path, Report, add_unknown, check_fields, inside


def check_context(value: Any, path: Path, report: Report) -> None:
    """The context of a statement."""
    if type(value) is not dict:
        report.add_value(path, Rule.type, value)
    else:
        check_fields(value, CONTEXT_2 if report.is_2 else CONTEXT_1, path, report)


def check_context_activities(value: Any, path: Path, report: Report) -> None:
    """One Activity or an array of them under each of four names. An empty array is allowed: it says nothing."""
    if type(value) is not dict:
        report.add_value(path, Rule.context_activities, value)
        return
    for name, inner in value.items():
        here = (path, name)
        if name not in RELATIONS:
            add_unknown(name, RELATIONS, here, report, Rule.context_activities_names)
        elif type(inner) is list:
            for place, activity in enumerate(inner):
                _check_context_activity(activity, (here, place), report)
        else:
            _check_context_activity(inner, here, report)


def _check_context_activity(value: Any, path: Path, report: Report) -> None:
    if type(value) is not dict:
        report.add_value(path, Rule.context_activity, value)
    elif value.get("objectType", "Activity") != "Activity":
        add_choice(value["objectType"], ("Activity",), (path, "objectType"), report, Rule.context_activity)
    else:
        check_activity(value, path, report)


def check_context_statement(value: Any, path: Path, report: Report) -> None:
    """A statement that this one is to be read with."""
    if type(value) is not dict:
        report.add_value(path, Rule.context_statement, value)
    elif value.get("objectType") != "StatementRef":
        if "objectType" not in value:
            report.add(path, Rule.context_statement)
        else:
            add_choice(value["objectType"], ("StatementRef",), (path, "objectType"), report, Rule.context_statement)
    else:
        check_reference(value, path, report)


def make_participants(kind: str, name: str, rule: Rule, require: Callable[[Any, Path, Report, Rule], None]) -> Field:
    """contextAgents or contextGroups: actors with the types of their part in it (2.0.0)."""
    fields: Fields = {
        "objectType": SEEN,
        name: inside(lambda value, path, report: require(value, path, report, rule)),
        "relevantTypes": inside(check_relevant_types),
    }

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not list:
            report.add_value(path, rule, value)
            return
        for place, participant in enumerate(value):
            here = (path, place)
            if type(participant) is not dict:
                report.add_value(here, rule, participant)
                continue
            if "objectType" not in participant or name not in participant:
                report.add(here, rule)
            if "objectType" in participant and participant["objectType"] != kind:
                add_choice(participant["objectType"], (kind,), (here, "objectType"), report, rule)
            check_fields(participant, fields, here, report)

    return inside(check)


def check_relevant_types(value: Any, path: Path, report: Report) -> None:
    """At least one IRI."""
    if type(value) is not list or not value:
        report.add_value(path, Rule.relevant_types, value)
        return
    for place, iri in enumerate(value):
        if type(iri) is not str:
            report.add_value((path, place), Rule.relevant_types, iri)
        elif not is_iri(iri):
            report.add((path, place), Rule.iri)


RELATIONS = dict.fromkeys(("parent", "grouping", "category", "other"))

CONTEXT_1: Fields = {
    "registration": make_uuid(Rule.registration),
    "instructor": inside(check_instructor),
    "team": inside(check_team),
    "contextActivities": inside(check_context_activities),
    "revision": make_text(Rule.revision),
    "platform": make_text(Rule.platform),
    "language": make_field(str, is_language_tag, Rule.language),
    "statement": inside(check_context_statement),
    "extensions": inside(check_extensions),
}

CONTEXT_2: Fields = {
    **CONTEXT_1,
    "contextAgents": make_participants("contextAgent", "agent", Rule.context_agents, require_agent),
    "contextGroups": make_participants("contextGroup", "group", Rule.context_groups, require_group),
}
