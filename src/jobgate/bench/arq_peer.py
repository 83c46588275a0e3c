"""arq alone: queue no-ops, then run them in a worker. `python -m jobgate.bench.arq_peer URL COUNT` tells how long."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import uvloop
from arq.connections import RedisSettings, create_pool
from arq.worker import Worker, func

MAX_JOBS = 500
"""With arq's default of 10, its half-second poll would be all that is measured."""


async def enqueue(redis_url: str, count: int) -> None:
    """Queue `count` no-ops on an empty server."""
    pool = await create_pool(RedisSettings.from_dsn(redis_url))
    try:
        await pool.flushdb()
        for _ in range(count):
            await pool.enqueue_job("no_op")
    finally:
        await pool.aclose()


async def drain(redis_url: str, count: int) -> float:
    """Run `count` no-ops in a worker; the seconds from the first to the end of the last."""
    begun: list[float] = []
    ended = asyncio.Event()
    left = count

    async def no_op(ctx: dict[Any, Any]) -> None:  # noqa: ARG001  # arq passes it by name
        if not begun:
            begun.append(time.perf_counter())

    async def count_end(ctx: dict[Any, Any]) -> None:  # noqa: ARG001
        nonlocal left
        left -= 1
        if not left:
            ended.set()

    worker = Worker(
        functions=[func(no_op, name="no_op")],
        redis_settings=RedisSettings.from_dsn(redis_url),
        handle_signals=False,
        max_jobs=MAX_JOBS,
        after_job_end=count_end,
    )
    running = asyncio.create_task(worker.main())
    await ended.wait()
    seconds = time.perf_counter() - begun[0]
    running.cancel()
    await asyncio.wait([running])
    return seconds


def main() -> None:
    """Queue, drain, and print the seconds that the draining took."""
    redis_url, count = sys.argv[1], int(sys.argv[2])
    uvloop.run(enqueue(redis_url, count))
    print(uvloop.run(drain(redis_url, count)))  # noqa: T201  # the answer to who started us


if __name__ == "__main__":
    main()
