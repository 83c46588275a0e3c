"""Rules of contexts (Data 2.4.6), with what 2.0.0 adds to them."""

from __future__ import annotations

from jobgate.conformance.cases.edits import GONE, Cases, at, these
from jobgate.conformance.cases.values import (
    NO_STRING,
    NO_TAGS,
    NO_UUIDS,
    OPEN_NO_TAGS,
    OPEN_TAGS,
    TAGS,
    about,
    participant,
)
from jobgate.conformance.samples import ACCOUNT, ACTIVITY, AGENT, GROUP, ID, REFERENCE, SUB_STATEMENT, USUAL
from jobgate.xapi.rules import Rule

CONTEXTS: dict[Rule, Cases] = {
    Rule.revision_place: Cases(
        [*at("context/revision", "4"), {"context": {"revision": "4"}, "object/objectType": GONE}],
        [about(target, {"revision": "4"}) for target in (AGENT, GROUP, REFERENCE, SUB_STATEMENT)]
        + [about({**SUB_STATEMENT, "object": REFERENCE, "context": {"revision": "4"}})],
    ),
    Rule.platform_place: Cases(
        [*at("context/platform", "x"), about({**SUB_STATEMENT, "context": {"platform": "x"}})],
        [about(target, {"platform": "x"}) for target in (AGENT, GROUP, REFERENCE, SUB_STATEMENT)]
        + [about({**SUB_STATEMENT, "object": AGENT, "context": {"platform": "x"}})],
    ),
    Rule.context_activities: Cases(
        at("context/contextActivities", GONE),
        at("context/contextActivities", [], "x", 5),
        open_accepted=at("context/contextActivities", {}),
    ),
    Rule.registration: Cases(
        at("context/registration", ID, ID.upper(), GONE), at("context/registration", *NO_UUIDS, *NO_STRING)
    ),
    Rule.instructor: Cases(at("context/instructor", AGENT, GROUP, ACCOUNT), at("context/instructor", "x", [], 5)),
    Rule.team: Cases(
        at("context/team", GROUP, {"objectType": "Group", **ACCOUNT}),
        at("context/team", AGENT, ACCOUNT, "x", [AGENT], 5),
    ),
    Rule.revision: Cases(
        at("context/revision", "2"), at("context/revision", *NO_STRING), open_accepted=at("context/revision", "")
    ),
    Rule.platform: Cases(
        at("context/platform", "x"), at("context/platform", *NO_STRING), open_accepted=at("context/platform", "")
    ),
    Rule.language: Cases(
        at("context/language", *TAGS),
        at("context/language", *NO_TAGS, *NO_STRING),
        at("context/language", *OPEN_TAGS),
        at("context/language", *OPEN_NO_TAGS),
    ),
    Rule.context_statement: Cases(
        at("context/statement", REFERENCE, GONE),
        at("context/statement", {"id": ID}, USUAL, AGENT, ACTIVITY, "x", [], ID),
    ),
    Rule.context_activities_names: Cases(
        at("context/contextActivities", *({name: [ACTIVITY]} for name in ("parent", "grouping", "category", "other"))),
        at("context/contextActivities", {"children": [ACTIVITY]}, {"parent": [ACTIVITY], "extensions": {}}),
    ),
    Rule.context_activity: Cases(
        at("context/contextActivities/parent", ACTIVITY, [ACTIVITY], [ACTIVITY, {"id": "urn:x"}]),
        at("context/contextActivities/parent", "urn:x", 5, ["urn:x"], [AGENT], REFERENCE, [[ACTIVITY]]),
        open_accepted=at("context/contextActivities/parent", []),
    ),
    Rule.context_agents: Cases(
        at(
            "context/contextAgents",
            [participant("contextAgent", "agent", AGENT), participant("contextAgent", "agent", ACCOUNT)],
            [participant("contextAgent", "agent", AGENT, relevantTypes=["urn:x"])],
        ),
        at(
            "context/contextAgents",
            {},
            "x",
            ["x"],
            [AGENT],
            [[]],
            [{"agent": AGENT}],
            [{"objectType": "contextAgent"}],
            [participant("contextGroup", "agent", AGENT)],
            [participant("Agent", "agent", AGENT)],
            [participant("contextAgent", "agent", GROUP)],
            [participant("contextAgent", "agent", "x")],
        ),
        open_accepted=at("context/contextAgents", []),
        versions=("2.0.0",),
        also=frozenset({Rule.name_unknown}),
    ),
    Rule.context_groups: Cases(
        at(
            "context/contextGroups",
            [participant("contextGroup", "group", GROUP)],
            [
                participant(
                    "contextGroup", "group", {"objectType": "Group", **ACCOUNT}, relevantTypes=["urn:x", "urn:y"]
                )
            ],
        ),
        at(
            "context/contextGroups",
            {},
            "x",
            ["x"],
            [GROUP],
            [{"group": GROUP}],
            [{"objectType": "contextGroup"}],
            [participant("contextAgent", "group", GROUP)],
            [participant("contextGroup", "group", AGENT)],
            [participant("contextGroup", "group", ACCOUNT)],
        ),
        open_accepted=at("context/contextGroups", []),
        versions=("2.0.0",),
        also=frozenset({Rule.name_unknown}),
    ),
    Rule.relevant_types: Cases(
        at("context/contextAgents", [participant("contextAgent", "agent", AGENT, relevantTypes=["urn:x"])]),
        at(
            "context/contextAgents",
            *(
                [participant("contextAgent", "agent", AGENT, relevantTypes=bad)]
                for bad in these([], {}, "urn:x", [5], [[]])
            ),
        ),
        versions=("2.0.0",),
    ),
}
