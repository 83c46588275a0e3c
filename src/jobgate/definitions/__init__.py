"""Definitions: jobs that are saved under a name, and run when they are executed or due.

    save ──> definition ──execute──┐
                 │                 ├──> execution (a job) ──> state, logs
                 └──due, tick──────┘

`saving` writes definitions and `records` reads them; `executing` queues their jobs on demand, `ticking` when they are
due; `executions` and `statuses` tell what became of those. `parameters` holds what is saved to the type of its task.
"""

from jobgate.db import Database
from jobgate.definitions.executing import NO_TRIGGER, Execution, execute, withdraw
from jobgate.definitions.executions import ExecutionFilter, ExecutionRecord, ExecutionState, find_executions
from jobgate.definitions.forgetting import forget
from jobgate.definitions.parameters import Checked, ParamTypes, check_params
from jobgate.definitions.records import Definition, Overlap, find
from jobgate.definitions.saving import (
    CATCH_UP_S,
    Changes,
    Draft,
    change,
    delete,
    delete_of_store,
    lock,
    read_clock,
    save,
)
from jobgate.definitions.statuses import DefinitionStatus, find_statuses
from jobgate.definitions.ticking import tick
from jobgate.settings import Settings

__all__ = [
    "CATCH_UP_S",
    "NO_TRIGGER",
    "Changes",
    "Checked",
    "Definition",
    "DefinitionStatus",
    "Draft",
    "Execution",
    "ExecutionFilter",
    "ExecutionRecord",
    "ExecutionState",
    "Overlap",
    "ParamTypes",
    "change",
    "check_params",
    "delete",
    "delete_of_store",
    "execute",
    "find",
    "find_executions",
    "find_statuses",
    "lock",
    "read_clock",
    "save",
    "sweep",
    "tick",
    "withdraw",
]


async def sweep(db: Database, settings: Settings) -> bool:
    """What a sweeper does about definitions; True when there may be more to do."""
    ticked = await tick(db, settings)
    return await forget(db, settings) or ticked
