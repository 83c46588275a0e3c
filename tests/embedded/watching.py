"""Processes that keep servers or children, and what can be seen of them from outside."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from jobgate.embedded import EmbeddedError, start_servers

DEADLINE_S = 20

on_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc and waits for processes that are not children"
)

KEEP_SERVERS = """
import json, sys
from pathlib import Path
from jobgate.embedded import EmbeddedError, start_servers
try:
    with start_servers(Path(sys.argv[1]), durable=False) as servers:
        print(json.dumps({"url": servers.database_url, "redis_url": servers.redis_url}), flush=True)
        sys.stdin.read()
except EmbeddedError as error:
    print(json.dumps({"error": str(error)}), flush=True)
"""
"""A program that keeps servers on a folder until its standard input ends, or says why it cannot."""


@contextmanager
def keep(script: str, argument: object, **options: Any) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a script of ours until the block ends; gives the process and the line of JSON that it prints."""
    python = options.pop("python", sys.executable)
    command = [python, "-c", script, str(argument)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield process, json.loads(process.stdout.readline() or "{}")
        finally:
            process.stdin.close()
            process.wait(DEADLINE_S)


async def ask(url: str, query: str) -> Any:
    """The one value that a query gives."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def hear_refusal(data: Path, **options: Any) -> str:
    """Why no servers start on this folder."""
    with pytest.raises(EmbeddedError) as refused, start_servers(data, **options):
        pass
    return str(refused.value)


def find_sockets(database_url: str) -> Path:
    """The folder that the URL names."""
    return Path(parse_qs(urlsplit(database_url).query)["host"][0])


def find_descendants(pid: int) -> list[int]:
    """Every process under `pid` that does not end while we look."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [found for child in map(int, children) for found in (child, *find_descendants(child))]


def await_file(path: Path) -> None:
    """Wait until another process has made a file."""
    give_up_at = time.monotonic() + DEADLINE_S
    while not path.exists():
        assert time.monotonic() < give_up_at


@contextmanager
def expect_ends(pids: list[int]) -> Iterator[None]:
    """All of these processes end because of what happens in the block."""
    watched = []
    for pid in pids:
        with suppress(ProcessLookupError):  # it has ended already
            watched.append(os.pidfd_open(pid))
    yield
    for pidfd in watched:
        ended, _, _ = select.select([pidfd], [], [], DEADLINE_S)
        os.close(pidfd)
        assert ended
