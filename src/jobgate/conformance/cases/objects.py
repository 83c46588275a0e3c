"""Rules of what statements are about (Data 2.4.4)."""

from __future__ import annotations

from typing import Any

from jobgate.conformance.cases.edits import GONE, Cases, Edit, at, these
from jobgate.conformance.cases.values import MAPS, NO_STRING, NO_UUIDS, OPEN_MAPS, about
from jobgate.conformance.samples import ACCOUNT, AGENT, GROUP, ID, REFERENCE, SUB_STATEMENT, USUAL
from jobgate.xapi.rules import Rule

DEFINITION = "object/definition"
CHOICE = USUAL["object"]["definition"]
COMPONENT = {"id": "a", "description": {"en": "A"}}
OPEN = {"name": {"en": "x"}}

INTERACTIONS = (
    "true-false", "choice", "fill-in", "long-fill-in", "matching", "performance", "sequencing", "likert", "numeric",
    "other",
)  # fmt: skip


def interaction(kind: Any, **lists: Any) -> Edit:
    """A definition of an interaction."""
    return {DEFINITION: {"interactionType": kind, **lists}}


def lists(name: str, kinds: tuple[str, ...], foreign: str, companion: dict[str, Any] | None = None) -> Cases:
    """Of a component list; whether it may stand where it does not belong, servers decide differently."""
    of = companion or {}
    return Cases(
        [interaction(kind, **{name: [COMPONENT]}, **of) for kind in kinds],
        [interaction(kinds[0], **{name: value}, **of) for value in these({}, "x", 1)],
        open_accepted=[interaction(kind, **{name: []}, **of) for kind in kinds],
        open_refused=[interaction(foreign, **{name: [COMPONENT]})],
    )


OBJECTS: dict[Rule, Cases] = {
    Rule.object_kind: Cases(
        [
            *at("object/objectType", GONE, "Activity"),
            about(AGENT),
            about(GROUP),
            about(REFERENCE),
            about(SUB_STATEMENT),
        ],
        [{"object/objectType": bad, "context": GONE} for bad in these("Statement", "Verb", "", *NO_STRING)],
    ),
    Rule.activity_id: Cases(
        at("object", {"id": "urn:x"}),
        [
            *at("object/id", GONE, *NO_STRING),
            *at("object", {}),
            *at("context/contextActivities/grouping", [{}], {"objectType": "Activity"}),
        ],
    ),
    Rule.definition: Cases(at(DEFINITION, GONE, {}), at(DEFINITION, "x", [], 5)),
    Rule.interaction: Cases(
        [interaction(kind) for kind in INTERACTIONS],
        [interaction(bad) for bad in these("essay", "", "true_false", 5, [], {})],
    ),
    Rule.responses_pattern: Cases(
        [interaction("choice", correctResponsesPattern=good) for good in ([], ["a"], ["a[,]b", ""])],
        [interaction("choice", correctResponsesPattern=bad) for bad in these("a", {}, 5, [5], ["a", []])],
    ),
    Rule.choices: lists("choices", ("choice", "sequencing"), "likert"),
    Rule.scale: lists("scale", ("likert",), "choice"),
    Rule.source: lists("source", ("matching",), "choice", {"target": [COMPONENT]}),
    Rule.target: lists("target", ("matching",), "true-false", {"source": [COMPONENT]}),
    Rule.steps: lists("steps", ("performance",), "other"),
    Rule.definition_name: Cases(
        at(f"{DEFINITION}/name", *MAPS),
        at(f"{DEFINITION}/name", "x", [], 5),
        open_accepted=at(f"{DEFINITION}/name", *OPEN_MAPS),
    ),
    Rule.component: Cases(
        [interaction("choice", choices=[{"id": "a"}]), interaction("likert", scale=[COMPONENT, {"id": "b"}])],
        [interaction("choice", choices=[bad]) for bad in these("a", [], 5)],
    ),
    Rule.component_id: Cases(
        [
            interaction("choice", choices=[{"id": "a"}, {"id": "A"}]),
            interaction("matching", source=[{"id": "a"}], target=[{"id": "a"}]),
        ],
        [
            *(interaction("choice", choices=[bad]) for bad in these({}, *({"id": bad} for bad in NO_STRING))),
            interaction("choice", choices=[{"id": "a"}, {"id": "b"}, {"id": "a"}]),
        ],
    ),
    Rule.definition_description: Cases(
        at(f"{DEFINITION}/description", *MAPS),
        at(f"{DEFINITION}/description", "x", [], 5),
        open_accepted=at(f"{DEFINITION}/description", *OPEN_MAPS),
    ),
    Rule.definition_type: Cases(at(f"{DEFINITION}/type", "urn:x", GONE), at(f"{DEFINITION}/type", *NO_STRING)),
    Rule.more_info: Cases(at(f"{DEFINITION}/moreInfo", "https://a.example"), at(f"{DEFINITION}/moreInfo", *NO_STRING)),
    Rule.component_description: Cases(
        [interaction("choice", choices=[{"id": "a", "description": good}]) for good in MAPS],
        [interaction("choice", choices=[{"id": "a", "description": bad}]) for bad in these("x", [], 5)],
        open_accepted=[interaction("choice", choices=[{"id": "a", "description": good}]) for good in OPEN_MAPS],
    ),
    Rule.interaction_missing: Cases(
        at(DEFINITION, CHOICE, OPEN),
        at(
            DEFINITION,
            {"correctResponsesPattern": ["a"]},
            *({name: [COMPONENT]} for name in ("choices", "scale", "source", "target", "steps")),
        ),
        open_refused=at(
            DEFINITION,
            *({name: []} for name in ("correctResponsesPattern", "choices", "scale", "source", "target", "steps")),
        ),
    ),
    Rule.object_kind_missing: Cases(
        [about(AGENT), about(GROUP)],
        [about({"mbox": "mailto:a@b.example"}), about(ACCOUNT), about({"openid": "urn:x"}), about({"member": [AGENT]})],
    ),
    Rule.sub_incomplete: Cases(
        [about(SUB_STATEMENT)],
        [
            about({name: value for name, value in SUB_STATEMENT.items() if name != gone})
            for gone in ("actor", "verb", "object")
        ],
    ),
    Rule.sub_authority: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "authority": AGENT})]),
    Rule.sub_version: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "version": "1.0.3"})]),
    Rule.sub_stored: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "stored": "2026-11-22T09:30:00Z"})]),
    Rule.sub_id: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "id": ID})]),
    Rule.sub_nested: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "object": SUB_STATEMENT, "context": {}})]),
    Rule.reference_id: Cases(
        [about(REFERENCE), *at("context/statement/id", ID.upper())],
        [
            *at("context/statement/id", GONE, *NO_UUIDS, *NO_STRING),
            about({**REFERENCE, "id": "x"}),
            about({"objectType": "StatementRef"}),
        ],
    ),
}
