"""The evaluator: maths checks judged in processes of their own, so that nothing typed can stall or crash this one.

Who owns a process owns an evaluator: the gateway for its handlers (`Context.maths`), the worker for its set tasks
(`Batch.maths`). It is cheap to have, because children start only when a check takes algebra, and stay for the next
one: half a second the first time, a millisecond and the algebra itself later.

    decide ── verdict
      └── none ──> a child ──> verdict
                     ├── too long, too much memory ──> it is gone; no verdict, a reason; the next check gets a new one
                     └── no algebra library ─────────> no verdict, a reason, now and from here on
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from jobgate.scoring.maths.checks import MathCheck, Verdict, decide
from jobgate.scoring.maths.child import LENGTH_BYTES, TOO_MUCH, Hello, Order, frame
from jobgate.turns import Turns

CHILDREN = 2
"""How many checks are judged at once."""

LIMIT_S = 2.0
"""How long one check may take, in processor time; what is typed at school takes a tenth of a second."""

BUDGET_S = 8.0
"""How long one call may take, whatever was typed. Postgres ends a transaction in which nothing happens for ten."""

_COMMAND = (sys.executable, "-P", "-m", "jobgate.scoring.maths.child")

NOT_INSTALLED = Verdict(None, "symbolic marking is not installed")
TOO_LONG = Verdict(None, "the expression takes too long to work out")
TOO_LARGE = Verdict(None, "the expression takes too much memory to work out")
NO_TIME_LEFT = Verdict(None, "there was no time left to work the expression out")
BROKEN = Verdict(None, "the algebra library broke down over the expression")
UNAVAILABLE = Verdict(None, "symbolic marking is not available now")

T = TypeVar("T")


class Evaluator:
    """Judges maths checks until it is closed; may be asked by several at once."""

    def __init__(self, command: Collection[str] = _COMMAND) -> None:
        self._command = command
        self._slots = asyncio.Semaphore(CHILDREN)
        self._idle: list[_Child] = []
        self._is_installed = True

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the children. Whoever is judging is expected to have been cancelled."""
        while self._idle:
            await self._idle.pop().end()

    async def judge(
        self, checks: Collection[MathCheck], *, limit_s: float = LIMIT_S, budget_s: float = BUDGET_S
    ) -> dict[MathCheck, Verdict]:
        """A verdict on each check. Never raises because of what is in them."""
        verdicts: dict[MathCheck, Verdict] = {}
        waiting: deque[MathCheck] = deque()
        turns = Turns()
        for check in dict.fromkeys(checks):
            verdict = decide(check)
            if verdict is None:
                waiting.append(check)
            else:
                verdicts[check] = verdict
            await turns.pass_on()
        give_up_at = asyncio.get_running_loop().time() + budget_s
        async with asyncio.TaskGroup() as group:
            for _ in range(min(CHILDREN, len(waiting))):
                group.create_task(self._work(waiting, verdicts, limit_s, give_up_at))
        return verdicts

    async def _work(
        self, waiting: deque[MathCheck], verdicts: dict[MathCheck, Verdict], limit_s: float, give_up_at: float
    ) -> None:
        loop = asyncio.get_running_loop()
        while waiting:
            check = waiting.popleft()
            verdicts[check] = NO_TIME_LEFT
            if loop.time() < give_up_at:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(give_up_at):
                        verdicts[check] = await self._ask(check, limit_s)

    async def _ask(self, check: MathCheck, limit_s: float) -> Verdict:
        async with self._slots:
            while self._is_installed:
                is_new = not self._idle
                try:
                    child = await _Child.start(self._command) if is_new else self._idle.pop()
                except (OSError, EOFError):
                    return UNAVAILABLE
                if child is None:
                    self._is_installed = False
                    break
                verdict = await child.judge(check, limit_s)
                if verdict is not None:
                    self._idle.append(child)
                    return verdict
                reason = child.epitaph()
                if is_new or reason == TOO_LONG:
                    return reason
                # An old child may have died of what came before, or while it was idle: a new one tells.
        return NOT_INSTALLED


class _Child:
    """One process that judges, one check after the other."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, command: Collection[str]) -> _Child | None:
        """Start a child and hear its first word; None: it has no algebra library.

        It knows none of our settings, and leads a session of its own, so that Ctrl-C is for us alone.
        """
        environment = {name: value for name, value in os.environ.items() if not name.startswith("JOBGATE_")}
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment, start_new_session=True
        )
        child = cls(process)
        hello = await child._hear(Hello)
        if hello.has_algebra:
            return child
        await child.end()
        return None

    async def judge(self, check: MathCheck, limit_s: float) -> Verdict | None:
        """The verdict; None: this child has ended over it. By SIGKILL: the kernel does that when memory runs out."""
        assert self._process.stdin
        if self._process.returncode is not None:
            return None
        try:
            self._process.stdin.write(frame(Order(check, limit_s)))
            return await self._hear(Verdict)
        except (OSError, EOFError):
            return None

    async def _hear(self, kind: type[T]) -> T:
        """The next message. If none comes, whatever the reason, the child is gone afterwards."""
        assert self._process.stdout
        try:
            head = await self._process.stdout.readexactly(LENGTH_BYTES)
            return msgspec.json.decode(await self._process.stdout.readexactly(int.from_bytes(head)), type=kind)
        except EOFError:
            await self._process.wait()  # it ends by itself: killing it now would only lose its exit code
            raise
        except BaseException:
            self._process.kill()
            await self._process.wait()
            raise

    def epitaph(self) -> Verdict:
        """What the end of this child says about the check that it was given."""
        reasons = {-signal.SIGPROF: TOO_LONG, -signal.SIGKILL: TOO_LARGE, TOO_MUCH: TOO_LARGE}
        return reasons.get(self._process.returncode or 0, BROKEN)

    async def end(self) -> None:
        """Let it end: it does as soon as there is nobody to hear."""
        assert self._process.stdin
        self._process.stdin.close()
        await self._process.wait()
