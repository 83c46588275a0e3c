"""Checks: what is asked of an endpoint, and the requirements that hold when it answers as it should."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from jobgate.conformance.cases import BOTH
from jobgate.conformance.lrs import Lrs
from jobgate.conformance.requirements import find_section
from jobgate.xapi.violations import Version

Run = Callable[[Lrs], Awaitable[None]]
"""Raises `Broken` where the endpoint does not answer as it should."""


class Check(NamedTuple):
    """One check."""

    section: str
    ids: tuple[str, ...]
    """What it shows; empty where the book has no id."""
    title: str
    run: Run
    versions: tuple[Version, ...] = BOTH


class Chapter:
    """Checks that belong together, in the order in which they stand. An instance marks the functions that are one."""

    def __init__(self, section: str) -> None:
        self.section = section
        """Of what has no id."""
        self.checks: list[Check] = []

    def __call__(self, *ids: str, only: Version | None = None) -> Callable[[Run], Run]:
        """The function below shows these requirements; its docstring is the title."""

        def mark(run: Run) -> Run:
            self.add(run, *ids, title=(run.__doc__ or "").strip(), only=only)
            return run

        return mark

    def add(self, run: Run, *ids: str, title: str, only: Version | None = None) -> None:
        """Add one that was made."""
        section = find_section(ids[0]) if ids else self.section
        self.checks.append(Check(section, ids, title, run, BOTH if only is None else (only,)))
