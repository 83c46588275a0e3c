"""Row 9: what a call pays for a year of jobs that nobody asks for."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from statistics import quantiles
from typing import Any

from jobgate.bench.contest import Contest, Sides
from jobgate.bench.gateway_rows import JOBS, build_call
from jobgate.bench.stage import CALLER, ORGANISATION_ID, Stage, open_stage
from jobgate.bench.table import Mark

FEW = 10_000
YEAR_S = 365 * 24 * 3600
KNOWN = 1000
"""References and times that calls name, taken from all of the year."""

Call = dict[str, Any]


@asynccontextmanager
async def open_growth(stage: Stage) -> AsyncIterator[Sides]:
    """The same calls to two gateways, in turn. A rate is one by the sum of what each kind of call takes at p99."""
    folder = stage.folder / "few"
    folder.mkdir()
    async with open_stage(stage.servers, folder, stage.effort) as small:
        many, few = await store_year(stage, stage.effort.stored), await store_year(small, min(FEW, stage.effort.stored))
        async with (
            stage.serving("gateway", "jobgate", "serve") as gateway,
            small.serving("gateway", "jobgate", "serve") as peer,
        ):
            pair = Pair(lambda: measure(stage.effort.seconds, (gateway, many), (peer, few)))
            yield Sides(lambda: pair.tell(0), lambda: pair.tell(1))


class Pair:
    """Two sides that are measured together, and told of one after the other."""

    def __init__(self, play: Callable[[], Awaitable[list[float]]]) -> None:
        self.play = play
        self.untold: dict[int, float] = {}

    async def tell(self, side: int) -> float:
        """The rate of a side in the round that is not told of yet, or else in a new one."""
        if side not in self.untold:
            self.untold = dict(enumerate(await self.play()))
        return self.untold.pop(side)


FILL = """insert into {table} (id, reference, organisation_id, consumer_key, type, state, params, results, entries,
    created_at, run_at, started_at, completed_at, fence, cancel, attempt, failures, losses, releases)
overriding system value
select n, gen_random_uuid(), {organisation_id}, '{consumer_key}', 'sessionstatusupdate',
    case when n % 50 = 0 then 'halted' else 'completed' end,
    json_build_object('statuses', json_build_array(json_build_object(
        'session_id', 'session-' || n, 'user_id', 'learner-' || n % 1000, 'status', 'Completed'))),
    '[{{"status": "ok", "superseded": false}}]', 1, at, at, at, at, 1, false, 1, 0, 0, 0
from generate_series(1, {count}) as n
cross join lateral (select clock_timestamp() - ({count} - n) * {step_s} * interval '1 second' as at) as moment
where at {side} clock_timestamp() - interval '1 day'"""

MONTHS = """select add_archive_month(month) from generate_series(
    date_trunc('month', clock_timestamp() - interval '366 days', 'UTC'), clock_timestamp(), '1 month') as month"""


async def store_year(stage: Stage, count: int) -> list[list[Call]]:
    """Store jobs that ended in the course of a year, all but the last day's in the archive; calls of each kind."""
    about = {
        "organisation_id": ORGANISATION_ID,
        "consumer_key": CALLER.key,
        "count": count,
        "step_s": YEAR_S / count,
    }
    await stage.run_as_admin(
        "set timezone = 'UTC'",
        MONTHS,
        FILL.format(table="job_archive", side="<", **about),
        FILL.format(table="job", side=">=", **about),
        f"select setval(pg_get_serial_sequence('job', 'id'), {count})",
        "vacuum analyze job",
        "vacuum analyze job_archive",
        "checkpoint",
    )
    dice = random.Random(count)
    numbers = [dice.randint(1, count) for _ in range(KNOWN)]
    async with stage.db.connection() as queries:
        rows = await queries.connection.fetch("select reference from every_job where id = any($1)", numbers)
    now = datetime.now(UTC).timestamp()
    return [
        [{"references": [str(row["reference"])]} for row in rows],
        [{}],
        [{"maxtime": int(now - dice.random() * YEAR_S * 0.9)} for _ in range(KNOWN)],
    ]


async def measure(seconds: float, *sides: tuple[int, list[list[Call]]]) -> list[float]:
    """The rate of each side, which is a port and its kinds of calls: kind after kind, for its share of the time."""
    totals = [0.0 for _ in sides]
    for kind in zip(*(kinds for _, kinds in sides), strict=True):
        packets = [[_build(call) for call in calls] for calls in kind]
        ports = [port for port, _ in sides]
        for number, taken in enumerate(await time_answers(ports, packets, seconds * len(sides) / len(sides[0][1]))):
            totals[number] += quantiles(taken, n=100)[98]
    return [1 / total for total in totals]


def _build(call: Call) -> bytes:
    return build_call(JOBS, "get", call | {"meta": {"request_id": str(uuid.uuid4())}})


async def time_answers(ports: list[int], packets: list[list[bytes]], seconds: float) -> list[list[float]]:
    """How long each answer took. The sides are asked in turn, call by call: nearly all that makes one call in a hundred
    slow comes from elsewhere on the machine, and so meets them alike."""
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(open_line(port)) for port in ports]
        until = time.perf_counter() + seconds
        taken: list[list[float]] = [[] for _ in ports]
        turns = list(zip(lines, map(itertools.cycle, packets), taken, strict=True))
        while time.perf_counter() < until or len(taken[0]) < 2:
            for ask, calls, times in turns:
                times.append(await ask(next(calls)))
            turns.reverse()
        return taken


@asynccontextmanager
async def open_line(port: int) -> AsyncIterator[Callable[[bytes], Awaitable[float]]]:
    """A connection; what it gives sends a packet and tells how many seconds the answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(packet: bytes) -> float:
        started = time.perf_counter()
        writer.write(packet)
        head = await reader.readuntil(b"\r\n\r\n")
        place = head.find(b"content-length: ") + 16
        body = await reader.readexactly(int(head[place : head.find(b"\r\n", place)]))
        ended = time.perf_counter()
        if b'"reference":' not in body:
            raise RuntimeError(f"no job was found: {(head + body)[:2000].decode()}")
        return ended - started

    try:
        yield ask
    finally:
        writer.close()


GROWTH_ROWS = (
    Contest(Mark(9, "jobs get p99, a year of jobs stored", "10,000 stored", 0.67), "calls at p99", open_growth),
)
