"""What the LRS keeps: statements in the order of their stored, contents of attachments, documents."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jobgate.xapi.verbs import VOIDED


@dataclass(slots=True)
class Kept:
    """A statement."""

    statement: dict[str, Any]
    stored: datetime


@dataclass(slots=True)
class Document:
    """A document."""

    content: bytes
    content_type: str
    stored: datetime


@dataclass(slots=True)
class Keeping:
    """Everything."""

    statements: dict[str, Kept] = field(default_factory=dict)
    """By id in lower case, in the order of their stored."""
    contents: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Type and data, by sha2."""
    documents: dict[tuple[str, ...], Document] = field(default_factory=dict)
    voided: set[str] = field(default_factory=set)
    """The ids that voiding statements name, whether they are kept or not."""
    _last: datetime = datetime(2020, 1, 1, tzinfo=UTC)

    def next_stored(self) -> datetime:
        """Now, and later than anything before."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last

    def add(self, kept: Kept) -> None:
        """Keep one more statement."""
        self.statements[kept.statement["id"].lower()] = kept
        target = find_voided(kept.statement)
        if target is not None:
            self.voided.add(target)

    def is_voided(self, id: str) -> bool:
        """A statement is, when one that is kept voids it, and it voids none itself."""
        kept = self.statements.get(id)
        return id in self.voided and (kept is None or find_voided(kept.statement) is None)


def find_voided(statement: dict[str, Any]) -> str | None:
    """The id of the statement that this one voids."""
    if statement["verb"]["id"] != VOIDED:
        return None
    id: str = statement["object"]["id"].lower()
    return id


def show(moment: datetime) -> str:
    """A time as the LRS writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
