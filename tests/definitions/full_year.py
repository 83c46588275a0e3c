"""A year of every minute: `python -m tests.definitions.full_year [YEAR]`, half a minute of work.

A definition with `repeat: everyMinute` lives through a faked year with a look every four hours. Ends with an error when
the ticks are not the minutes of the year, each once.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta

from jobgate.embedded import start_scratch_servers
from jobgate.testing import open_house
from tests.definitions.factory import save
from tests.definitions.test_year import MINUTE, live, ticks


async def main(year: int = 2028) -> int:
    """Run with servers of its own."""
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    with start_scratch_servers() as servers:
        async with open_house(servers, sweep_s=3600, ticks_kept_days=400) as house:
            await save(house, start, schedule={"repeat": "everyMinute"})
            begin = time.perf_counter()
            await live(house, start, (end - start).days, timedelta(hours=4))
            took_s = time.perf_counter() - begin
            found = await ticks(house)
    wanted = [start + n * MINUTE for n in range(1, (end - start) // MINUTE + 1)]
    print(f"{len(found)} ticks in {took_s:.1f} s, {'as' if found == wanted else 'NOT as'} counted")  # noqa: T201
    return int(found != wanted)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:]))))
