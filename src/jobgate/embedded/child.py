"""Child processes that end with the process that started them, however it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from jobgate.embedded.places import Account
from jobgate.leash import write_command


class Child:
    """A running program that gets `death_signal` when its parent is gone, even by `kill -9`.

    On Linux the kernel sends it, at the end of the *thread* that called `spawn`: call it from the main thread or from
    one that lives as long as the process. Elsewhere, or when `by_pipe`, a small process in between watches a pipe.
    A child leads a session of its own: Ctrl-C reaches only the parent, which decides the order of stopping.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

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
        """Start `argv` (the program by its full path) in `folder`; both outputs begin a new `log`, or go where ours go.

        `env` and `folder` default to ours, `account` to our own; `keep_open` are descriptors that it inherits.
        """
        uid, gid = (account.uid, account.gid) if account else (-1, -1)
        starter = write_command(death_signal, uid=uid, gid=gid, by_pipe=by_pipe)
        with ExitStack() as stack:
            output = None
            if log:
                log.unlink(missing_ok=True)
                output = stack.enter_context(log.open("xb"))  # exclusive: never through a link that someone put there
            process = subprocess.Popen(
                [*starter, *argv],
                env=env,
                cwd=folder,
                stdin=subprocess.PIPE if by_pipe else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                pass_fds=keep_open,
                start_new_session=True,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """The process to signal: the program itself, or the one that watches the pipe and passes signals on."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it (128 plus the signal when `by_pipe`)."""
        return self._process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the child has already ended."""
        self._process.send_signal(number)

    def wait(self, timeout_s: float | None = None) -> int:
        """Wait for the end and give the exit code; raises `TimeoutError`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"process {self.pid} still runs after {timeout_s} s") from None

    def terminate(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 10.0) -> int:
        """Send `number`, wait, and kill what still runs after `timeout_s`; the exit code. Harmless at its end."""
        self.send(number)
        try:
            return self.wait(timeout_s)
        except TimeoutError:
            if self._process.stdin:
                self._process.stdin.write(b"!")  # killed itself, the process in between would leave the program alone
            else:
                self._process.kill()
        finally:
            if self._process.stdin:
                self._process.stdin.close()
        return self.wait()
