"""The published suite as a process.

It is foreign software with hundreds of packages that no registry has, so a small script stands in for `node`: it takes
the options of the console runner, prints and writes what that prints and writes, and remembers how it was called.
"""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from jobgate.conformance.lrs import Endpoint
from jobgate.conformance.published import Unusable, run_published

ENDPOINT = Endpoint("https://lrs.example/xapi/", "tester", "a secret: with colon", "2.0.0")

TREE = {
    "title": "",
    "status": "failed",
    "tests": [
        {
            "title": "Formatting Requirements (Data 2.2)",
            "status": "failed",
            "log": "x" * 1000,
            "tests": [
                {
                    "title": "An LRS rejects what has no scheme (Data 2.2.s4.b1.b8, XAPI-00011)",
                    "status": "failed",
                    "tests": [
                        {"title": "should reject an id", "status": "passed", "tests": []},
                        {"title": "should reject a type", "status": "failed", "error": "Error: 200", "tests": []},
                    ],
                },
                {"title": "should keep numbers (XAPI-00002)", "status": "passed", "tests": []},
            ],
        },
        {"title": "should be skipped (Communication 1.3, XAPI-00336)", "status": "", "tests": []},
    ],
}
LOG = {"name": "console", "state": "finished", "summary": {"total": 4, "passed": 2, "failed": 1}, "log": TREE}

NODE = """\
#!{python}
import json, os, pathlib, sys, time
here = pathlib.Path(__file__).parent
(here / "called.json").write_text(json.dumps([sys.argv[1:], sorted(os.environ), os.getcwd()]))
(here / "pid").write_text(str(os.getpid()))
print("Attempting xAPI Conformance Suite Against:")
print(json.dumps({{"total": 4, "passed": 1, "failed": 0, "version": "2.0.0"}}), flush=True)
print("y" * 200000, flush=True)
while (here / "hang").exists():
    time.sleep(0.01)
if (here / "log.json").exists():
    logs = pathlib.Path("logs")
    logs.mkdir(exist_ok=True)
    (logs / "0b7c-1.log").write_text((here / "log.json").read_text())
    print("Full run log written to", logs / "0b7c-1.log")
sys.exit(3)
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a suite that has run, and a `node` that stands in for it."""
    folder, programs = tmp_path / "suite", tmp_path / "programs"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "console_runner.js").write_text("// foreign")
    programs.mkdir()
    node = programs / "node"
    node.write_text(NODE.format(python=sys.executable))
    node.chmod(node.stat().st_mode | stat.S_IXUSR)
    (programs / "log.json").write_text(json.dumps(LOG))
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    monkeypatch.setenv("JOBGATE_SECRET_KEY", "nobody's business")
    return folder


async def tell_nobody(done: int, total: int) -> None:
    """Progress that nobody wants."""


def read_call(suite: Path) -> Any:
    return json.loads((suite.parent / "programs" / "called.json").read_text())


async def test_the_report_of_the_suite_becomes_ours(suite: Path) -> None:
    told = []

    async def tell(done: int, total: int) -> None:
        told.append((done, total))

    report = await run_published(suite, ENDPOINT, None, tell)

    assert (report.status, report.suite, report.version) == ("failed", "published suite", "2.0.0")
    assert (report.total, report.passed, report.failed) == (3, 2, 1)
    assert (report.requirements.passed, report.requirements.failed) == (["XAPI-00002"], ["XAPI-00011"])
    assert "XAPI-00336" in report.requirements.not_run
    (failure,) = report.failures
    assert failure.line == "Data 2.2 XAPI-00011: should reject a type: Error: 200"
    assert report.summary == "Published suite, xAPI 2.0.0: 2 passed, 1 failed: XAPI-00011"
    assert told == [(1, 4)]
    assert list((suite / "logs").iterdir()) == []


async def test_the_runner_is_called_with_its_documented_options(suite: Path) -> None:
    await run_published(suite, ENDPOINT, "Data 2.4.1", tell_nobody)

    arguments, environment, folder = read_call(suite)
    assert arguments == [
        "bin/console_runner.js",
        *("-e", "https://lrs.example/xapi", "-a", "-u", "tester", "-p", "a secret: with colon", "-x", "2.0.0"),
        *("-g", r"Data 2\.4\.1(?![0-9])"),
    ]
    assert folder == str(suite)
    assert not [name for name in environment if name.startswith("JOBGATE_")]


async def test_a_suite_that_does_not_end_is_killed(suite: Path) -> None:
    (suite.parent / "programs" / "hang").touch()

    with pytest.raises(Unusable, match=r"did not end within 0.5 s"):
        await run_published(suite, ENDPOINT, None, tell_nobody, limit_s=0.5)

    assert not is_running(suite)


async def test_whoever_is_cancelled_takes_the_suite_along(suite: Path) -> None:
    (suite.parent / "programs" / "hang").touch()
    began = asyncio.Event()

    async def tell(done: int, total: int) -> None:
        began.set()

    running = asyncio.create_task(run_published(suite, ENDPOINT, None, tell))
    async with asyncio.timeout(10):
        await began.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not is_running(suite)


def is_running(suite: Path) -> bool:
    """Whether the process that stands in for the runner is there."""
    try:
        os.kill(int((suite.parent / "programs" / "pid").read_text()), 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (None, "ended with code 3 and left no report"),
        ("{", "not of the form that is known"),
        ("[]", "not of the form that is known"),
        (json.dumps({"summary": {"passed": 9, "failed": 0}, "log": TREE}), "does not count its own tests"),
    ],
)
async def test_a_suite_that_leaves_no_report_is_said_to(suite: Path, log: str | None, told: str) -> None:
    file = suite.parent / "programs" / "log.json"
    file.unlink() if log is None else file.write_text(log)

    with pytest.raises(Unusable, match=told):
        await run_published(suite, ENDPOINT, None, tell_nobody)


async def test_a_folder_without_the_runner_is_said_to_be(tmp_path: Path, suite: Path) -> None:
    with pytest.raises(Unusable, match="no bin/console_runner"):
        await run_published(tmp_path, ENDPOINT, None, tell_nobody)


async def test_a_machine_without_node_is_said_to_be(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(Unusable, match="no program `node`"):
        await run_published(suite, ENDPOINT, None, tell_nobody)


async def test_a_password_that_looks_like_an_option_is_not_passed_on(suite: Path) -> None:
    with pytest.raises(Unusable, match="begins with `-`"):
        await run_published(suite, Endpoint(ENDPOINT.url, "tester", "-x"), None, tell_nobody)
