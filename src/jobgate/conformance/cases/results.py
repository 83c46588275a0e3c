"""Rules of results, and of extensions and language maps wherever they stand (Data 2.4.5, 4.1, 4.2)."""

from __future__ import annotations

from jobgate.conformance.cases.edits import GONE, Cases, at, these
from jobgate.conformance.cases.values import EXTENSION, MAPS, NO_IRIS, NO_STRING, OPEN_MAPS, OPEN_NO_IRIS
from jobgate.xapi.rules import Rule

RESULTS: dict[Rule, Cases] = {
    Rule.success: Cases(at("result/success", True, False, GONE), at("result/success", "true", 1, 0, [], {})),
    Rule.completion: Cases(at("result/completion", True, False, GONE), at("result/completion", "true", 1, 0, [], {})),
    Rule.response: Cases(
        at("result/response", "x", GONE), at("result/response", *NO_STRING), open_accepted=at("result/response", "")
    ),
    Rule.score: Cases(
        at("result/score", {"scaled": 1}, {"raw": -3.25}),
        [
            *at("result/score", 5, [], "x"),
            *at("result/score/scaled", "0.5", True, [], {}),
            *at("result/score/raw", "9", False),
            *at("result/score/min", "0", True),
            *at("result/score/max", "10", [], True),
        ],
        open_accepted=at("result/score", {}, {"raw": 1e300}, {"raw": 2**70}),
        open_refused=at("result/score", {"raw": 10**400}, {"min": -(10**400)}),
    ),
    Rule.score_range: Cases(
        at("result/score", {"min": 0, "max": 0.5}, {"min": -2, "max": -1}),
        at("result/score", {"min": 1, "max": 1}, {"min": 2, "max": 1}),
    ),
    Rule.score_raw: Cases(
        at(
            "result/score",
            *({"raw": 0, "min": 0}, {"raw": -5, "max": 0}, {"raw": 10, "max": 10}, {"raw": 50, "min": 0}),
        ),
        at("result/score", {"raw": -1, "min": 0}, {"raw": 10.01, "max": 10}),
    ),
    Rule.scaled: Cases(
        at("result/score", *({"scaled": good} for good in (1.0, -1.0, 0, -1, 1, -0.5))),
        at("result/score", *({"scaled": bad} for bad in these(1.01, -1.00001, 2, -2))),
    ),
    Rule.extension_name: Cases(
        at("result/extensions", {EXTENSION: 1}),
        [
            *at("result/extensions", *({bad: 1} for bad in NO_IRIS)),
            *at("context/extensions", {"x": 1}),
            *at("object/definition/extensions", {"x": 1}),
        ],
        open_refused=at("result/extensions", *({bad: 1} for bad in OPEN_NO_IRIS)),
    ),
    Rule.extensions: Cases(
        at(
            "result/extensions",
            {},
            *({EXTENSION: good} for good in ("", 0, False, None, {}, [], [{"no iri": None}], 1.5, {"a": {"b": "c"}})),
        ),
        [
            *at("result/extensions", [], "x", 5),
            *at("context/extensions", []),
            *at("object/definition/extensions", "x"),
        ],
    ),
    Rule.language_map: Cases(
        [*at("verb/display", *MAPS), *at("attachments/0/description", *MAPS, GONE)],
        [
            *at("verb/display", *({"en": bad} for bad in NO_STRING)),
            *at("object/definition/name", {"en": 5}),
            *at("attachments/0/description", "x", []),
        ],
        open_accepted=[*at("verb/display", *OPEN_MAPS), *at("attachments/0/description", *OPEN_MAPS)],
    ),
}
