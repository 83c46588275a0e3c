"""ADL's conformance test suite: its console runner as a process of its own, and the report that it leaves.

    node bin/console_runner.js -e ENDPOINT -a -u USER -p PASSWORD -x VERSION [-g PATTERN]

While it runs it prints its counts every two seconds, as JSON on a line; in the end the path of its log, a JSON file
with the counts and a tree of tests. Its exit code is the number of failures, cut to a byte: it tells nothing.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from jobgate import wire
from jobgate.conformance.lrs import Endpoint
from jobgate.conformance.report import ConformanceReport, Failure, Position, make_report
from jobgate.leash import write_command

RUNNER = Path("bin") / "console_runner.js"

LIMIT_S = 600.0

MAX_LOG = 64 * 1024 * 1024
"""Bytes of its log that are read."""

MAX_LINE = 64 * 1024

_ID = re.compile(r"XAPI-[0-9]{5}(?:-[0-9])?", re.ASCII)
_SECTION = re.compile(r"\([^()]*?((?:Data|Communication) [0-9]+(?:\.[0-9]+)*)", re.ASCII)
_WRITTEN = re.compile(rb"Full run log written to .*?([0-9A-Za-z-]+\.log)\s*$")
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "NODE_PATH", "NODE_EXTRA_CA_CERTS", "TMPDIR")
"""What the runner learns of our environment: no setting of ours."""

Tell = Callable[[int, int], Awaitable[None]]
"""Told how many tests have ended, of how many."""


class Unusable(Exception):
    """The suite cannot be run, or left no report; the text says why."""


class Counts(msgspec.Struct):
    """How many tests there are, and what came of those that have ended."""

    total: int | None = None
    passed: int | None = None
    failed: int | None = None


class Node(msgspec.Struct):
    """A test, or tests that belong together."""

    title: str = ""
    status: str | None = None
    error: str | None = None
    tests: list[Node] = []


class Log(msgspec.Struct):
    """What the runner writes, as far as it is read."""

    summary: Counts
    log: Node | None = None


async def run_published(
    folder: Path, endpoint: Endpoint, section: str | None, tell: Tell, *, limit_s: float = LIMIT_S
) -> ConformanceReport:
    """Run the suite in this folder against the endpoint. Raises `Unusable`.

    Whoever cancels this takes all its processes along; whoever dies, the runner, without which the tests end.
    """
    node = shutil.which("node")
    if node is None:
        raise Unusable("there is no program `node`")
    if not (folder / RUNNER).is_file():
        raise Unusable("the folder of the suite has no bin/console_runner.js")
    if endpoint.username.startswith("-") or endpoint.password.startswith("-"):
        raise Unusable("the runner takes no user name or password that begins with `-`")
    runner = await asyncio.create_subprocess_exec(
        *write_command(signal.SIGKILL),
        *(node, str(RUNNER), *make_arguments(endpoint, section)),
        cwd=folder,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=MAX_LINE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit_s):
            name = await _listen(runner, tell)
            await runner.wait()
    except TimeoutError:
        raise Unusable(f"it did not end within {limit_s:g} s") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(runner.pid, signal.SIGKILL)
        await runner.wait()
    if name is None:
        raise Unusable(f"it ended with code {runner.returncode} and left no report")
    return read_log(folder / "logs" / name, endpoint, section)


def make_arguments(endpoint: Endpoint, section: str | None) -> list[str]:
    """What the runner is called with. A section is a pattern there: the next digit must not make it another one."""
    arguments = ["-e", endpoint.url.rstrip("/"), "-a", "-u", endpoint.username, "-p", endpoint.password]
    arguments += ["-x", endpoint.version]
    return arguments if section is None else [*arguments, "-g", section.replace(".", r"\.") + "(?![0-9])"]


async def _listen(runner: asyncio.subprocess.Process, tell: Tell) -> str | None:
    """Pass on what the runner prints of its progress; the name of the log that it has written."""
    assert runner.stdout is not None
    name = None
    while True:
        try:
            line = await runner.stdout.readline()
        except ValueError:  # a line that is too long is none of those
            continue
        if not line:
            return name
        if line.startswith(b"{"):
            counts = Counts()
            with suppress(ValueError):
                counts = wire.decode(line, Counts)
            if counts.total:
                await tell((counts.passed or 0) + (counts.failed or 0), counts.total)
        found = _WRITTEN.search(line)
        if found is not None:
            name = found[1].decode()


def read_log(file: Path, endpoint: Endpoint, section: str | None) -> ConformanceReport:
    """The report that a log makes; the log is deleted. Raises `Unusable`."""
    try:
        with file.open("rb") as source:
            text = source.read(MAX_LOG + 1)
        file.unlink(missing_ok=True)
        if len(text) > MAX_LOG:
            raise Unusable(f"its log is larger than {MAX_LOG} bytes")
        log = wire.decode(text, Log)
    except OSError:
        raise Unusable("its log cannot be read") from None
    except (ValueError, RecursionError):
        raise Unusable("its log is not of the form that is known") from None
    position, ended, run = Position(), 0, set[str]()
    walk: list[tuple[Node, str, tuple[str, ...]]] = [] if log.log is None else [(log.log, "", ())]
    while walk:
        test, within, inherited = walk.pop()
        ids = tuple(dict.fromkeys(_ID.findall(test.title))) or inherited
        place = _SECTION.search(test.title)
        within = place[1] if place else within
        if test.tests:
            walk += [(each, within, ids) for each in reversed(test.tests)]
        elif test.status in ("passed", "failed"):
            ended += 1
            run.update(ids)
            if test.status == "failed":
                position.add(Failure(section=within, ids=ids, title=test.title, reason=test.error or ""))
    if ended != (log.summary.passed or 0) + (log.summary.failed or 0) or position.failed != (log.summary.failed or 0):
        raise Unusable("its log does not count its own tests")
    return make_report("published suite", endpoint.version, section, run=run, total=ended, position=position)
