"""A dataset of full size: `python -m tests.datasets.full_size [USERS [ACTIVITIES [QUESTIONS]]]`, minutes of work.

200,000 users in 1,000 groups of 10 areas. Prints how long uploading and compiling take and how much memory this
process, gateway and worker in one, needs meanwhile; ends with an error when a sampled group differs from numpy.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time

from jobgate import testing
from jobgate.embedded import start_scratch_servers
from jobgate.testing import House, open_house
from tests.datasets.measures import differences
from tests.datasets.samples import ANALYSIS, TYPE, add_many, compile_dataset, line, read, upload

GROUPS = 1000
AREAS = 10
SAMPLES = (0, 1, 499, 777, 999)


def peak_mib() -> int:
    """The largest resident set that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def measure(house: House, users: int, activities: int, questions: int) -> int:
    """Fill, upload, compile, compare; how many groups differ."""
    begin = time.perf_counter()
    await add_many(house, users, activities, questions)
    async with house.db.connection() as queries:
        await queries.connection.execute("vacuum analyze session", timeout=600)
        await queries.connection.execute("vacuum analyze response", timeout=600)
    print(f"{users * activities} sessions added in {time.perf_counter() - begin:.1f} s")  # noqa: T201
    lines = [line(f"user-{n}", f"area-{n % AREAS}", f"class-{n % GROUPS}") for n in range(users)]
    kind = ANALYSIS if questions else TYPE
    begin = time.perf_counter()
    dataset_id = await upload(house, *lines, dataset_type=kind)
    uploaded, before = time.perf_counter(), peak_mib()
    await compile_dataset(house, dataset_id, kind)
    compiled = time.perf_counter()
    print(  # noqa: T201
        f"uploaded in {uploaded - begin:.1f} s, compiled in {compiled - uploaded:.1f} s,"
        f" peak {peak_mib()} MiB ({before} MiB after uploading)"
    )
    wrong = 0
    for number in SAMPLES:
        group = (await read(house, dataset_id, f"area-{number % AREAS}", f"class-{number}"))["group"]
        found = await differences(house, group, range(number, users, GROUPS))
        wrong += bool(found)
        print(f"class-{number}: population {group['population']}, {found or 'as numpy says'}")  # noqa: T201
    return wrong


async def main(users: int = 200_000, activities: int = 10, questions: int = 0) -> int:
    """Run with servers of its own."""
    testing.DONE_WITHIN_S = 3600
    with start_scratch_servers() as servers:
        async with open_house(servers) as house:
            return await measure(house, users, activities, questions)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:]))))
