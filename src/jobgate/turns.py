"""Long arithmetic in turns: the event loop belongs to others too."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

TURN_S = 0.025
"""How long the event loop may wait for arithmetic; several turns may follow each other before timers fire."""


class Turns:
    """One stretch of arithmetic. Await `pass_on` between its steps; it lets others in when a turn is over."""

    def __init__(self) -> None:
        self._ends_at = time.perf_counter() + TURN_S

    async def pass_on(self) -> None:
        """Let others in, if this turn is over."""
        if time.perf_counter() > self._ends_at:
            await asyncio.sleep(0)
            self._ends_at = time.perf_counter() + TURN_S


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is collected meanwhile.

    What a large text decodes to is young and alive: looking through it again and again would double the time.
    """
    pauses = gc.isenabled()
    if pauses:
        gc.disable()
    try:
        yield
    finally:
        if pauses:
            gc.enable()
