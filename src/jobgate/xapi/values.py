"""Checks of single values: strings, numbers, identifiers, closed sets."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

from jobgate.xapi.rules import Rule
from jobgate.xapi.violations import Check, Path, Report

MAX_NUMBER = sys.float_info.max

# What RFC 3987 keeps out of an IRI, and every kind of blank, besides a scheme that RFC 3986 allows.
_is_iri = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20\x7f-\xa0\s<>\"{}|\\^`]+").fullmatch
_is_uuid = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch

Is = Callable[[Any], bool]


def is_text(value: Any) -> bool:
    """A string."""
    return type(value) is str


def is_boolean(value: Any) -> bool:
    """True or false."""
    return type(value) is bool


def is_number(value: Any) -> bool:
    """A JSON number that 64-bit floating point holds: no bool, no NaN."""
    return (type(value) is float or type(value) is int) and -MAX_NUMBER <= value <= MAX_NUMBER


def is_iri(value: Any) -> bool:
    """An absolute IRI."""
    return type(value) is str and _is_iri(value) is not None


def is_uuid(value: Any) -> bool:
    """A UUID of any version and variant, in letters of either case."""
    return type(value) is str and _is_uuid(value) is not None


def make_check(is_right: Is, rule: Rule) -> Check:
    """A check that a value is right, under one rule."""

    def check(value: Any, path: Path, report: Report) -> None:
        if not is_right(value):
            report.add_value(path, rule, value)

    return check


def make_text(rule: Rule, pattern: str, malformed: Rule) -> Check:
    """A check that a value is a string, and that it matches."""
    matches = re.compile(pattern, re.ASCII).fullmatch

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not str:
            report.add_value(path, rule, value)
        elif matches(value) is None:
            report.add(path, malformed)

    return check


def make_iri(rule: Rule) -> Check:
    """A check that a value is a string, by the rule of its place, and an absolute IRI, by the rule of all IRIs."""

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not str:
            report.add_value(path, rule, value)
        elif _is_iri(value) is None:
            report.add(path, Rule.iri)

    return check


def make_choice(rule: Rule, *choices: str) -> Check:
    """A check that a value is in a closed set."""
    known = frozenset(choices)

    def check(value: Any, path: Path, report: Report) -> None:
        if type(value) is not str or value not in known:
            add_choice(value, choices, path, report, rule)

    return check


def add_choice(value: Any, choices: tuple[str, ...], path: Path, report: Report, rule: Rule) -> None:
    """A value that is not in a closed set, or not in this case."""
    if type(value) is str and value.lower() in map(str.lower, choices):
        report.add(path, Rule.value_case)
    else:
        report.add_value(path, rule, value)
