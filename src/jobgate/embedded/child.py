"""Child processes that end with the process that started them, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from os import getpid
from pathlib import Path

from jobgate.embedded.places import Account

LEASH = Path(__file__).with_name("leash.py")


class Child:
    """A running program that gets `death_signal` when its parent is gone, even by `kill -9`.

    On Linux the kernel sends it, at the end of the *thread* that called `spawn`: call it from the main thread or from
    one that lives as long as the process. Elsewhere, or when `by_pipe`, a small process in between watches a pipe.
    A child is the leader of its own session: Ctrl-C reaches only the parent, which decides the order of stopping.
    """

    def __init__(self, process: subprocess.Popen[bytes], by_pipe: bool) -> None:
        self._process = process
        self._by_pipe = by_pipe

    @classmethod
    def spawn(
        cls,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        log: Path | None = None,
        folder: Path | None = None,
        account: Account | None = None,
        death_signal: signal.Signals = signal.SIGTERM,
        keep_open: Sequence[int] = (),
        by_pipe: bool = sys.platform != "linux",
    ) -> Child:
        """Start `argv` (the program by its full path), writing both outputs into a new `log`, or where ours go."""
        leash = [sys.executable, "-I", "-S", str(LEASH), "pipe" if by_pipe else "kernel", str(getpid())]
        leash += [str(int(death_signal)), str(account.uid if account else -1), str(account.gid if account else -1)]
        with ExitStack() as stack:
            output = stack.enter_context(log.open("wb")) if log else None
            process = subprocess.Popen(
                [*leash, *argv],
                env=env,
                cwd=folder,
                stdin=subprocess.PIPE if by_pipe else subprocess.DEVNULL,
                stdout=output,
                stderr=output and subprocess.STDOUT,
                pass_fds=keep_open,
                start_new_session=True,
            )
        return cls(process, by_pipe)

    @property
    def pid(self) -> int:
        """The process to signal: the program itself, or the one that watches the pipe and passes signals on."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the child has already ended."""
        self._process.send_signal(number)

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the end and give its exit code; raises `TimeoutError`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"process {self.pid} still runs after {timeout_s} s") from None

    def terminate(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 10.0) -> int:
        """Send `number`, wait, and kill what has not ended after `timeout_s`; the exit code."""
        self.send(number)
        try:
            return self.wait(timeout_s)
        except TimeoutError:
            if self._process.stdin:
                self._process.stdin.close()  # killing the process in between would leave the program alone
            else:
                self._process.kill()
            return self.wait()
        finally:
            if self._process.stdin:
                self._process.stdin.close()
