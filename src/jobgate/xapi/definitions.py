"""Definitions of Activities, with the interactions of the standard."""

from __future__ import annotations

from typing import Any

from jobgate.xapi.extensions import check_extensions
from jobgate.xapi.languages import make_language_map
from jobgate.xapi.rules import Rule
from jobgate.xapi.values import make_choice, make_iri
from jobgate.xapi.violations import SEEN, Field, Fields, Path, Report, check_fields, inside

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

FOREIGN = {name: COMPONENTS.keys() - own for name, own in INTERACTIONS.items()}

NEEDS_INTERACTION = frozenset({"correctResponsesPattern", *COMPONENTS})


def check_definition(value: Any, path: Path, report: Report) -> None:
    """The definition of an Activity."""
    if type(value) is not dict:
        report.add_value(path, Rule.definition, value)
        return
    check_fields(value, DEFINITION, path, report)
    interaction = value.get("interactionType")
    if "interactionType" not in value:
        if not value.keys().isdisjoint(NEEDS_INTERACTION):
            report.add(path, Rule.interaction_missing)
    elif type(interaction) is str and interaction in INTERACTIONS:
        foreign = FOREIGN[interaction]
        if not value.keys().isdisjoint(foreign):
            for name in foreign & value.keys():
                report.add((path, name), COMPONENTS[name])


def check_pattern(value: Any, path: Path, report: Report) -> None:
    """What is right; what the strings say is nobody's business."""
    if type(value) is not list:
        report.add_value(path, Rule.responses_pattern, value)
        return
    for place, text in enumerate(value):
        if type(text) is not str:
            report.add_value((path, place), Rule.responses_pattern, text)


def make_components(rule: Rule) -> Field:
    """A list of interaction components."""

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not list:
            report.add_value(path, rule, value)
            return
        seen: set[str] = set()
        for place, component in enumerate(value):
            here = (path, place)
            if type(component) is not dict:
                report.add_value(here, Rule.component, component)
                continue
            name = component.get("id")
            if type(name) is str and name and name not in seen:
                seen.add(name)
            else:
                _refuse_id(component, here, report)
            check_fields(component, COMPONENT, here, report)

    return inside(check)


def _refuse_id(component: dict[str, Any], path: Path, report: Report) -> None:
    if "id" not in component:
        report.add(path, Rule.component_id)
    elif type(component["id"]) is not str:
        report.add_value((path, "id"), Rule.component_id, component["id"])
    else:
        report.add((path, "id"), Rule.component_id if component["id"] else Rule.form)


COMPONENT: Fields = {"id": SEEN, "description": make_language_map(Rule.component_description)}

DEFINITION: Fields = {
    "name": make_language_map(Rule.definition_name),
    "description": make_language_map(Rule.definition_description),
    "type": make_iri(Rule.definition_type),
    "moreInfo": make_iri(Rule.more_info),
    "extensions": inside(check_extensions),
    "interactionType": make_choice(Rule.interaction, *INTERACTIONS),
    "correctResponsesPattern": inside(check_pattern),
    **{name: make_components(rule) for name, rule in COMPONENTS.items()},
}
