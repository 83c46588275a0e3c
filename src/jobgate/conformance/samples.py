"""Statements to change: one with everything that 1.0.3 knows, and the usual one."""

from __future__ import annotations

from typing import Any

ID = "3f2b7c1e-6a5d-4e8f-9b0a-1c2d3e4f5a6b"
OTHER_ID = "7d3f9a10-0b1c-4d2e-8f3a-4b5c6d7e8f90"
SHA1 = "d7f1c2a3b4e5f60718293a4b5c6d7e8f90a1b2c3"
SHA2 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

AGENT = {"objectType": "Agent", "name": "Ada", "mbox": "mailto:ada@school.example"}
ACCOUNT = {"account": {"homePage": "https://school.example", "name": "ben-7"}}
GROUP = {"objectType": "Group", "name": "Team 3", "member": [AGENT, ACCOUNT]}
ACTIVITY = {"objectType": "Activity", "id": "https://school.example/courses/physics"}
REFERENCE = {"objectType": "StatementRef", "id": OTHER_ID}
ATTACHMENT = {
    "usageType": "https://school.example/attachments/essay",
    "display": {"en-GB": "Essay"},
    "description": {"en-GB": "What Ada wrote"},
    "contentType": "text/plain; charset=utf-8",
    "length": 27,
    "sha2": SHA2,
    "fileUrl": "https://school.example/files/essay.txt",
}

USUAL: dict[str, Any] = {
    "id": ID,
    "actor": {"objectType": "Agent", "account": {"homePage": "https://school.example", "name": "ada-1815"}},
    "verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en-US": "answered"}},
    "object": {
        "objectType": "Activity",
        "id": "https://school.example/questions/17",
        "definition": {
            "name": {"en-US": "Question 17"},
            "description": {"en-US": "How long does light take from the sun?"},
            "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
            "interactionType": "choice",
            "correctResponsesPattern": ["b"],
            "choices": [
                {"id": "a", "description": {"en-US": "8 seconds"}},
                {"id": "b", "description": {"en-US": "8 minutes"}},
            ],
        },
    },
    "result": {
        "score": {"scaled": 0.9, "raw": 9, "min": 0, "max": 10},
        "success": True,
        "completion": True,
        "response": "b",
        "duration": "PT4M35.5S",
    },
    "context": {
        "registration": OTHER_ID,
        "contextActivities": {
            "parent": [{"id": "https://school.example/tests/3"}],
            "grouping": [{"id": "https://school.example/courses/physics"}],
        },
        "platform": "jobgate",
        "language": "en-US",
        "extensions": {"https://school.example/attempt": 2},
    },
    "timestamp": "2026-11-22T09:30:00.125Z",
}
"""What an assessment sends, over and over."""

FULL: dict[str, Any] = {
    **USUAL,
    "actor": AGENT,
    "context": {
        **USUAL["context"],
        "instructor": AGENT,
        "team": GROUP,
        "revision": "3",
        "statement": REFERENCE,
    },
    "stored": "2026-11-22T09:30:01Z",
    "authority": ACCOUNT,
    "version": "1.0.3",
    "attachments": [ATTACHMENT],
}

SUB_STATEMENT: dict[str, Any] = {
    "objectType": "SubStatement",
    "actor": GROUP,
    "verb": USUAL["verb"],
    "object": ACTIVITY,
    "result": USUAL["result"],
    "context": FULL["context"],
    "timestamp": "2026-11-23T09:30:00+01:00",
    "attachments": [ATTACHMENT],
}
