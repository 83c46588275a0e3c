"""Statements: every rule of the standard, all violations at once.

    validate          a decoded statement
    read_statement    its JSON text, in which a name may stand twice
    read_loosely      the same, when it is judged later: only what could not be stored is wrong

All are pure, take time in proportion to what they are given, go no deeper than the standard does, and never raise.
"""

from __future__ import annotations

from typing import Any

from jobgate import wire
from jobgate.xapi.actors import check_actor, check_authority
from jobgate.xapi.attachments import check_attachments
from jobgate.xapi.bulk import check_bulk
from jobgate.xapi.contexts import check_context
from jobgate.xapi.duplicates import check_duplicates
from jobgate.xapi.instants import make_instant
from jobgate.xapi.objects import check_object
from jobgate.xapi.results import check_result
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import make_text, make_uuid
from jobgate.xapi.verbs import VOIDED, check_verb
from jobgate.xapi.violations import SEEN, Field, Fields, Path, Report, Version, Violation, check_fields, inside


def validate(statement: Any, version: Version) -> list[Violation]:
    """Everything that is wrong with a decoded statement under one version of the standard; empty: nothing."""
    report = Report(version)
    check_statement(statement, report)
    check_bulk(statement, report)
    return report.violations


def read_statement(text: bytes, version: Version) -> tuple[Any, list[Violation]]:
    """A statement from its JSON, and everything that is wrong with it. What is not JSON is None."""
    report = Report(version)
    statement = _decode(text, report)
    if not report.violations:
        check_statement(statement, report)
        written = check_bulk(statement, report)
        check_duplicates(text, written, report)
    return statement, report.violations


def read_loosely(text: bytes) -> tuple[Any, list[Violation]]:
    """A statement from its JSON, unless it is too large, too deep, no object, or has an id that is no UUID."""
    report = Report("2.0.0")
    statement = _decode(text, report)
    if not report.violations:
        if type(statement) is not dict:
            report.add_value(None, Rule.json, statement)
        elif "id" in statement:
            check_fields({"id": statement["id"]}, STATEMENT_2, None, report)
        check_bulk(statement, report)
    return statement, report.violations


def _decode(text: bytes, report: Report) -> Any:
    """What is not JSON is None."""
    try:
        return wire.decode(text, Any)
    except RecursionError:
        report.add(None, Rule.depth)
    except ValueError as error:  # malformed, not UTF-8, or a number that nothing can hold
        report.add(None, Rule.number if "out of range" in str(error) else Rule.json)
    return None


def check_statement(value: Any, report: Report) -> None:
    """A statement that was received as such."""
    if type(value) is not dict:
        report.add_value(None, Rule.json, value)
        return
    for name, rule in REQUIRED.items():
        if name not in value:
            report.add(None, rule)
    check_fields(value, STATEMENT_2 if report.is_2 else STATEMENT_1, None, report)
    _check_places(value, None, report)
    verb, about = value.get("verb"), value.get("object")
    voids = type(verb) is dict and verb.get("id") == VOIDED
    if voids and type(about) is dict and about.get("objectType") != "StatementRef":
        report.add((None, "object"), Rule.voiding)


def check_statement_object(value: Any, path: Path, report: Report) -> None:
    """The object of a statement."""
    if type(value) is not dict:
        report.add_value(path, Rule.type, value)
    elif value.get("objectType") == "SubStatement":
        _check_sub_statement(value, path, report)
    else:
        check_object(value, path, report)


def _check_sub_statement(value: dict[str, Any], path: Path, report: Report) -> None:
    """A statement about something that need not have happened: voiding in it voids nothing."""
    for name in REQUIRED:
        if name not in value:
            report.add(path, Rule.sub_incomplete)
    check_fields(value, SUB_STATEMENT, path, report)
    _check_places(value, path, report)


def _check_sub_object(value: Any, path: Path, report: Report) -> None:
    if type(value) is not dict:
        report.add_value(path, Rule.type, value)
    elif value.get("objectType") == "SubStatement":
        report.add(path, Rule.sub_nested)
    else:
        check_object(value, path, report)


def _check_places(value: dict[str, Any], path: Path, report: Report) -> None:
    """Revision and platform are of Activities."""
    context, about = value.get("context"), value.get("object")
    if type(context) is not dict or type(about) is not dict or about.get("objectType") not in OTHER_KINDS:
        return
    for name, rule in ACTIVITY_ONLY.items():
        if name in context:
            report.add(((path, "context"), name), rule)


def _forbid(rule: Rule) -> Field:
    def check(_value: Any, path: Path, report: Report) -> None:
        report.add(path, rule)

    return inside(check)


REQUIRED = {"actor": Rule.actor_missing, "verb": Rule.verb_missing, "object": Rule.object_missing}

OTHER_KINDS = ("Agent", "Group", "StatementRef", "SubStatement")

ACTIVITY_ONLY = {"revision": Rule.revision_place, "platform": Rule.platform_place}

_COMMON: Fields = {
    "actor": inside(check_actor),
    "verb": inside(check_verb),
    "result": inside(check_result),
    "context": inside(check_context),
    "timestamp": make_instant(Rule.timestamp),
    "attachments": inside(check_attachments),
}

STATEMENT_1: Fields = {
    **_COMMON,
    "id": make_uuid(Rule.id_type, Rule.id),
    "object": inside(check_statement_object),
    "stored": make_instant(Rule.stored),
    "authority": inside(check_authority),
    "version": make_text(Rule.version, r"1\.0(?:\.[0-9]+)?"),
}

STATEMENT_2: Fields = {**STATEMENT_1, "version": make_text(Rule.version, r"[12]\.0(?:\.[0-9]+)?")}

SUB_STATEMENT: Fields = {
    **_COMMON,
    "objectType": SEEN,
    "object": inside(_check_sub_object),
    "id": _forbid(Rule.sub_id),
    "stored": _forbid(Rule.sub_stored),
    "version": _forbid(Rule.sub_version),
    "authority": _forbid(Rule.sub_authority),
}
