"""Rules of times, versions and attachments (Data 2.4.7, 2.4.8, 2.4.10, 2.4.11, 4.5, 4.6)."""

from __future__ import annotations

from jobgate.conformance.cases.edits import GONE, Apart, Cases, at
from jobgate.conformance.cases.values import MAPS, NO_STRING, OPEN_MAPS, participant
from jobgate.conformance.samples import AGENT, ATTACHMENT, GROUP, SHA2
from jobgate.xapi.rules import Rule
from jobgate.xapi.violations import Version

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"

RECORDS: dict[Rule, Cases] = {
    Rule.timestamp: Cases([{}, *at("timestamp", GONE)], at("timestamp", *NO_STRING)),
    Rule.stored: Cases([{}, *at("stored", GONE)], at("stored", *NO_STRING)),
    Rule.attachments: Cases(
        at("attachments", [ATTACHMENT, ATTACHMENT], GONE),
        at("attachments", ATTACHMENT, "x", 5),
        open_accepted=at("attachments", []),
    ),
    Rule.version: Cases(
        at("version", "1.0", "1.0.0", "1.0.3", "1.0.9", "1.0.15", GONE),
        at("version", "0.9.9", "1.1.0", "x", "1", "2.1.0", "", *NO_STRING),
        open_refused=at("version", "1.0.", "1.0.3\n", "1.0.٣"),
    ),
    Rule.length: Cases(
        at("attachments/0/length", 0, 1, 2**40), at("attachments/0/length", GONE, "27", 27.5, True, -1, [], {})
    ),
    Rule.sha2: Cases(
        at("attachments/0/sha2", SHA2),
        at("attachments/0/sha2", GONE, *NO_STRING),
        open_accepted=at("attachments/0/sha2", SHA2[:56], SHA2.upper(), SHA2 + SHA2[:32], SHA2 * 2),
        open_refused=at("attachments/0/sha2", "", SHA2[1:], SHA2 + "0", "g" + SHA2[1:]),
    ),
    Rule.file_url: Cases(
        at("attachments/0/fileUrl", "https://school.example/x"),
        at("attachments/0/fileUrl", *NO_STRING),
        # Without it the data has to come along, as it does in a conversation over HTTP only.
        open_accepted=at("attachments/0/fileUrl", "urn:x", GONE),
    ),
    Rule.content_type: Cases(
        at("attachments/0/contentType", "text/plain", "image/svg+xml"),
        at("attachments/0/contentType", GONE, *NO_STRING),
        open_accepted=at("attachments/0/contentType", 'a/b; c="d;e" ;f=g'),
        open_refused=at("attachments/0/contentType", "", "text", "text/", "/plain", "text/plain;", "text plain"),
    ),
    Rule.attachment_display: Cases(
        at("attachments/0/display", *MAPS),
        at("attachments/0/display", GONE, "x", [], 5),
        open_accepted=at("attachments/0/display", *OPEN_MAPS),
    ),
    Rule.usage_type: Cases(at("attachments/0/usageType", "urn:x"), at("attachments/0/usageType", GONE, *NO_STRING)),
    Rule.signature: Cases(
        [{}],
        at("attachments/0/usageType", SIGNATURE),
        # Whether it is one, only its data can show.
        open_accepted=[{"attachments/0/usageType": SIGNATURE, "attachments/0/contentType": "application/octet-stream"}],
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
        ),
        [
            *at(
                "timestamp",
                "",
                "x",
                "01/011/2015",
                "2026-11-22T09:30:00-00:00",
                "2026-11-22T09:30:00-00",
                "2026-11-22T09:30:00-0000",
                "2026-13-01T00:00:00Z",
                "2026-02-30T00:00:00Z",
                "2025-02-29T00:00:00Z",
                "2026-11-22T09:60:00Z",
                "2026-11-22T09:30:61Z",
            ),
            *at("stored", "x", "2026-11-31T00:00:00Z"),
        ],
        open_accepted=at("timestamp", "2016-12-31T23:59:60Z", "2016-12-31T18:59:60-05:00"),
        open_refused=at(
            "timestamp",
            "2026-11-22",
            "2026-11-22T24:00:00Z",
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
    ),
    Rule.duration_type: Cases([{}, *at("result/duration", GONE)], at("result/duration", *NO_STRING)),
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
            "PT0.123456789S",
            "P1YT1S",
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
            "P1S",
            "PT1H1H",
            "P0003-01-29T04:35:59",
        ),
        open_accepted=at("result/duration", "PT1.5H", "P0.5Y", "P1.5W", "PT1,5S"),
        open_refused=at(
            "result/duration",
            *("P1.5YT1S", "PT1.5H30M", "-PT1S", "PT1.S", "PT.5S", "pt1s", "PT1S\n", "PT٣S"),
        ),
    ),
}

APART: dict[Version, list[Apart]] = {
    "1.0.3": [
        Apart(Rule.time, {"timestamp": "2026-11-22T09:30:00"}, is_open=True),
        Apart(Rule.time, {"timestamp": "2026-11-22T09:30:00,5Z"}, is_open=True),
        Apart(Rule.time, {"timestamp": "2026-11-22T09:30:00+01"}, is_open=True),
        Apart(Rule.time, {"timestamp": "2026-11-22T09:30:00+0100"}, is_open=True),
    ],
    "2.0.0": [
        Apart(Rule.version, {"version": "2.0.0"}),
        Apart(Rule.version, {"version": "2.0"}, is_open=True),
        Apart(Rule.version, {"version": "2.0.15"}, is_open=True),
        Apart(Rule.time, {"timestamp": "2026-11-22t09:30:00z"}, is_open=True),
        Apart(Rule.name_unknown, {"context/contextAgents": [participant("contextAgent", "agent", AGENT)]}),
        Apart(Rule.name_unknown, {"context/contextGroups": [participant("contextGroup", "group", GROUP)]}),
    ],
}
"""What one version accepts, and the other refuses."""
