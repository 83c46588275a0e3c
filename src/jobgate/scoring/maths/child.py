"""The process that does algebra: checks come in, verdicts go out, one at a time. Run by `evaluator`.

    python -P -m jobgate.scoring.maths.child

Messages are JSON behind four bytes of length. The first one goes out: whether the algebra library is there. A check
brings its limit; who takes longer (processor time, so that a busy machine changes no verdict) is ended by the kernel,
whatever it is doing. When the parent dies, the next read finds the end of the pipe, so nothing is left behind for
longer than one check.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from typing import IO

import msgspec

from jobgate.scoring.maths.checks import MathCheck, Verdict

MEMORY_BYTES = 1024**3
"""How much address space this process may have; sympy alone takes a fifth of it."""

LENGTH_BYTES = 4

TOO_MUCH = 3
"""The exit code when memory ran out."""


class Hello(msgspec.Struct, frozen=True):
    """What the child says first."""

    has_algebra: bool


class Order(msgspec.Struct, frozen=True):
    """One check, and how many seconds of work it is worth."""

    check: MathCheck
    limit_s: float


def main() -> None:
    """Answer until the input ends."""
    source, outlet = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no message
    limit_memory()
    try:
        from jobgate.scoring.maths import algebra  # noqa: PLC0415 - whether it can be imported is the question
    except ImportError:
        send(outlet, Hello(has_algebra=False))
        return
    send(outlet, Hello(has_algebra=True))
    while (order := receive(source)) is not None:
        signal.setitimer(signal.ITIMER_PROF, order.limit_s)
        try:
            verdict = algebra.judge(order.check)
        except MemoryError:
            os._exit(TOO_MUCH)
        except Exception as error:  # a library of this size has bugs; each costs one verdict
            verdict = Verdict(None, f"the algebra library failed ({type(error).__name__})")
        signal.setitimer(signal.ITIMER_PROF, 0)
        send(outlet, verdict)


def limit_memory() -> None:
    """An expression that grows without end must end this process before it fills the machine."""
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    except (ValueError, OSError):
        pass  # macOS refuses; there the time limit has to do


def send(outlet: IO[bytes], message: Hello | Verdict) -> None:
    """One message out."""
    outlet.write(frame(message))


def receive(source: IO[bytes]) -> Order | None:
    """The next order; None: the parent has ended or wants us to."""
    head = source.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    body = source.read(int.from_bytes(head))
    return msgspec.json.decode(body, type=Order)


def frame(message: Hello | Order | Verdict) -> bytes:
    """A message as it is sent."""
    body = msgspec.json.encode(message)
    return len(body).to_bytes(LENGTH_BYTES) + body


if __name__ == "__main__":
    main()
