"""What starting any server has in common: how long to wait, and what to say when it fails."""

from __future__ import annotations

import time
from pathlib import Path

from jobgate.embedded.child import Child
from jobgate.embedded.places import EmbeddedError

READY_S = 30.0
"""A server that accepts no connection for this long has failed; crash recovery happens within it."""


def fail_unless_starting(name: str, server: Child, log: Path, give_up_at: float, error: Exception) -> None:
    """Raise `EmbeddedError` when waiting longer is useless."""
    if server.exit_code is not None:
        raise EmbeddedError(f"{name} did not start: {read_last_line(log)} (all of it: {log})") from error
    if time.monotonic() > give_up_at:
        raise EmbeddedError(f"{name} accepts no connection after {READY_S:.0f} s: {error} (its log: {log})") from error


def read_last_line(log: Path) -> str:
    """What a server said last."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
