"""What the log of a store says of runs of saved jobs on it: when one begins, and how it ends.

`carrying` calls this for every run, and the sweeper for those that are lost; what is no job on xAPI data is passed
over.
"""

from __future__ import annotations

import uuid
from typing import Any

from jobgate.context import JobFacts, LogEntry
from jobgate.db import Transaction
from jobgate.stores.logs import DEBUG, ERROR, INFO, NOTICE, WARNING, LogType, say

TYPES = frozenset(
    {
        "agent-deletion",
        "clearing",
        "cmi5-tokens-deletion",
        "logs-deletion",
        "pseudo",
        "pull",
        "push",
        "seeding",
        "stores-deletion",
        "testsuite",
        "validation",
    }
)
"""Types of jobs on xAPI data. Runs of other types are told of if they are bound to a store."""


async def tell_start(db: Transaction, facts: JobFacts) -> None:
    """A run begins, in the transaction of the first that it does."""
    await tell_run(db, facts.organisation_id, facts.definition_id, facts.type, facts.reference, "began", DEBUG)


async def tell_completion(db: Transaction, facts: JobFacts, last: LogEntry | None) -> None:
    """A run is done, in the transaction of the last that it does; what it said last comes along."""
    level, feedback = INFO, dict[str, Any]()
    if last is not None:
        level = NOTICE if last.severity else INFO
        feedback = {"feedback": last.message, "counters": last.counters}
    run = (facts.organisation_id, facts.definition_id, facts.type, facts.reference)
    await tell_run(db, *run, "completed", level, **feedback)


async def tell_failure(db: Transaction, facts: JobFacts, *, message: str, is_halted: bool, is_exception: bool) -> None:
    """An attempt failed, and the run ends with it or is tried again. `message` is what its consumer hears."""
    became, level = ("failed", ERROR) if is_halted else ("failed, and is tried again", WARNING)
    run = (facts.organisation_id, facts.definition_id, facts.type, facts.reference)
    await tell_run(db, *run, became, level, "exception" if is_exception else "console", feedback=message)


async def tell_cancellation(db: Transaction, facts: JobFacts) -> None:
    """Somebody cancelled a run."""
    run = (facts.organisation_id, facts.definition_id, facts.type, facts.reference)
    await tell_run(db, *run, "was cancelled", NOTICE)


async def tell_run(
    db: Transaction,
    organisation_id: int,
    definition_id: uuid.UUID | None,
    type: str,
    reference: uuid.UUID,
    became: str,
    level: int,
    kind: LogType = "console",
    **more: Any,
) -> None:
    """What became of a run of a saved job, in the log of the store that it is on."""
    if definition_id is None:
        return
    store_id = await db.fetchval("find_store_of_definition", organisation_id, definition_id)
    if store_id is None and type not in TYPES:
        return
    told = {"job": reference} | {name: value for name, value in more.items() if value is not None}
    text = f"A run of {type} {became}"
    await say(db, organisation_id, store_id, text, type=kind, level=level, service=type, api=f"jobs/{type}", data=told)
