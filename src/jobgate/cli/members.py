"""The processes that `jobgate dev` keeps running: started again when they end, and later and later when they cannot."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from jobgate.embedded import Child

PAUSE_MIN_S, PAUSE_MAX_S = 0.5, 30.0
STEADY_S = 10.0
"""A process that ran this long was well: its next end is a first one again."""

LOOK_S = 0.05


class Member:
    """One such process. `log` begins anew with every start, and what the last one said is kept beside it."""

    def __init__(
        self, name: str, argv: Sequence[str], env: Mapping[str, str], log: Path | None, say: Callable[[str], None]
    ) -> None:
        self.name = name
        self.log = log
        self._argv = argv
        self._env = env
        self._say = say
        self._child: Child | None = None
        self._due_at = 0.0
        self._started_at = 0.0
        self._pause_s = PAUSE_MIN_S

    @property
    def runs(self) -> bool:
        """Whether the process is alive."""
        return self._child is not None and self._child.exit_code is None

    def start(self) -> None:
        """Start the process; it is killed when we die, for without us its servers are gone too."""
        if self.log is not None and self.log.exists():
            self.log.replace(self.log.with_name(self.log.name + ".1"))
        self._child = Child.spawn(self._argv, env=self._env, log=self.log, death_signal=signal.SIGKILL)
        self._started_at = time.monotonic()

    def tend(self, now: float) -> None:
        """Notice an end; start again once the pause is over. `now` is monotonic."""
        if self._child is not None and self._child.exit_code is not None:
            if now - self._started_at > STEADY_S:
                self._pause_s = PAUSE_MIN_S
            self._due_at = now + self._pause_s
            self._say(f"the {self.name} {self.explain_end()}; starting it again in {self._pause_s:g} s")
            self._pause_s = min(self._pause_s * 2, PAUSE_MAX_S)
            self._child = None
        if self._child is None and now >= self._due_at:
            self.start()

    def explain_end(self) -> str:
        """How the process ended, with what it said last."""
        code = self._child.exit_code if self._child is not None else None
        how = f"ended with exit code {code}" if code is None or code >= 0 else f"was killed by signal {-code}"
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log is not None else []
        # What a command says at its end may stand before lines that its log still had to write.
        said = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")] or lines[-1:]
        return f"{how} ({'; '.join(said)}; more in {self.log}.1)" if said else how

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._child is not None:
            self._child.send(number)

    def kill(self) -> None:
        """End it for certain."""
        if self._child is not None:
            self._child.terminate(signal.SIGKILL)


async def stop_members(members: Sequence[Member], hurry: asyncio.Event, limit_s: float) -> None:
    """Stop them together and wait; `hurry` asks them again, `limit_s` ends the patience."""
    give_up_at = time.monotonic() + limit_s
    asked_again = False
    for member in members:
        member.send(signal.SIGTERM)
    while any(member.runs for member in members):
        if hurry.is_set() and not asked_again:
            asked_again = True
            for member in members:
                member.send(signal.SIGTERM)
        if time.monotonic() > give_up_at:
            for member in members:
                member.kill()
        await asyncio.sleep(LOOK_S)
