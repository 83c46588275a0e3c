"""Commands as somebody at a terminal sees them: what they print, and how they end."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

JOBGATE = [sys.executable, "-m", "jobgate"]

DEADLINE_S = 30.0
STOP_S = 15.0


def make_environment(**settings: str) -> dict[str, str]:
    """This environment with these settings and no others."""
    return {name: value for name, value in os.environ.items() if not name.startswith("JOBGATE_")} | settings


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*JOBGATE, *arguments],
        env=make_environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )


def find_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Terminal:
    """A command that runs on; both its outputs are read as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._fresh.put(line.rstrip("\n"))
        self._fresh.put(None)

    def await_line(self, text: str) -> str:
        """The next line with this text in it."""
        give_up_at = time.monotonic() + DEADLINE_S
        while True:
            line = self._fresh.get(timeout=max(0.01, give_up_at - time.monotonic()))
            assert line is not None, f"ended without {text!r}:\n" + "\n".join(self.lines)
            self.lines.append(line)
            if text in line:
                return line

    def end(self, *numbers: signal.Signals) -> int:
        """Send these signals and wait; the exit code."""
        for number in numbers:
            self.process.send_signal(number)
        return self.process.wait(DEADLINE_S)


@contextmanager
def start(*arguments: str, **settings: str) -> Iterator[Terminal]:
    """Start a command that runs on; whatever happens, it ends with the block."""
    options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen([*JOBGATE, *arguments], env=make_environment(**settings), text=True, **options) as process:
        try:
            yield Terminal(process)
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
