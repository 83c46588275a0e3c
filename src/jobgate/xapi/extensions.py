"""Extensions: any JSON under names that are IRIs."""

from __future__ import annotations

from typing import Any

from jobgate.xapi.rules import Rule
from jobgate.xapi.values import is_iri
from jobgate.xapi.violations import Path, Report


def check_extensions(value: Any, path: Path, report: Report) -> None:
    """The names only: what the values may not hold is looked for in the whole statement at once."""
    if type(value) is not dict:
        report.add_value(path, Rule.extensions, value)
        return
    for name, inner in value.items():
        if type(inner) is dict or type(inner) is list:
            report.has_depths = True
        if not is_iri(name):
            report.add((path, name), Rule.extension_name)
