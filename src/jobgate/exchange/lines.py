"""Lines of a file, and what they have for a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jobgate.exchange.arriving import Thing, read_thing
from jobgate.remotes.files import Line
from jobgate.remotes.records import RECORDS, Service, StatementRecord, Unreadable, read_record, read_statement
from jobgate.turns import Turns


@dataclass(slots=True)
class Lines:
    """What a batch of lines has."""

    service: Service
    cutoff: datetime
    statements: list[bytes] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Where the lines of the statements end."""
    things: list[Thing] = field(default_factory=list)
    wrong: list[tuple[int, str]] = field(default_factory=list)
    """Lines that are no records, by where they end, and why."""
    later: int | None = None
    """Where the first line begins that is too young."""
    is_half: bool = False
    """The last line is not complete: somebody is still writing it, or was cut off."""

    @property
    def count(self) -> int:
        """How many lines within the window there are."""
        return len(self.statements) + len(self.things) + len(self.wrong)

    def add(self, line: Line, begin: int) -> None:
        """Read a line that begins there."""
        try:
            if line.text is None:
                raise Unreadable("the line is too long")
            if self.service == "statements":
                self._add_statement(line.text, begin, line.end)
            else:
                self._add_record(line.text, begin)
        except Unreadable as error:
            if line.is_whole:
                self.wrong.append((line.end, str(error)))
            else:
                self.is_half = True

    def _add_statement(self, text: bytes, begin: int, end: int) -> None:
        record = read_statement(text)
        if self._is_within(record.stored_at, begin):
            self.statements.append(bytes(record.statement))
            self.ends.append(end)

    def _add_record(self, text: bytes, begin: int) -> None:
        record = read_record(text, RECORDS[self.service])
        assert not isinstance(record, StatementRecord)
        if self._is_within(record.stored_at, begin):
            self.things.append(read_thing(record))

    def _is_within(self, stored: datetime | None, begin: int) -> bool:
        """What does not say when it was stored is taken."""
        if stored is None or stored <= self.cutoff:
            return True
        if self.later is None:
            self.later = begin
        return False


async def read_lines(lines: Sequence[Line], start: int, service: Service, cutoff: datetime) -> Lines:
    """Read lines, of which the first begins at `start`."""
    turns, found = Turns(), Lines(service, cutoff)
    for line in lines:
        found.add(line, start)
        start = line.end
        await turns.pass_on()
    return found


def drop_unreachable(statement: Any) -> None:
    """Take away attachments whose content is nowhere: files bring none."""
    if type(statement) is not dict:
        return
    about = statement.get("object")
    inner = about if type(about) is dict and about.get("objectType") == "SubStatement" else {}
    for holder in (statement, inner):
        attachments = holder.get("attachments")
        if type(attachments) is list:
            left = [each for each in attachments if type(each) is not dict or "fileUrl" in each]
            if left:
                holder["attachments"] = left
            else:
                del holder["attachments"]
