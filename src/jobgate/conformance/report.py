"""What is told of a run: which requirements were run, passed, failed, and which were not run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from jobgate.conformance.requirements import ADDED, REQUIREMENTS
from jobgate.xapi.violations import Version

MAX_FAILURES = 100
"""How many are told; all are counted."""

MAX_TEXT = 300

SuiteName = Literal["own checks", "published suite"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A check that failed."""

    section: str
    ids: tuple[str, ...]
    """The requirements that it shows."""
    title: str
    reason: str

    @property
    def line(self) -> str:
        """The failure in a line."""
        return ": ".join([" ".join(filter(None, (self.section, *self.ids))), self.title, self.reason])


class Position(msgspec.Struct, kw_only=True):
    """How far a run is, and what failed so far."""

    place: int = 0
    """Of the next check."""
    failed: int = 0
    failed_ids: list[str] = []
    failures: list[Failure] = []
    silent: int = 0
    """Calls in a row without an answer."""

    def add(self, failure: Failure) -> None:
        """One more failed."""
        self.failed += 1
        self.failed_ids += [id for id in failure.ids if id not in self.failed_ids]
        if len(self.failures) < MAX_FAILURES:
            shorter = {name: getattr(failure, name)[:MAX_TEXT] for name in ("title", "reason")}
            self.failures.append(msgspec.structs.replace(failure, **shorter))


class Requirements(msgspec.Struct, frozen=True, kw_only=True):
    """Every id that there is, in one of these."""

    passed: list[str]
    failed: list[str]
    not_run: list[str]


class ConformanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run."""

    status: Literal["ok", "failed"]
    suite: SuiteName
    """Which of the two it was."""
    version: Version
    section: str | None
    total: int
    passed: int
    failed: int
    requirements: Requirements
    failures: list[Failure]
    """At most 100 of them."""

    @property
    def summary(self) -> str:
        """The report in a sentence."""
        scope = "" if self.section is None else f", {self.section}"
        head = f"{self.suite.capitalize()}, xAPI {self.version}{scope}: {self.passed} passed, {self.failed} failed"
        return ": ".join([head, " ".join(self.requirements.failed)]) if self.requirements.failed else head


def make_report(
    suite: SuiteName, version: Version, section: str | None, *, run: Iterable[str], total: int, position: Position
) -> ConformanceReport:
    """The report of a run of so many checks, which show the requirements `run`."""
    shown, failed = set(run), set(position.failed_ids)
    known = (*REQUIREMENTS, *(ADDED if version == "2.0.0" else ()))
    return ConformanceReport(
        status="failed" if position.failed else "ok",
        suite=suite,
        version=version,
        section=section,
        total=total,
        passed=total - position.failed,
        failed=position.failed,
        requirements=Requirements(
            passed=_select(known, shown - failed),
            failed=_select(known, failed),
            not_run=_select(known, set(known) - shown),
        ),
        failures=position.failures,
    )


def _select(known: Sequence[str], wanted: set[str]) -> list[str]:
    return [id for id in known if id in wanted]
