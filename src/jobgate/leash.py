"""Run a program so that it does not outlive the process that asked for it. A script: it is started by its path.

    python -I -S leash.py KIND PARENT SIGNAL UID GID PROGRAM [ARGUMENT…]

KIND `kernel` (Linux): ask the kernel for SIGNAL at the parent's death, then become the program; the process id stays.
KIND `pipe` (elsewhere): stay, start the program, and send it SIGNAL when standard input, held open by the parent, ends;
a byte on it asks to kill the program.

A process of its own does this because no Python may run between fork and exec when the parent has threads.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
KILL_AFTER_S = 10.0
"""A program that still runs this long after its parent's death is killed."""

PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)


def write_command(
    death_signal: signal.Signals, *, uid: int = -1, gid: int = -1, by_pipe: bool = sys.platform != "linux"
) -> list[str]:
    """What to put before the full path of a program. By pipe: hold the standard input of what is started open."""
    numbers = [str(int(each)) for each in (os.getpid(), death_signal, uid, gid)]
    return [sys.executable, "-I", "-S", __file__, "pipe" if by_pipe else "kernel", *numbers]


def follow_by_kernel(parent: int, death_signal: int, uid: int, gid: int, argv: list[str]) -> None:
    """Become the program, signalled by the kernel when the thread that started us ends."""
    prctl = ctypes.CDLL(None).prctl
    change_account(uid, gid)  # first: the kernel forgets the wish when the user id changes
    if prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit("the kernel refuses to watch the parent")
    if os.getppid() == parent:  # else it died before the wish was made
        become(argv)


def follow_by_pipe(death_signal: int, uid: int, gid: int, argv: list[str]) -> None:
    """Start the program, pass signals on to it, and end as it ends."""
    change_account(uid, gid)
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)  # kept until they can be passed on
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        become(argv)

    def watch_parent() -> None:
        if not os.read(0, 1):
            os.kill(child, death_signal)
            threading.Event().wait(KILL_AFTER_S)
        os.kill(child, signal.SIGKILL)

    for number in PASSED_ON:
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    threading.Thread(target=watch_parent, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os._exit(code if code >= 0 else 128 - code)  # at once: the thread may be inside a read


def change_account(uid: int, gid: int) -> None:
    """Give up root for good; -1 means stay. Afterwards the interpreter's own library may be out of reach."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def become(argv: list[str]) -> None:
    """Replace this process by the program, with the signals that Python ignores set back."""
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        os._exit(127)


def main(arguments: list[str]) -> None:
    """Read what `write_command` wrote."""
    kind, argv = arguments[0], arguments[5:]
    parent, death_signal, uid, gid = map(int, arguments[1:5])
    if kind == "kernel":
        follow_by_kernel(parent, death_signal, uid, gid, argv)
    else:
        follow_by_pipe(death_signal, uid, gid, argv)


if __name__ == "__main__":
    main(sys.argv[1:])
