"""Language tags of RFC 5646, and the maps that have them as names."""

from __future__ import annotations

import re
from typing import Any

from jobgate.xapi.rules import Rule
from jobgate.xapi.violations import Field, Path, Report, inside

# Nearly every tag is one of these.
_is_plain = re.compile("[A-Za-z]{2,3}(?:-[A-Za-z]{2})?").fullmatch

_match = re.compile(
    r"""
    (?: [a-z]{2,3} (?:-[a-z]{3}(?![a-z0-9])){0,3} | [a-z]{4,8} )    # language, extended languages
    (?:-[a-z]{4}(?![a-z0-9]))?                                      # script
    (?:-(?:[a-z]{2}|[0-9]{3})(?![a-z0-9]))?                         # region
    (?P<variants> (?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3})(?![a-z0-9]))* )
    (?P<extensions> (?:-[0-9a-wy-z](?:-[a-z0-9]{2,8}(?![a-z0-9]))+)* )
    (?:-x(?:-[a-z0-9]{1,8})+)?
    | x(?:-[a-z0-9]{1,8})+
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
).fullmatch

# A map nearly always has one of these: they need no pattern.
COMMON = frozenset(
    (
        "en",
        "en-US",
        "en-GB",
        "und",
        "de",
        "de-DE",
        "es",
        "es-ES",
        "fr",
        "fr-FR",
        "it",
        "ja",
        "nl",
        "pl",
        "pt",
        "pt-BR",
        "zh",
    )
)

# The grandfathered tags that the grammar does not make.
IRREGULAR = frozenset((
    "en-gb-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux", "i-mingo", "i-navajo",
    "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-be-fr", "sgn-be-nl", "sgn-ch-de",
))  # fmt: skip


def is_language_tag(value: Any) -> bool:
    """A well-formed tag: the grammar, and no variant or singleton twice. No registry is asked."""
    if type(value) is not str:
        return False
    if _is_plain(value) is not None:
        return True
    found = _match(value)
    if found is None:
        return value.lower() in IRREGULAR
    variants, extensions = found["variants"], found["extensions"]
    if not variants and not extensions:
        return True
    named = variants.lower().split("-")
    singletons = [part for part in extensions.lower().split("-") if len(part) == 1]
    return len(set(named)) == len(named) and len(set(singletons)) == len(singletons)


def make_language_map(rule: Rule) -> Field:
    """A language map."""

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not dict:
            report.add_value(path, rule, value)
            return
        for tag, text in value.items():
            if tag in COMMON and type(text) is str:
                continue
            if not is_language_tag(tag):
                report.add((path, tag), Rule.language_tag)
            if type(text) is not str:
                report.add_value((path, tag), Rule.language_map, text)

    return inside(check)
