"""A room for calls that wait: for a job of a beacon, at most so long. Pure asyncio: who wakes them looks elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Set
from typing import NamedTuple

MAX_WAITING = 200
"""Calls of one line that wait in one process; beyond them a call is answered at once."""


class Line(NamedTuple):
    """Whom one waits for."""

    organisation_id: int
    beacon_name: str


class _Waiter(NamedTuple):
    skills: frozenset[str] | None
    woken: asyncio.Future[None]


class WaitingRoom:
    """Calls in their lines, first come first woken. Closing it ends every wait at once, and those to come."""

    def __init__(self) -> None:
        self._lines: dict[Line, list[_Waiter]] = {}
        self._rung = asyncio.Event()
        self._is_closed = False

    @property
    def lines(self) -> list[Line]:
        """The lines in which somebody waits."""
        return list(self._lines)

    @property
    def count(self) -> int:
        """How many wait."""
        return sum(map(len, self._lines.values()))

    async def wait(self, line: Line, skills: Set[str] | None, at_most_s: float, gone: asyncio.Future[None]) -> bool:
        """Wait to be woken; False when there is no point in going on: time is up, `gone` is done, the room is closed.

        `skills` None: nothing wakes it.
        """
        waiting = self._lines.get(line, [])
        if self._is_closed or gone.done() or at_most_s <= 0 or len(waiting) >= MAX_WAITING:
            return False
        waiter = _Waiter(None if skills is None else frozenset(skills), asyncio.get_running_loop().create_future())
        self._lines.setdefault(line, []).append(waiter)
        self.ring()  # a job may have come between the caller's look and now
        try:
            await asyncio.wait([waiter.woken, gone], timeout=at_most_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._forget(line, waiter)
        return waiter.woken.done() and not gone.done() and not self._is_closed

    def wake(self, line: Line, needs: Set[str], at_most: int) -> None:
        """Wake the first of a line that can do what `needs` says."""
        able = [waiter for waiter in self._lines.get(line, []) if waiter.skills is not None and needs <= waiter.skills]
        for waiter in able[:at_most]:
            if not waiter.woken.done():
                waiter.woken.set_result(None)

    def ring(self) -> None:
        """There may be something to wake somebody for."""
        self._rung.set()

    async def rung(self, at_most_s: float) -> None:
        """Return when it rang, or after some time in which somebody waits; while nobody waits, do not return."""
        try:
            async with asyncio.timeout(at_most_s if self._lines else None):
                await self._rung.wait()
        except TimeoutError:
            pass  # looked for anyway: what another process made rings no bell here
        self._rung.clear()

    def close(self) -> None:
        """Nobody waits any more."""
        self._is_closed = True
        for waiters in self._lines.values():
            for waiter in waiters:
                if not waiter.woken.done():
                    waiter.woken.set_result(None)

    def _forget(self, line: Line, waiter: _Waiter) -> None:
        self._lines[line].remove(waiter)
        if not self._lines[line]:
            del self._lines[line]
