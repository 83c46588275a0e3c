"""A store of full size: `python -m tests.stores.full_size [STATEMENTS]`, a quarter of an hour of work for a million.

Loads, reads page by page, pseudonymises and clears, first 10,000 statements and then as many as are asked for. Prints
how fast that is and how much memory this process, gateway and worker in one, needs meanwhile; ends with an error when
a count is wrong, or when the many need much more memory than the few.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Awaitable, Iterator
from typing import TypeVar

from jobgate import testing, wire
from jobgate.bench.xapi_row import make_statement
from jobgate.embedded import start_scratch_servers
from jobgate.stores.imports import Import, Line, StatementReport, import_statements
from jobgate.stores.options import EntryOptions
from jobgate.testing import House, open_house
from tests.datasets.full_size import peak_mib
from tests.stored_statements import run_job

FEW = 10_000
MAY_GROW_MIB = 48
"""What the connections' buffers, and the memory's own disorder, may add."""

T = TypeVar("T")


def lines(count: int) -> Iterator[Line]:
    """A file that is made while it is read."""
    for number in range(count):
        statement = make_statement(number % 50_000)
        statement["id"] = str(uuid.UUID(int=number, version=4))
        yield Line(number + 1, wire.encode(statement))


async def timed(what: str, count: int, work: Awaitable[T]) -> T:
    """Await it, and say how fast it was."""
    begin = time.perf_counter()
    done = await work
    seconds = time.perf_counter() - begin
    print(f"  {what}: {seconds:.1f} s, {count / seconds:,.0f} a second, peak {peak_mib()} MiB", flush=True)  # noqa: T201
    return done


async def load(house: House, slug: str, count: int) -> StatementReport:
    """Fill a store."""
    return await import_statements(house.db, 1, slug, lines(count), Import(options=EntryOptions()))


async def read(house: House, slug: str) -> int:
    """Read it page by page; how many statements it has."""
    request, count = {"store": slug, "ascending": True}, 0
    while True:
        reply = await house.call("xapi/statements", "get", request)
        count += len(reply.data["statements"])
        if "next" not in reply.meta:
            return count
        request["next"] = reply.meta["next"]


async def run(house: House, type: str, slug: str) -> int:
    """Run a saved job to its end; how many statements it did."""
    service = {"service": "statements"} if type == "clearing" else {}
    job = await run_job(house, type, store=slug, until="now", **service)
    if job["status"] != "completed":
        raise RuntimeError(f"{type}: {job['error']}")
    (result,) = job["results"]
    count: int = result["statements"] if type == "pseudo" else result["deleted"]["statements"]
    return count


async def measure(house: House, slug: str, count: int) -> int:
    """All of it with so many statements; the peak after it."""
    print(f"{count:,} statements", flush=True)  # noqa: T201
    await house.call("xapi/stores", "set", {"slug": slug})
    report = await timed("loaded", count, load(house, slug, count))
    found = await timed("read", count, read(house, slug))
    covered = await timed("pseudonymised", count, run(house, "pseudo", slug))
    cleared = await timed("cleared", count, run(house, "clearing", slug))
    if not report.accepted == found == covered == cleared == count:
        raise RuntimeError(f"{report.accepted} loaded, {found} read, {covered} pseudonymised, {cleared} cleared")
    return peak_mib()


async def main(count: int = 1_000_000) -> int:
    """Run with servers of its own."""
    testing.DONE_WITHIN_S = 7200
    with start_scratch_servers() as servers:
        async with open_house(servers) as house:
            async with house.db.connection() as queries:
                await queries.connection.execute("update consumer set unlimited = true")
            few = await measure(house, "few", FEW)
            many = await measure(house, "many", count)
    print(f"{many - few} MiB more for {count:,} than for {FEW:,}")  # noqa: T201
    return int(many - few > MAY_GROW_MIB)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:]))))
