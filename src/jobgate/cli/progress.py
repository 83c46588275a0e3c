"""How far long work is: a bar on a terminal, plain lines elsewhere, always on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import click

BAR_CHARS = 30
LINE_EVERY_S = 5.0


class Progress:
    """Shows a state, and how much of how much is done where that is known."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._is_terminal = sys.stderr.isatty()
        self._state = ""
        self._line_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wipe()  # what remains is said by whoever asked

    def say(self, line: str) -> None:
        """Print a line on standard output; the bar makes room."""
        self._wipe()
        click.echo(line)

    def _wipe(self) -> None:
        if self._is_terminal and self._state:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def show(self, state: str, done: int, total: int, label: str | None = None) -> None:
        """Draw the bar anew; elsewhere write a line when the state changed, or some time passed.

        `total` is 0 where it is not known; `label` says more than the two numbers.
        """
        share = min(1.0, done / total) if total else 0.0
        counted = f" {label}" if label else f" {done}/{total}" if total else ""
        if self._is_terminal:
            bar = "#" * round(share * BAR_CHARS)
            sys.stderr.write(f"\r\x1b[K{self.name} [{bar:-<{BAR_CHARS}}]{counted} {state}")
        elif state == self._state and time.monotonic() < self._line_at:
            return
        else:
            sys.stderr.write(f"{self.name}: {state}{counted}\n")
            self._line_at = time.monotonic() + LINE_EVERY_S
        self._state = state
        sys.stderr.flush()
