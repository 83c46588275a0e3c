"""Validating what a store recorded unjudged: read a batch, judge it with nobody waiting, then write down the verdicts.

A statement that was replaced, rewritten or judged meanwhile is left as it is: the verdict is of another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.stores.incoming import version_of
from jobgate.stores.marks import Mark
from jobgate.turns import Turns
from jobgate.xapi.statements import validate
from jobgate.xapi.violations import Violation

MAX_JUDGED = 1000
MAX_BYTES = 16 * 1024 * 1024
"""How many statements are in memory at once, and, beyond the first, how long they are together."""


MAX_VIOLATIONS = 20
"""How many are kept of what is wrong with one statement."""

COUNTED = 100_000
"""How far a count goes; what is beyond is counted when it is reached."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was read of a statement, and what is wrong with it."""

    row: Record
    violations: Sequence[Violation]

    @property
    def is_valid(self) -> bool:
        """Whether it keeps every rule."""
        return not self.violations


async def find_unjudged(
    db: Transaction, organisation_id: int, store_id: int, latest: datetime, behind: Mark
) -> list[Record]:
    """The next statements that nobody has judged, of those that were stored up to a time."""
    await db.execute("walk_in_order")
    return await db.fetch("find_unjudged", organisation_id, store_id, latest, *behind, MAX_JUDGED, MAX_BYTES)


async def count_unjudged(db: Transaction, organisation_id: int, store_id: int, latest: datetime, behind: Mark) -> int:
    """How many there are, up to `COUNTED`."""
    count: int = await db.fetchval("count_unjudged", organisation_id, store_id, latest, *behind, COUNTED)
    return count


async def judge(rows: Sequence[Record]) -> list[Verdict]:
    """The verdicts on statements that were read, each by the rules of the version that it names."""
    turns, verdicts = Turns(), []
    for row in rows:
        statement = wire.decode(row["raw"], dict[str, Any])
        violations = validate(statement, version_of(statement.get("version")))
        verdicts.append(Verdict(row, violations[:MAX_VIOLATIONS]))
        await turns.pass_on()
    return verdicts


async def write_verdicts(db: Transaction, organisation_id: int, store_id: int, verdicts: Sequence[Verdict]) -> set[int]:
    """Write verdicts into a store that is held; the numbers of the statements that they were still of."""
    rows = [(each.row["id"], each.row["number"], each.row["pseudonymized"], each.is_valid) for each in verdicts]
    written = await db.fetch("write_verdicts", organisation_id, store_id, *map(list, zip(*rows, strict=True)))
    return {row["number"] for row in written}
