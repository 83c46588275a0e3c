"""Rules of whole statements: JSON, names, types (Data 2.2, 2.3, 2.4.1), and the limits of a store."""

from __future__ import annotations

from jobgate.conformance.cases.edits import GONE, Cases, at
from jobgate.conformance.cases.values import (
    EXTENSION,
    IRIS,
    NO_IRIS,
    NO_STRING,
    NO_TAGS,
    NO_UUIDS,
    OPEN_NO_IRIS,
    OPEN_NO_TAGS,
    OPEN_TAGS,
    TAGS,
    about,
    nested,
)
from jobgate.conformance.samples import ACTIVITY, AGENT, ID, REFERENCE, SUB_STATEMENT, USUAL
from jobgate.xapi.rules import Rule

VOIDED = {"id": "http://adlnet.gov/expapi/verbs/voided"}

FORMATTING: dict[Rule, Cases] = {
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
        [{}],
        [
            *at("actor", "Ada", [], 5, True),
            *at("verb", "answered", []),
            *at("object", "x", [ACTIVITY], 1),
            *at("result", [], "x", 0),
            *at("context", [], "x"),
            *at("attachments", ["x"], [[]], [5]),
        ],
        open_accepted=[*at("result", {}), *at("context", {})],
    ),
    Rule.form: Cases(
        at("object/definition/choices/0/id", "c", "0", "ä b"),
        [],
        open_refused=at("object/definition/choices/0/id", ""),
    ),
    Rule.name_case: Cases(
        [{}],
        [
            {"result": GONE, "RESULT": {"success": True}},
            {"context": GONE, "conText": {"language": "en"}},
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
        open_refused=at("verb/id", *OPEN_NO_IRIS),
    ),
    Rule.language_tag: Cases(
        at("verb/display", *({tag: "x"} for tag in TAGS)),
        at("verb/display", *({tag: "x"} for tag in NO_TAGS)),
        at("verb/display", *({tag: "x"} for tag in OPEN_TAGS)),
        at("verb/display", *({tag: "x"} for tag in OPEN_NO_TAGS)),
    ),
    Rule.voiding: Cases(
        [{"verb": VOIDED, **about(REFERENCE)}],
        [
            {"verb": VOIDED, "object": ACTIVITY},
            {"verb": VOIDED, **about(AGENT)},
            {"verb": VOIDED, **about(SUB_STATEMENT)},
        ],
    ),
    Rule.json: Cases([{}], at("", [], "x", 5, True, [USUAL])),
    Rule.id_type: Cases([{}, *at("id", GONE)], at("id", *NO_STRING)),
    Rule.id: Cases(
        at("id", ID.upper()),
        at("id", *NO_UUIDS),
        open_accepted=at("id", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
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
            *({EXTENSION: [bad]} for bad in (float("nan"), float("inf"), float("-inf"), 10**5000)),
        ),
    ),
}
