"""Checks of single values: strings, numbers, identifiers, closed sets."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from jobgate.xapi.rules import Rule
from jobgate.xapi.violations import Check, Field, Path, Report, Test

MAX_NUMBER = sys.float_info.max

# What RFC 3987 keeps out of an IRI, and every kind of blank, besides a scheme that RFC 3986 allows.
_is_iri = re.compile(
    "[A-Za-z][A-Za-z0-9+.-]*:"
    '[^\\x00-\\x20\\x7f-\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000<>"{}|\\\\^`]+'
).fullmatch
_is_plain_iri = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~]+").fullmatch
_is_uuid = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch

Is = Callable[[Any], bool]


def is_number(value: Any) -> bool:
    """A JSON number that 64-bit floating point holds: no bool, no NaN."""
    return (type(value) is float or type(value) is int) and -MAX_NUMBER <= value <= MAX_NUMBER


def is_iri(value: Any) -> bool:
    """An absolute IRI."""
    return type(value) is str and _is_iri(value) is not None


def make_check(is_right: Is, rule: Rule) -> Check:
    """A check that a value is right, under one rule."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not is_right(value):
            report.add_value(path, rule, value)

    return check


def make_field(kind: type, is_right: Test | None, rule: Rule, malformed: Rule | None = None) -> Field:
    """A property of one type, by one rule, and of one form, by the same or another."""

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not kind:
            report.add_value(path, rule, value)
        else:
            report.add(path, malformed or rule)

    return kind, is_right, check


def make_text(rule: Rule, pattern: str = "", malformed: Rule | None = None) -> Field:
    """A string, which matches."""
    return make_field(str, re.compile(pattern, re.ASCII).fullmatch if pattern else None, rule, malformed)


def make_iri(rule: Rule) -> Field:
    """A string, by the rule of its place, and an absolute IRI, by the rule of all IRIs."""

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not str:
            report.add_value(path, rule, value)
        elif _is_iri(value) is None:
            report.add(path, Rule.iri)

    return str, _is_plain_iri, check


def make_uuid(rule: Rule, malformed: Rule | None = None) -> Field:
    """A UUID."""
    return make_field(str, _is_uuid, rule, malformed)


def make_boolean(rule: Rule) -> Field:
    """True or false."""
    return make_field(bool, None, rule)


def make_choice(rule: Rule, *choices: str) -> Field:
    """One of a closed set."""

    def check(value: Any, path: Path, report: Report) -> None:
        add_choice(value, choices, path, report, rule)

    return str, frozenset(choices).__contains__, check


def add_choice(value: Any, choices: tuple[str, ...], path: Path, report: Report, rule: Rule) -> None:
    """A value that is not in a closed set, or not in this case."""
    if type(value) is str and value.lower() in map(str.lower, choices):
        report.add(path, Rule.value_case)
    else:
        report.add_value(path, rule, value)
