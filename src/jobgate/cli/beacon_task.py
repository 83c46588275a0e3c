"""One task as a process: JSON in, a result out, lines for the log on the side."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from jobgate.leash import write_command

LOOK_S = 0.1
KILL_AFTER_S = 5.0
MAX_RESULT_BYTES = 256 * 1024


class TaskProcess:
    """A program that runs; it is killed when the beacon is, on Linux."""

    def __init__(self, argv: list[str], task: Any, facts: dict[str, str], say: Callable[[str], None]) -> None:
        if sys.platform == "linux":
            argv = [*write_command(signal.SIGKILL), *argv]
        self._process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | facts,
            start_new_session=True,  # Ctrl-C is for the beacon
        )
        self._output = b""
        self._threads = [
            threading.Thread(target=self._give, args=(json.dumps(task).encode(),), daemon=True),
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_lines, args=(say,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def wait(self, must_end: Callable[[], bool]) -> int | None:
        """The exit code, or None for a task that was ended because it had to."""
        ended = False
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(LOOK_S)
                break
            if must_end():
                ended = True
                code = self._end()
                break
        for thread in self._threads:
            thread.join(KILL_AFTER_S)  # what the task started may hold the pipes open
        return None if ended else code

    def result(self) -> dict[str, Any]:
        """What it printed: an object, or else its text."""
        with contextlib.suppress(ValueError, RecursionError):
            printed = json.loads(self._output)
            if isinstance(printed, dict):
                return printed
        text = self._output.decode(errors="replace").replace("\0", "�").strip()
        return {"output": text} if text else {}

    def _end(self) -> int:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(KILL_AFTER_S)
        return self._process.wait()

    def _give(self, text: bytes) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(text)

    def _read_output(self) -> None:
        assert self._process.stdout
        self._output = self._process.stdout.read(MAX_RESULT_BYTES)
        while self._process.stdout.read(65536):
            pass  # too long for a result: it may go on printing

    def _read_lines(self, say: Callable[[str], None]) -> None:
        assert self._process.stderr
        for line in iter(lambda: self._process.stderr.readline(8192), b""):  # type: ignore[union-attr]  # a pipe
            say(line.decode(errors="replace").rstrip("\r\n"))
