"""Our own checks, all of them or those of a section, and how they are run."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from jobgate.conformance.checks import Check
from jobgate.conformance.http import HTTP
from jobgate.conformance.lrs import Broken, Lrs, Silent
from jobgate.conformance.report import Failure, Position
from jobgate.conformance.requirements import find_scope, is_meant
from jobgate.conformance.rules import list_rules
from jobgate.xapi.violations import Version

MAX_SILENT = 5
"""Calls in a row without an answer: then nobody is there."""


class Gone(Exception):
    """The endpoint answers nothing any more; the text says why."""


def list_checks(version: Version, section: str | None = None) -> tuple[Check, ...]:
    """The checks of a version, in an order that never changes; `section` is an id, or a section or several."""
    checks = _list_all(version)
    scope = None if section is None else find_scope(section)
    return checks if scope is None else tuple(each for each in checks if is_meant(each.section, each.ids, scope))


@cache
def _list_all(version: Version) -> tuple[Check, ...]:
    return tuple(check for check in (*list_rules(), *HTTP) if version in check.versions)


def find_key(checks: tuple[Check, ...]) -> str:
    """Equal for equal checks in equal order: then a run may go on where another ended."""
    return sha256("\n".join(f"{check.section} {check.ids} {check.title}" for check in checks).encode()).hexdigest()


async def run_some(lrs: Lrs, checks: tuple[Check, ...], position: Position, count: int) -> None:
    """Run so many of the checks from a position on, which moves. Raises `Gone`."""
    for check in checks[position.place : position.place + count]:
        try:
            await check.run(lrs)
        except Silent as silent:
            position.silent += 1
            if position.silent >= MAX_SILENT:
                raise Gone(str(silent)) from None
            position.add(Failure(section=check.section, ids=check.ids, title=check.title, reason=str(silent)))
        except Broken as broken:
            position.silent = 0
            position.add(Failure(section=check.section, ids=check.ids, title=check.title, reason=str(broken)))
        else:
            position.silent = 0
        position.place += 1
