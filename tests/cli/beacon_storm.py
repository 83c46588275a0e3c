"""Beacons in a storm: `python -m tests.cli.beacon_storm [JOBS]`, a minute of work.

Two `jobgate beacon` end 200 jobs of three tasks while one of them is killed and replaced every second. Ends with an
error unless each job was ended once, with the results of its tasks in order, and no more tasks were begun again than
beacons died.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from jobgate.embedded import start_scratch_servers
from jobgate.testing import open_server
from tests.cli.test_beacon import SETTINGS, Field, storm


async def main(count: int = 200) -> None:
    """Run with servers of its own."""
    with start_scratch_servers() as servers, tempfile.TemporaryDirectory() as folder:
        async with open_server(servers, **SETTINGS) as server:
            field = Field(server, Path(folder))
            begin = time.perf_counter()
            deaths = await storm(field, count)
            took_s = time.perf_counter() - begin
            again = len(field.effects.read_text().splitlines()) - 3 * count
    print(f"{count} jobs ended in {took_s:.1f} s; {deaths} beacons died, {again} tasks were begun again")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
