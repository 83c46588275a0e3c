"""`jobgate beacon`: a small real beacon. It picks jobs up, runs a program for each task, and tells how that went."""

from __future__ import annotations

import shlex
import shutil
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from jobgate.cli.failures import Unusable
from jobgate.cli.surroundings import data_option

if TYPE_CHECKING:
    from jobgate.client import Client

T = TypeVar("T")

WAIT_S = 20.0
"""How long one pick-up waits; an answer is due well within the client's patience."""

RETRY_S = 1.0


@click.command()
@click.option("--name", default="default", show_default=True, help="Whose jobs to pick up.")
@click.option("--exec", "command", required=True, metavar="CMD", help="The program that does a task, with arguments.")
@click.option("--tag", "tags", multiple=True, help="Something this box can do; may be repeated.")
@click.option("--grace", "grace_s", default=20.0, show_default=True, help="Seconds that a stop leaves a running task.")
@data_option
def beacon(name: str, command: str, tags: tuple[str, ...], grace_s: float, data: Path) -> None:
    """Pick up the jobs of a beacon and carry them until SIGTERM or Ctrl-C; a second one ends the running task at once.

    CMD runs once for each task, without a shell. It reads the task as JSON from standard input, its standard error goes
    to the job's log, and what it prints is the result: a JSON object, or any text. A code other than 0 ends the job as
    failed.

    A stop lets the running task finish and gives the rest of its job back. A beacon that is drained ends by itself.
    """
    from jobgate.cli.surroundings import find_client

    client = find_client(data)
    argv = read_command(command)
    stop = Stop(grace_s)
    with stop.listening():
        click.echo(f"beacon {name} at {client.url}")
        run(client, name, list(tags), argv, stop)
    click.echo("stopped")


def read_command(command: str) -> list[str]:
    """The program by its full path, and its arguments."""
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise Unusable(f"--exec cannot be read: {error}") from error
    program = shutil.which(argv[0]) if argv else None
    if program is None:
        raise Unusable(f"--exec: there is no program {argv[0] if argv else ''!r}")
    return [program, *argv[1:]]


class Stopped(BaseException):
    """Raised out of a wait when a signal asks to stop: there is nothing to finish."""


class Stop:
    """Signals, as the rest of the program sees them."""

    def __init__(self, grace_s: float) -> None:
        self.grace_s = grace_s
        self.asked = threading.Event()
        self.hurried = threading.Event()
        self._is_idle = False
        self._asked_at = 0.0

    def listening(self) -> ExitStack:
        """Take SIGTERM and SIGINT while the block runs."""
        stack = ExitStack()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, self._take)
            stack.callback(signal.signal, number, before)
        return stack

    def is_over(self) -> bool:
        """Whether a running task has had its time."""
        return self.hurried.is_set() or (self.asked.is_set() and time.monotonic() > self._asked_at + self.grace_s)

    def wait_idle(self, wait: Callable[[], T]) -> T:
        """What `wait` returns; a signal meanwhile raises `Stopped`."""
        self._is_idle = True
        try:
            if self.asked.is_set():
                raise Stopped
            return wait()
        finally:
            self._is_idle = False

    def _take(self, _number: int, _frame: Any) -> None:
        if self.asked.is_set():
            self.hurried.set()
        else:
            self._asked_at = time.monotonic()
            self.asked.set()
        if self._is_idle:
            raise Stopped


def run(client: Client, name: str, tags: list[str], argv: list[str], stop: Stop) -> None:
    """Carry jobs until a stop, or until the beacon is drained."""
    from jobgate.cli.beacon_job import HeldJob

    request: dict[str, Any] = {"beacon_name": name, "wait_s": WAIT_S} | ({"tags": tags} if tags else {})
    try:
        while True:
            claim = stop.wait_idle(lambda: pick_up(client, request))
            if claim is None:
                return
            if claim:
                job = HeldJob(client, claim, argv, stop)
                click.echo(f"{job.name} {job.id} picked up, attempt {job.attempt}")
                click.echo(f"{job.name} {job.id} {job.carry()}")
    except Stopped:
        return


def pick_up(client: Client, request: dict[str, Any]) -> dict[str, Any] | None:
    """A claim; empty when there was none in time, None when this beacon shall stop. A gateway may be away."""
    from jobgate.client import Unreachable

    try:
        reply = client.call("beacons/jobs/pickups", "set", request)
    except Unreachable as error:
        click.echo(str(error), err=True)
    else:
        if reply.accepted:
            return reply.data or {}
        if reply.meta.get("draining"):
            click.echo("the beacon drains")
            return None
        told = f"{reply.status}: {reply.meta.get('message')}"
        if reply.status not in (429, 500, 503):
            raise Unusable(f"the gateway gives no work ({told})")
        click.echo(told, err=True)
    time.sleep(RETRY_S)
    return {}
