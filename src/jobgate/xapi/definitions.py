"""Definitions of Activities, with the interactions of the standard."""

from __future__ import annotations

from typing import Any

from jobgate.xapi.extensions import check_extensions
from jobgate.xapi.languages import make_language_map
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import make_choice, make_iri
from jobgate.xapi.violations import Check, Fields, Path, Report, accept, check_fields

COMPONENTS = {
    "choices": Rule.choices,
    "scale": Rule.scale,
    "source": Rule.source,
    "target": Rule.target,
    "steps": Rule.steps,
}

INTERACTIONS: dict[str, frozenset[str]] = {
    "true-false": frozenset(),
    "choice": frozenset({"choices"}),
    "fill-in": frozenset(),
    "long-fill-in": frozenset(),
    "matching": frozenset({"source", "target"}),
    "performance": frozenset({"steps"}),
    "sequencing": frozenset({"choices"}),
    "likert": frozenset({"scale"}),
    "numeric": frozenset(),
    "other": frozenset(),
}
"""The component lists that an interaction may have."""


def check_definition(value: Any, path: Path, report: Report) -> None:
    """The definition of an Activity."""
    if type(value) is not dict:
        report.add_value(path, Rule.definition, value)
        return
    check_fields(value, DEFINITION, path, report)
    interaction = value.get("interactionType")
    lists = COMPONENTS.keys() & value.keys()
    if "interactionType" not in value:
        if lists or "correctResponsesPattern" in value:
            report.add(path, Rule.interaction_missing)
    elif type(interaction) is str and interaction in INTERACTIONS:
        for name in sorted(lists - INTERACTIONS[interaction]):
            report.add((path, name), COMPONENTS[name])


def check_pattern(value: Any, path: Path, report: Report) -> None:
    """What is right; what the strings say is nobody's business."""
    if type(value) is not list:
        report.add_value(path, Rule.responses_pattern, value)
        return
    for place, text in enumerate(value):
        if type(text) is not str:
            report.add_value((path, place), Rule.responses_pattern, text)


def make_components(rule: Rule) -> Check:
    """A check of a list of interaction components."""

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not list:
            report.add_value(path, rule, value)
            return
        seen: set[str] = set()
        for place, component in enumerate(value):
            _check_component(component, seen, (path, place), report)

    return check


def _check_component(value: Any, seen: set[str], path: Path, report: Report) -> None:
    if type(value) is not dict:
        report.add_value(path, Rule.component, value)
        return
    id = value.get("id")
    if "id" not in value:
        report.add(path, Rule.component)
    elif type(id) is not str:
        report.add_value((path, "id"), Rule.component, id)
    elif not id:
        report.add((path, "id"), Rule.form)
    elif id in seen:
        report.add((path, "id"), Rule.component_unique)
    else:
        seen.add(id)
    check_fields(value, COMPONENT, path, report)


COMPONENT: Fields = {"id": accept, "description": make_language_map(Rule.component_description)}

DEFINITION: Fields = {
    "name": make_language_map(Rule.definition_name),
    "description": make_language_map(Rule.definition_description),
    "type": make_iri(Rule.definition_type),
    "moreInfo": make_iri(Rule.more_info),
    "extensions": check_extensions,
    "interactionType": make_choice(Rule.interaction, *INTERACTIONS),
    "correctResponsesPattern": check_pattern,
    **{name: make_components(rule) for name, rule in COMPONENTS.items()},
}
