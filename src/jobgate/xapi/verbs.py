"""Verbs."""

from __future__ import annotations

from typing import Any

from jobgate.xapi.languages import make_language_map
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import make_iri
from jobgate.xapi.violations import Fields, Path, Report, check_fields

VOIDED = "http://adlnet.gov/expapi/verbs/voided"

VERB: Fields = {"id": make_iri(Rule.verb_id), "display": make_language_map(Rule.verb_display)}


def check_verb(value: Any, path: Path, report: Report) -> None:
    """The verb of a statement."""
    if type(value) is not dict:
        report.add_value(path, Rule.type, value)
        return
    if "id" not in value:
        report.add(path, Rule.verb_id)
    check_fields(value, VERB, path, report)
