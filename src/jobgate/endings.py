"""Endings of background work that hold although the caller, or the work, does not behave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

REMINDER_S = 0.1


async def within(limit_s: float, work: Awaitable[T]) -> T:
    """The result of `work`, or `TimeoutError` after `limit_s`; either way the work is over."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=limit_s)
        if not task.done():
            raise TimeoutError(f"not done within {limit_s} s")
        return task.result()
    finally:
        await carry_through(end_all([task]))


async def carry_through(work: Coroutine[Any, Any, None]) -> None:
    """Do `work` to its end, also when the caller is cancelled meanwhile."""
    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


async def end_all(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancel tasks until they are over; what they raise is dropped.

    Once is not enough: before Python 3.12 `asyncio.wait_for` loses a cancellation that meets the result.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=REMINDER_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()  # looked at, so that the loop does not report it as forgotten
