"""Values that many rules accept or refuse."""

from __future__ import annotations

from typing import Any

from jobgate.conformance.cases.edits import GONE, Edit
from jobgate.conformance.samples import ACCOUNT, GROUP, ID

NO_STRING: tuple[Any, ...] = (5, True, {}, [], 1.5)

IRIS = (
    "https://a.example/x?y=1#z",
    "urn:uuid:" + ID,
    "tag:a.example,2026:x",
    "a:b",
    "https://bücher.example/ä",
    "A1+.-:x",
)
NO_IRIS = ("", "x", "should error", "ab=c://should.fail.com", ":x", "1a:x", "ä:x")
OPEN_NO_IRIS = ("http:", "https://a.example/a b", "a:\n")
"""They have a scheme, and many look no further."""

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

MAPS: tuple[Any, ...] = ({"en": "x"}, {"de-DE": "x", "zh-Hant": "y"}, {"und": "x"})
OPEN_MAPS: tuple[Any, ...] = ({}, {"en": ""})

TAGS = (
    "de", "de-DE", "zh-Hant", "zh-Hans-CN", "sr-Cyrl", "sr-Latn-RS", "cmn", "ase", "es-MX", "fr-CA", "ja", "tlh", "es",
    "EN-us", "es-419",
)  # fmt: skip
OPEN_TAGS = (
    "zh-yue", "zh-cmn-Hans-CN", "sl-rozaj-biske", "de-CH-1901", "en-a-bbb-x-a", "x-school", "i-klingon", "en-GB-oed",
    "de-x-a", "en-u-ca-gregory-t-de", "abcdefgh", "hy-Latn-IT-arevela",
)  # fmt: skip
NO_TAGS = (
    "", "something", "s-something", "a12345678", "a12345", "zh-z-aaa-z-bbb-c-ccc", "en_US", "en-", "-en", "e", "en--US",
    "en US",
)  # fmt: skip
OPEN_NO_TAGS = (
    "en-a", "en-x", "de-1901-1901", "de-DE-DE-1234567890", "en-US\n", "ën", "i-unknown", "abcde-fgh",
)  # fmt: skip

PAIR = {"account": ACCOUNT["account"], "mbox": "mailto:a@b.example"}
EXTENSION = "https://school.example/x"


def with_authority(**changes: Any) -> Edit:
    """An anonymous Group of two, changed."""
    return {"authority": {**GROUP, **changes}}


def about(target: Any, context: Any = GONE) -> Edit:
    """Another object; most do not go with a revision or a platform."""
    return {"object": target, "context": context}


def participant(kind: str, name: str, who: Any, **others: Any) -> Any:
    """One of contextAgents or contextGroups."""
    return {"objectType": kind, name: who, **others}


def nested(depth: int) -> Any:
    """Arrays in arrays."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    return value
