"""Run a program so that it does not outlive the process that asked for it. A script: `Child` starts it by its path.

    python -I -S leash.py KIND PARENT SIGNAL UID GID PROGRAM [ARGUMENT…]

KIND `kernel` (Linux): ask the kernel for SIGNAL at the parent's death, then become the program; the process id stays.
KIND `pipe` (elsewhere): stay, start the program, and send it SIGNAL when standard input, held open by the parent, ends.

Everything happens in a process of its own because the code between fork and exec of a process with threads may not
run Python; and in this order, because the kernel forgets the wish when the user id changes.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1
KILL_AFTER_S = 10.0
"""A program that has not ended this long after its parent's death is killed."""


def become(argv: list[str]) -> None:
    """Replace this process by the program, with the signals that Python changed set back."""
    for changed in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(changed, signal.SIG_DFL)
    try:
        os.execv(argv[0], argv)
    except OSError as error:
        sys.exit(f"{argv[0]}: {error.strerror}")


def change_account(uid: int, gid: int) -> None:
    """Give up root for good; -1 means stay."""
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def follow_by_kernel(parent: int, death_signal: int, uid: int, gid: int, argv: list[str]) -> None:
    """Become the program, signalled by the kernel when the parent's thread ends."""
    from ctypes import CDLL  # now: the new account may be unable to read this interpreter's library

    prctl = CDLL(None).prctl
    change_account(uid, gid)
    if prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit("the kernel refuses PR_SET_PDEATHSIG")
    if os.getppid() == parent:  # otherwise the parent died before the wish was made
        become(argv)


def follow_by_pipe(death_signal: int, uid: int, gid: int, argv: list[str]) -> None:
    """Start the program, pass signals on to it, and end as it ends."""
    change_account(uid, gid)
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # until they can be passed on
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        become(argv)

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(child, death_signal)
        threading.Event().wait(KILL_AFTER_S)
        os.kill(child, signal.SIGKILL)

    for each in signals:
        signal.signal(each, lambda number, _frame: os.kill(child, number))
    threading.Thread(target=watch, daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    _pid, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)  # the watching thread may be inside a read


def main(arguments: list[str]) -> None:
    """Read the arguments that `Child` writes."""
    kind, argv = arguments[0], arguments[5:]
    parent, death_signal, uid, gid = map(int, arguments[1:5])
    if kind == "kernel":
        follow_by_kernel(parent, death_signal, uid, gid, argv)
    else:
        follow_by_pipe(death_signal, uid, gid, argv)


if __name__ == "__main__":
    main(sys.argv[1:])
