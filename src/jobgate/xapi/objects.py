"""What a statement is about, SubStatements aside: Activities, Agents, Groups, references to statements."""

from __future__ import annotations

from typing import Any

from jobgate.xapi.actors import check_agent, check_group, count_identifiers
from jobgate.xapi.definitions import check_definition
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import add_choice, make_iri, make_uuid
from jobgate.xapi.violations import SEEN, Fields, Path, Report, check_fields, inside

KINDS = ("Activity", "Agent", "Group", "StatementRef", "SubStatement")

ACTIVITY: Fields = {"objectType": SEEN, "id": make_iri(Rule.activity_id), "definition": inside(check_definition)}

REFERENCE: Fields = {"objectType": SEEN, "id": make_uuid(Rule.reference_id)}


def check_object(value: dict[str, Any], path: Path, report: Report) -> None:
    """An object of any kind but SubStatement."""
    kind = value.get("objectType", "Activity")
    if kind == "Activity":
        is_actor = "objectType" not in value and "id" not in value and (count_identifiers(value) or "member" in value)
        if is_actor:
            report.add(path, Rule.object_kind_missing)
        else:
            check_activity(value, path, report)
    elif kind == "Agent":
        check_agent(value, path, report)
    elif kind == "Group":
        check_group(value, path, report)
    elif kind == "StatementRef":
        check_reference(value, path, report)
    else:
        add_choice(kind, KINDS, (path, "objectType"), report, Rule.object_kind)


def check_activity(value: dict[str, Any], path: Path, report: Report) -> None:
    """An object that is an Activity by its objectType."""
    if "id" not in value:
        report.add(path, Rule.activity_id)
    check_fields(value, ACTIVITY, path, report)


def check_reference(value: dict[str, Any], path: Path, report: Report) -> None:
    """An object that is a StatementRef by its objectType."""
    if "id" not in value:
        report.add(path, Rule.reference_id)
    check_fields(value, REFERENCE, path, report)
