"""Named points at which a jobgate process can be made to die or to freeze.

A point is `before` or `after` a named statement, or `before commit` and `after commit`. The harness sets a trap by
writing `<point> <signal>` into a file named after the process; the first to pass the point springs it.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from jobgate.db import Database, Queries, Transaction


def set_trap(folder: Path, pid: int, point: str, number: signal.Signals) -> None:
    """Kill or stop the process `pid` when it next passes `point`."""
    draft = folder / f"{pid}.new"
    draft.write_text(f"{point} {number.value}")
    draft.rename(folder / str(pid))


def clear_trap(folder: Path, pid: int) -> bool:
    """Take the trap away; False: it has sprung."""
    try:
        (folder / str(pid)).unlink()
    except FileNotFoundError:
        return False
    return True


def lay_points(folder: Path) -> None:
    """Make this process look for traps at every named point."""
    file = folder / str(os.getpid())

    def pass_point(point: str) -> None:
        try:
            trap = file.read_text()
        except FileNotFoundError:
            return
        where, _, number = trap.rpartition(" ")
        if where == point:
            file.unlink(missing_ok=True)
            os.kill(os.getpid(), int(number))

    _lay(pass_point)


def lay_counted(point: str, nth: int) -> None:
    """Let this process die where it passes a point for the `nth` time."""
    left = nth

    def pass_point(passed: str) -> None:
        nonlocal left
        left -= passed == point
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _lay(pass_point)


def _lay(pass_point: Callable[[str], None]) -> None:
    def with_points(run: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(run)
        async def run_between(self: Queries, name: str, *args: Any) -> Any:
            pass_point(f"before {name}")
            result = await run(self, name, *args)
            pass_point(f"after {name}")
            return result

        return run_between

    for verb in ("fetch", "fetchrow", "fetchval", "execute"):
        setattr(Queries, verb, with_points(getattr(Queries, verb)))

    begin = Database.transaction

    @asynccontextmanager
    async def transaction(self: Database, organisation_id: int | None = None) -> AsyncIterator[Transaction]:
        async with begin(self, organisation_id) as tx:
            yield tx
            pass_point("before commit")
        pass_point("after commit")

    Database.transaction = transaction  # type: ignore[method-assign]  # that is what a trap is
