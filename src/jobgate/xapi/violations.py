"""What is wrong with a statement, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from jobgate.xapi.rules import Rule

Version = Literal["1.0.3", "2.0.0"]

Path = tuple[Any, str | int] | None
"""A place: the place around it, and the name or position there; None is the statement. Written out only when wrong."""

MAX_NAME_SHOWN = 100


class Violation(NamedTuple):
    """One rule that is broken at one place. Neither part repeats a value of the statement: those may be personal."""

    path: str
    """As in `$.context.contextActivities.parent[0].id`."""
    rule: str
    message: str


class Report:
    """Collects violations while a statement is looked through, under the rules of one version."""

    __slots__ = ("has_depths", "is_2", "violations")

    def __init__(self, version: Version) -> None:
        self.is_2 = version == "2.0.0"
        self.has_depths = False
        """Whether an extension holds arrays or objects: nothing else that is valid can be too deep."""
        self.violations: list[Violation] = []

    def add(self, path: Path, rule: Rule) -> None:
        """`rule` is broken at `path`."""
        self.violations.append(Violation(show(path), rule.value, rule.requirement))

    def add_value(self, path: Path, rule: Rule, value: Any) -> None:
        """`value` breaks `rule`, or, if it is null, the rule that forbids nulls."""
        self.add(path, Rule.null if value is None else rule)


Check = Callable[[Any, Path, Report], None]
"""Looks through one value. Never raises, whatever the value is."""

Test = Callable[[Any], object]

Field = tuple[type | None, Test | None, Check]
"""How a property is checked: a value of exactly this type that passes the test, if there is one, is right; the check is
asked about all others. Nearly every value is right, and a type and a compiled pattern cost no call of a function."""

Fields = Mapping[str, Field]
"""The properties that an object may have."""


def check_fields(value: dict[str, Any], fields: Fields, path: Path, report: Report) -> None:
    """Every property of an object, by its own check; there are no others."""
    for name, inner in value.items():
        try:  # a name that is there costs nothing here, and less than a call of `get`
            kind, is_right, check = fields[name]
        except KeyError:
            add_unknown(name, fields, (path, name), report)
            continue
        if type(inner) is not kind or (is_right is not None and not is_right(inner)):
            check(inner, (path, name), report)


def add_unknown(
    name: Any, known: Mapping[str, Any], path: Path, report: Report, rule: Rule = Rule.name_unknown
) -> None:
    """A property that the standard does not name, or not in this case."""
    folded = name.lower() if type(name) is str else None
    report.add(path, Rule.name_case if any(folded == other.lower() for other in known) else rule)


def inside(check: Check) -> Field:
    """A property whose values have to be looked into."""
    return None, None, check


def _accept(_value: Any, _path: Path, _report: Report) -> None:
    pass


SEEN: Field = (str, None, _accept)
"""A property that has been looked at already."""


def show(path: Path) -> str:
    """A place as text: `$.actor.member[2].mbox`."""
    parts: list[str] = []
    while path is not None:
        path, name = path
        if type(name) is int:
            parts.append(f"[{name}]")
            continue
        text = str(name)
        if len(text) > MAX_NAME_SHOWN:
            text = text[:MAX_NAME_SHOWN] + "…"
        parts.append(f".{text}" if text.isidentifier() else f"[{text!r}]")
    return "$" + "".join(reversed(parts))
