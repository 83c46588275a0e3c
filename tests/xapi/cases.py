"""What every rule accepts and refuses, as changes to `samples.FULL`. Data only."""

from __future__ import annotations

from typing import Any, NamedTuple

from jobgate.xapi.rules import Rule
from jobgate.xapi.violations import Version
from tests.xapi.samples import (
    ACCOUNT,
    ACTIVITY,
    AGENT,
    ATTACHMENT,
    GONE,
    GROUP,
    ID,
    REFERENCE,
    SHA1,
    SHA2,
    SUB_STATEMENT,
    USUAL,
    Edit,
)

BOTH: tuple[Version, ...] = ("1.0.3", "2.0.0")


class Cases(NamedTuple):
    """A rule's; `refused` breaks it and nothing else, unless `also` names what goes with it."""

    accepted: list[Edit]
    refused: list[Edit]
    versions: tuple[Version, ...] = BOTH
    also: frozenset[Rule] = frozenset()


def at(place: str, *values: Any) -> list[Edit]:
    """The same place, value by value."""
    return [{place: value} for value in values]


def these(*values: Any) -> tuple[Any, ...]:
    """Values of any type."""
    return values


NO_STRING: tuple[Any, ...] = (5, True, {}, [], 1.5)
IRIS = (
    "https://a.example/x?y=1#z",
    "urn:uuid:" + ID,
    "tag:a.example,2026:x",
    "a:b",
    "https://bücher.example/ä",
    "A1+.-:x",
)
NO_IRIS = (
    "",
    "x",
    "should error",
    "ab=c://should.fail.com",
    "http:",
    ":x",
    "1a:x",
    "https://a.example/a b",
    "a:\n",
    "ä:x",
)
NO_UUIDS = (
    "",
    ID[:-1],
    ID + "0",
    ID.replace("-", ""),
    "{" + ID + "}",
    ID.replace("3", "g"),
    ID + "\n",
    "urn:uuid:" + ID,
)
MAPS: tuple[Any, ...] = ({}, {"en": ""}, {"de-DE": "x", "zh-Hant": "y"}, {"und": "x"})
TAGS = (
    "de", "de-DE", "zh-Hant", "zh-Hans-CN", "sr-Cyrl", "sr-Latn-RS", "cmn", "ase", "es-MX", "fr-CA", "ja", "tlh", "es",
    "EN-us", "zh-yue", "zh-cmn-Hans-CN", "sl-rozaj-biske", "de-CH-1901", "es-419", "en-a-bbb-x-a", "x-school",
    "i-klingon",
    "en-GB-oed", "de-x-a", "en-u-ca-gregory-t-de", "abcdefgh", "hy-Latn-IT-arevela",
)  # fmt: skip
NO_TAGS = (
    "", "something", "s-something", "a12345678", "a12345", "zh-z-aaa-z-bbb-c-ccc", "en_US", "en-", "-en", "e", "en--US",
    "en-a", "en-x", "de-1901-1901", "de-DE-DE-1234567890", "en-US\n", "ën", "i-unknown", "en US", "abcde-fgh",
)  # fmt: skip

DEFINITION = "object/definition"
CHOICE = USUAL["object"]["definition"]
COMPONENT = {"id": "a", "description": {"en": "A"}}
OPEN = {"name": {"en": "x"}}


def interaction(kind: Any, **lists: Any) -> Edit:
    """A definition of an interaction."""
    return {DEFINITION: {"interactionType": kind, **lists}}


def lists(name: str, kinds: tuple[str, ...], foreign: str, companion: dict[str, Any] | None = None) -> Cases:
    """Of a component list."""
    of = companion or {}
    accepted = [interaction(kind, **{name: value}, **of) for kind in kinds for value in these([], [COMPONENT])]
    refused = [interaction(kinds[0], **{name: value}, **of) for value in these({}, "x", 1)]
    return Cases(accepted, [*refused, interaction(foreign, **{name: [COMPONENT]})])


def nested(depth: int) -> Any:
    """Arrays in arrays."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value


def with_authority(**changes: Any) -> Edit:
    """An anonymous Group of two, changed."""
    return {"authority": {**GROUP, **changes}}


def about(target: Any, context: Any = GONE) -> Edit:
    """Another object; most do not go with a revision or a platform."""
    return {"object": target, "context": context}


def participant(kind: str, name: str, who: Any, **others: Any) -> Any:
    """One of contextAgents or contextGroups."""
    return {"objectType": kind, name: who, **others}


PAIR = {"account": ACCOUNT["account"], "mbox": "mailto:a@b.example"}
EXTENSION = "https://school.example/x"

CASES: dict[Rule, Cases] = {
    Rule.null: Cases(
        at("context/extensions", {EXTENSION: None}, {EXTENSION: [None, {"a": None}]}),
        [
            *at("actor/name", None),
            *at("result/score/raw", None),
            *at("result", None),
            *at("context/contextActivities/parent", None),
            *at("verb/display", {"en": None}),
            *at("object/definition/name", None),
            *at("timestamp", None),
            *at("version", None),
            *at("authority", None),
            *at("attachments", None),
            *at("context/extensions", None),
            *at("attachments/0/length", None),
        ],
    ),
    Rule.actor_missing: Cases([{}], at("actor", GONE)),
    Rule.verb_missing: Cases([{}], at("verb", GONE)),
    Rule.object_missing: Cases([{}], at("object", GONE)),
    Rule.type: Cases(
        [{}, *at("result", {}), *at("context", {})],
        [
            *at("actor", "Ada", [], 5, True),
            *at("verb", "answered", []),
            *at("object", "x", [ACTIVITY], 1),
            *at("result", [], "x", 0),
            *at("context", [], "x"),
            *at("attachments", ["x"], [[]], [5]),
        ],
    ),
    Rule.form: Cases(at("object/definition/choices/0/id", "c", "0", "ä b"), at("object/definition/choices/0/id", "")),
    Rule.name_case: Cases(
        [{}],
        [
            {"result": GONE, "RESULT": {}},
            {"context": GONE, "conText": {}},
            {"attachments": GONE, "attachmentS": []},
            *at("actor/Name", "Ada"),
            *at("object/definition/moreinfo", "https://a.example"),
        ],
    ),
    Rule.value_case: Cases(
        at("actor/objectType", "Agent"),
        [
            *at("actor/objectType", "agent", "GROUP"),
            *at("object/objectType", "activity", "ACTIVITY"),
            *at("object/definition/interactionType", "Choice", "True-False"),
            *at("context/statement/objectType", "statementref"),
            *at("context/contextActivities/parent/0/objectType", "activity"),
        ],
    ),
    Rule.name_unknown: Cases(
        [{}],
        [
            *at("objectType", "Statement"),
            *at("extra", None),
            *at("actor/member", [AGENT]),
            *at("actor/foo", 1),
            *at("verb/name", {"en": "x"}),
            *at("object/name", {"en": "x"}),
            *at("object/definition/foo", {}),
            *at("result/foo", 1),
            *at("result/score/foo", 1),
            *at("context/foo", 1),
            *at("attachments/0/foo", 1),
            *at("authority/account/foo", 1),
            *at("context/statement/foo", 1),
            *at("object/definition/choices/0/foo", 1),
            *at("context/team/member/0/member", []),
        ],
    ),
    Rule.iri: Cases(
        at("verb/id", *IRIS),
        [
            *at("verb/id", *NO_IRIS),
            *at("object/id", "x"),
            *at("object/definition/type", "x"),
            *at("object/definition/moreInfo", "x"),
            *at("context/contextActivities/parent/0/id", "x"),
            *at("actor", {"openid": "x"}, {"account": {"homePage": "x", "name": "y"}}),
            *at("attachments/0/usageType", "x"),
            *at("attachments/0/fileUrl", "x"),
        ],
    ),
    Rule.language_tag: Cases(
        at("verb/display", *({tag: "x"} for tag in TAGS)), at("verb/display", *({tag: "x"} for tag in NO_TAGS))
    ),
    Rule.voiding: Cases(
        [{"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}, **about(REFERENCE)}],
        [
            {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}, "object": ACTIVITY},
            {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}, **about(AGENT)},
            {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}, **about(SUB_STATEMENT)},
        ],
    ),
    Rule.json: Cases([{}], at("", [], "x", 5, True, [USUAL])),
    Rule.timestamp: Cases([{}, *at("timestamp", GONE)], at("timestamp", *NO_STRING)),
    Rule.stored: Cases([{}, *at("stored", GONE)], at("stored", *NO_STRING)),
    Rule.authority: Cases(
        [*at("authority", AGENT, ACCOUNT, {"openid": "https://a.example/me"}), with_authority()],
        [
            *at("authority", "x", [], 5),
            with_authority(mbox="mailto:a@b.example"),
            with_authority(mbox_sha1sum=SHA1),
            with_authority(openid="https://a.example/us"),
            with_authority(account=ACCOUNT["account"]),
        ],
    ),
    Rule.attachments: Cases(
        at("attachments", [], [ATTACHMENT, ATTACHMENT], GONE), at("attachments", ATTACHMENT, "x", 5)
    ),
    Rule.id_type: Cases([{}, *at("id", GONE)], at("id", *NO_STRING)),
    Rule.id: Cases(
        at("id", ID.upper(), "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
        at("id", *NO_UUIDS),
    ),
    Rule.actor_kind: Cases(
        [*at("actor/objectType", "Agent", GONE), *at("actor", GROUP)],
        [*at("actor/objectType", "Person", "Activity", ""), *at("context/instructor/objectType", "StatementRef")],
    ),
    Rule.actor_kind_type: Cases([{}], at("actor/objectType", *NO_STRING)),
    Rule.actor_name: Cases(at("actor/name", "", "Ada", GONE), at("actor/name", *NO_STRING)),
    Rule.agent_identifier: Cases(
        at(
            "actor",
            {"mbox": "mailto:a@b.example"},
            {"mbox_sha1sum": SHA1},
            {"openid": "https://a.example/me"},
            ACCOUNT,
        ),
        [
            *at("actor", {}, {"name": "Ada"}, {"objectType": "Agent"}, PAIR),
            *at("actor/mbox_sha1sum", SHA1),
            *at("context/instructor", {"name": "x"}),
            *at("authority", PAIR),
            *at("context/team/member/1", {"name": "x"}),
            about({"objectType": "Agent"}),
        ],
    ),
    Rule.anonymous_member: Cases(
        at("actor", GROUP, {"objectType": "Group", "member": [ACCOUNT]}),
        at(
            "actor",
            {"objectType": "Group"},
            {"objectType": "Group", "member": []},
            {"objectType": "Group", "name": "x"},
        ),
    ),
    Rule.member: Cases(
        at("actor", GROUP),
        [
            *at("actor", {"objectType": "Group", "member": AGENT}, {"objectType": "Group", "member": "x"}),
            *at("actor", {"objectType": "Group", "member": [GROUP]}, {"objectType": "Group", "member": ["x"]}),
            *at("context/team/member/0", GROUP, 5, []),
        ],
    ),
    Rule.group_identifier: Cases(
        at(
            "actor",
            {"objectType": "Group", "mbox": "mailto:a@b.example"},
            {"objectType": "Group", "mbox_sha1sum": SHA1, "member": []},
            {"objectType": "Group", "openid": "https://a.example/us", "member": [AGENT]},
            {"objectType": "Group", **ACCOUNT},
        ),
        [*at("actor", {"objectType": "Group", **PAIR}), *at("context/team", {**GROUP, **PAIR, "mbox_sha1sum": SHA1})],
    ),
    Rule.mbox: Cases(
        at("actor/mbox", "mailto:a@b", "mailto:a+b@b.example", "mailto:ä@b.example", 'mailto:"a@b"@c.example'),
        at(
            "actor/mbox",
            "http://should.fail.com",
            "mailto:should.fail.com",
            "a@b.example",
            "mailto:",
            "mailto:@",
            "",
            "mailto:a@",
            "mailto:@b.example",
            "mailto:a b@c.example",
            *NO_STRING,
        ),
    ),
    Rule.mbox_sha1sum: Cases(
        at("actor", {"mbox_sha1sum": SHA1}, {"mbox_sha1sum": SHA1.upper()}),
        at("actor", *({"mbox_sha1sum": bad} for bad in these("", SHA1[1:], SHA1 + "0", "g" + SHA1[1:], *NO_STRING))),
    ),
    Rule.openid: Cases(
        at("actor", {"openid": "https://a.example/me"}), at("actor", *({"openid": bad} for bad in NO_STRING))
    ),
    Rule.account: Cases(at("actor", ACCOUNT), at("actor", *({"account": bad} for bad in these("x", [], 5, True)))),
    Rule.account_home: Cases(
        at("actor", ACCOUNT, {"account": {"homePage": "urn:x", "name": "y"}}),
        at("actor", {"account": {"name": "x"}}, *({"account": {"homePage": bad, "name": "x"}} for bad in NO_STRING)),
    ),
    Rule.account_name: Cases(
        at("actor", ACCOUNT),
        at(
            "actor",
            {"account": {"homePage": "https://a.example"}},
            *({"account": {"homePage": "https://a.example", "name": bad}} for bad in these("", *NO_STRING)),
        ),
    ),
    Rule.verb_id: Cases(at("verb", {"id": "urn:x"}), [*at("verb/id", GONE, *NO_STRING), *at("verb", {})]),
    Rule.verb_display: Cases(at("verb/display", GONE, *MAPS), at("verb/display", "x", [], 5, True)),
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
        [
            interaction(kind)
            for kind in (
                "true-false",
                "choice",
                "fill-in",
                "long-fill-in",
                "matching",
                "performance",
                "sequencing",
                "likert",
                "numeric",
                "other",
            )
        ],
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
    Rule.definition_name: Cases(at(f"{DEFINITION}/name", *MAPS), at(f"{DEFINITION}/name", "x", [], 5)),
    Rule.component: Cases(
        [interaction("choice", choices=[{"id": "a"}]), interaction("likert", scale=[COMPONENT, {"id": "b"}])],
        [interaction("choice", choices=[bad]) for bad in these({}, "a", [], 5, *({"id": bad} for bad in NO_STRING))],
    ),
    Rule.definition_description: Cases(
        at(f"{DEFINITION}/description", *MAPS), at(f"{DEFINITION}/description", "x", [], 5)
    ),
    Rule.definition_type: Cases(at(f"{DEFINITION}/type", "urn:x", GONE), at(f"{DEFINITION}/type", *NO_STRING)),
    Rule.more_info: Cases(at(f"{DEFINITION}/moreInfo", "https://a.example"), at(f"{DEFINITION}/moreInfo", *NO_STRING)),
    Rule.component_unique: Cases(
        [
            interaction("choice", choices=[{"id": "a"}, {"id": "A"}]),
            interaction("matching", source=[{"id": "a"}], target=[{"id": "a"}]),
        ],
        [interaction("choice", choices=[{"id": "a"}, {"id": "b"}, {"id": "a"}])],
    ),
    Rule.component_description: Cases(
        [interaction("choice", choices=[{"id": "a", "description": good}]) for good in MAPS],
        [interaction("choice", choices=[{"id": "a", "description": bad}]) for bad in these("x", [], 5)],
    ),
    Rule.interaction_missing: Cases(
        at(DEFINITION, CHOICE, OPEN),
        at(
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
    Rule.sub_nested: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "object": SUB_STATEMENT, "context": {}})]),
    Rule.sub_id: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "id": ID})]),
    Rule.sub_stored: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "stored": "2026-11-22T09:30:00Z"})]),
    Rule.sub_version: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "version": "1.0.3"})]),
    Rule.sub_authority: Cases([about(SUB_STATEMENT)], [about({**SUB_STATEMENT, "authority": AGENT})]),
    Rule.reference_id: Cases(
        [about(REFERENCE), *at("context/statement/id", ID.upper())],
        [*at("context/statement/id", *NO_UUIDS, *NO_STRING), about({**REFERENCE, "id": "x"})],
    ),
    Rule.reference_id_missing: Cases(
        [about(REFERENCE)], [about({"objectType": "StatementRef"}), *at("context/statement/id", GONE)]
    ),
    Rule.success: Cases(at("result/success", True, False, GONE), at("result/success", "true", 1, 0, [], {})),
    Rule.completion: Cases(at("result/completion", True, False, GONE), at("result/completion", "true", 1, 0, [], {})),
    Rule.response: Cases(at("result/response", "", "x", GONE), at("result/response", *NO_STRING)),
    Rule.duration_type: Cases([{}, *at("result/duration", GONE)], at("result/duration", *NO_STRING)),
    Rule.score: Cases(
        at("result/score", {}, {"scaled": 1}, {"raw": -3.25}, {"raw": 1e300}, {"raw": 2**70}),
        [
            *at("result/score", 5, [], "x"),
            *at("result/score/scaled", "0.5", True, [], {}),
            *at("result/score/raw", "9", False),
            *at("result/score/min", "0", True),
            *at("result/score/max", "10", [], True),
            *at("result/score", {"raw": 10**400}, {"min": -(10**400)}),
        ],
    ),
    Rule.score_low: Cases(
        at("result/score", {"raw": 0, "min": 0}, {"raw": -5, "max": 0}), at("result/score", {"raw": -1, "min": 0})
    ),
    Rule.score_range: Cases(
        at("result/score", {"min": 0, "max": 0.5}, {"min": -2, "max": -1}),
        at("result/score", {"min": 1, "max": 1}, {"min": 2, "max": 1}),
    ),
    Rule.score_high: Cases(
        at("result/score", {"raw": 10, "max": 10}, {"raw": 50, "min": 0}), at("result/score", {"raw": 10.01, "max": 10})
    ),
    Rule.scaled: Cases(
        at("result/score", *({"scaled": good} for good in (1.0, -1.0, 0, -1, 1, -0.5))),
        at("result/score", *({"scaled": bad} for bad in these(1.01, -1.00001, 2, -2))),
    ),
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
        at("context/contextActivities", {}, GONE), at("context/contextActivities", [], "x", 5)
    ),
    Rule.registration: Cases(
        at("context/registration", ID, ID.upper(), GONE), at("context/registration", *NO_UUIDS, *NO_STRING)
    ),
    Rule.instructor: Cases(at("context/instructor", AGENT, GROUP, ACCOUNT), at("context/instructor", "x", [], 5)),
    Rule.team: Cases(
        at("context/team", GROUP, {"objectType": "Group", **ACCOUNT}),
        at("context/team", AGENT, ACCOUNT, "x", [AGENT], 5),
    ),
    Rule.revision: Cases(at("context/revision", "", "2"), at("context/revision", *NO_STRING)),
    Rule.platform: Cases(at("context/platform", "", "x"), at("context/platform", *NO_STRING)),
    Rule.language: Cases(at("context/language", *TAGS), at("context/language", *NO_TAGS, *NO_STRING)),
    Rule.context_statement: Cases(
        at("context/statement", REFERENCE, GONE),
        at("context/statement", {"id": ID}, USUAL, AGENT, ACTIVITY, "x", [], ID),
    ),
    Rule.context_activities_names: Cases(
        at("context/contextActivities", *({name: [ACTIVITY]} for name in ("parent", "grouping", "category", "other"))),
        at("context/contextActivities", {"children": [ACTIVITY]}, {"parent": [], "extensions": {}}),
    ),
    Rule.context_activity: Cases(
        at("context/contextActivities/parent", ACTIVITY, [ACTIVITY], [ACTIVITY, {"id": "urn:x"}], []),
        at("context/contextActivities/parent", "urn:x", 5, ["urn:x"], [AGENT], REFERENCE, [[ACTIVITY]]),
    ),
    Rule.authority_members: Cases(
        [with_authority()],
        [with_authority(member=[AGENT]), with_authority(member=[AGENT, ACCOUNT, AGENT])],
    ),
    Rule.version: Cases(
        at("version", "1.0", "1.0.0", "1.0.3", "1.0.9", "1.0.15", GONE),
        at("version", "0.9.9", "1.1.0", "x", "1", "1.0.", "1.0.3\n", "2.1.0", "1.0.٣", "", *NO_STRING),
    ),
    Rule.usage_type: Cases(at("attachments/0/usageType", "urn:x"), at("attachments/0/usageType", GONE, *NO_STRING)),
    Rule.attachment_display: Cases(at("attachments/0/display", *MAPS), at("attachments/0/display", GONE, "x", [], 5)),
    Rule.content_type: Cases(
        at("attachments/0/contentType", "text/plain", "image/svg+xml", 'a/b; c="d;e" ;f=g'),
        at("attachments/0/contentType", GONE, "", "text", "text/", "/plain", "text/plain;", "text plain", *NO_STRING),
    ),
    Rule.length: Cases(
        at("attachments/0/length", 0, 1, 2**40), at("attachments/0/length", GONE, "27", 27.5, True, -1, [], {})
    ),
    Rule.sha2: Cases(
        at("attachments/0/sha2", SHA2[:56], SHA2.upper(), SHA2 + SHA2[:32], SHA2 * 2),
        at("attachments/0/sha2", GONE, "", SHA2[1:], SHA2 + "0", "g" + SHA2[1:], *NO_STRING),
    ),
    Rule.file_url: Cases(at("attachments/0/fileUrl", "urn:x", GONE), at("attachments/0/fileUrl", *NO_STRING)),
    Rule.signature: Cases(
        [
            {
                "attachments/0/usageType": "http://adlnet.gov/expapi/attachments/signature",
                "attachments/0/contentType": "application/octet-stream",
            }
        ],
        at("attachments/0/usageType", "http://adlnet.gov/expapi/attachments/signature"),
    ),
    Rule.extensions: Cases(
        at(
            "result/extensions",
            {},
            *({EXTENSION: good} for good in ("", 0, False, None, {}, [], [{"no iri": None}], 1.5, {"a": {"b": "c"}})),
        ),
        [
            *at("result/extensions", [], "x", 5, *({bad: 1} for bad in NO_IRIS)),
            *at("context/extensions", [], {"x": 1}),
            *at("object/definition/extensions", "x", {"x": 1}),
        ],
    ),
    Rule.language_map: Cases(
        [*at("verb/display", *MAPS), *at("attachments/0/description", *MAPS, GONE)],
        [
            *at("verb/display", *({"en": bad} for bad in NO_STRING)),
            *at("object/definition/name", {"en": 5}),
            *at("attachments/0/description", "x", []),
        ],
    ),
    Rule.time: Cases(
        at(
            "timestamp",
            "2026-11-22T09:30:00Z",
            "2026-11-22T09:30:00.1Z",
            "2026-11-22T09:30:00.123456789Z",
            "2999-01-01T00:00:00Z",
            "2026-11-22T09:30:00+01:00",
            "2026-11-22T09:30:00+00:00",
            "2026-11-22T09:30:00-05:30",
            "2024-02-29T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T18:59:60-05:00",
        ),
        [
            *at(
                "timestamp",
                "",
                "x",
                "01/011/2015",
                "2026-11-22",
                "2026-11-22T09:30:00-00:00",
                "2026-11-22T09:30:00-00",
                "2026-11-22T09:30:00-0000",
                "2026-13-01T00:00:00Z",
                "2026-02-30T00:00:00Z",
                "2025-02-29T00:00:00Z",
                "2026-11-22T24:00:00Z",
                "2026-11-22T09:60:00Z",
                "2026-11-22T09:30:61Z",
                "2026-11-22T09:30:60Z",
                "2026-11-22 09:30:00Z",
                "2026-11-22T09:30:00Z\n",
                "2026-11-22T09:30:00+24:00",
                "2026-11-22T09:30:00+01:60",
                "0001-01-01T00:00:00+01:00",
                "9999-12-31T23:59:59-01:00",
                "0000-01-01T00:00:00Z",
                "٢٠٢٦-11-22T09:30:00Z",
                "2026-11-22T09:30:00.Z",
                "9999-12-31T23:59:60Z",
            ),
            *at("stored", "x", "2026-11-31T00:00:00Z"),
        ],
    ),
    Rule.duration: Cases(
        at(
            "result/duration",
            "PT1H0M0.1S",
            "PT4H35M59.14S",
            "PT16559.14S",
            "P3Y1M29DT4H35M59.14S",
            "P3Y",
            "P4W",
            "PT0S",
            "P0D",
            "PT1.5H",
            "P0.5Y",
            "P1.5W",
            "PT0.123456789S",
            "P1YT1S",
            "PT1,5S",
            "PT90M",
        ),
        at(
            "result/duration",
            "",
            "x",
            "P",
            "PT",
            "P1YT",
            "PA1H0M0S",
            "P4W1D",
            "P1Y4W",
            "1H",
            "P1H",
            "PT1D",
            "PT1S1M",
            "P1.5YT1S",
            "PT1.5H30M",
            "P1S",
            "-PT1S",
            "PT1.S",
            "PT.5S",
            "pt1s",
            "P0003-01-29T04:35:59",
            "PT1S\n",
            "PT1H1H",
            "PT٣S",
        ),
    ),
    Rule.context_agents: Cases(
        at(
            "context/contextAgents",
            [],
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
        versions=("2.0.0",),
        also=frozenset({Rule.name_unknown}),
    ),
    Rule.context_groups: Cases(
        at(
            "context/contextGroups",
            [],
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
    Rule.depth: Cases(
        at("context/extensions", {EXTENSION: nested(61)}),
        at("context/extensions", {EXTENSION: nested(62)}, {EXTENSION: nested(500)}),
    ),
    Rule.size: Cases(at("result/response", "x" * 1_000_000), at("result/response", "x" * 1_048_576)),
    Rule.text: Cases(
        at("result/response", "\\u0000", "\x01", "\U0001f600", "\ufeff"),
        [
            *at("result/response", "a\0b", "\0", "\ud800", "a\udfff"),
            *at("context/extensions", {EXTENSION: ["\0"]}, {EXTENSION: {"a\0": 1}}, {EXTENSION: [{"\ud800": 1}]}),
        ],
    ),
    Rule.number: Cases(
        at("context/extensions", {EXTENSION: [1e308, -1e308, 10**300, 0.1]}),
        at(
            "context/extensions",
            *({EXTENSION: [bad]} for bad in these(float("nan"), float("inf"), float("-inf"), 10**5000)),
        ),
    ),
}

ONLY: dict[Version, list[Edit]] = {
    "1.0.3": at(
        "timestamp",
        "2026-11-22T09:30:00",
        "2026-11-22T09:30:00,5Z",
        "2026-11-22T09:30:00+01",
        "2026-11-22T09:30:00+0100",
    ),
    "2.0.0": [
        *at("version", "2.0.0", "2.0", "2.0.15"),
        *at("timestamp", "2026-11-22t09:30:00z"),
        *at("context/contextAgents", []),
        *at("context/contextGroups", []),
    ],
}
"""What one version accepts and the other refuses."""
