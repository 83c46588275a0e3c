"""A queue as many have it: jobs live in Redis alone, and arq carries them. The harness must see what that loses."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from typing import Any

import arq
from arq.connections import ArqRedis, RedisSettings, create_pool
from redis.exceptions import RedisError

from jobgate import jobs, wire
from jobgate.context import Context
from jobgate.db import UNAVAILABLE, Database
from jobgate.errors import ApiError, Code
from jobgate.jobs import JobStarted
from jobgate.worker import Worker
from tests.chaos.content.tasks.chaos import INSERT

QUEUE = "plain"
AWAY_S = 0.2
DONE = """
insert into job (reference, organisation_id, consumer_key, type, params, state, completed_at, error)
values ($1, 1, $2, $3, $4, case when $5 then 'halted' else 'completed' end, clock_timestamp(),
    case when $5 then json_build_object('code', 'failed') end)
returning id
"""


def remove_rows() -> None:
    """Nothing is stored when a packet is accepted; a row is written when its job is done, for the checker to find."""
    jobs.submit = submit  # type: ignore[assignment]  # that is the guard
    work = Worker.run

    async def run(self: Worker) -> None:
        carrying = asyncio.create_task(carry_forever(self.db, self.settings.redis_url))
        try:
            await work(self)
        finally:
            carrying.cancel()

    Worker.run = run  # type: ignore[method-assign]


async def submit(ctx: Context, type: str, params: Any, **_: Any) -> JobStarted:
    """Queue, and promise."""
    reference = uuid.uuid4()
    try:
        pool = _pools.get(ctx.settings.redis_url)
        if pool is None:
            pool = _pools[ctx.settings.redis_url] = await create_pool(RedisSettings.from_dsn(ctx.settings.redis_url))
        text = wire.encode(params).decode()
        await pool.enqueue_job("carry", str(reference), ctx.caller.key, type, text, _queue_name=QUEUE)
    except (RedisError, OSError, TimeoutError):
        raise ApiError(Code.unavailable, "Redis is away") from None
    return JobStarted(job_reference=reference)


_pools: dict[str, ArqRedis] = {}


async def carry_forever(db: Database, redis_url: str) -> None:
    """An arq worker, and another when Redis was away."""
    while True:
        with suppress(RedisError, OSError, TimeoutError):
            worker = arq.Worker(
                functions=[arq.func(carry, name="carry")],
                queue_name=QUEUE,
                redis_settings=RedisSettings.from_dsn(redis_url),
                handle_signals=False,
                keep_result=0,
                max_tries=1000,
                ctx={"db": db},
            )
            await worker.main()
        await asyncio.sleep(AWAY_S)


async def carry(ctx: dict[Any, Any], reference: str, consumer_key: str, type: str, text: str) -> None:
    """Do the work of one job in one transaction, and again while Postgres is away."""
    db: Database = ctx["db"]
    params = wire.decode(text.encode(), dict[str, Any])
    is_bad = params["mode"].startswith("always ")
    steps = [] if is_bad else list(range(params["steps"]))
    args = (uuid.UUID(reference), consumer_key, type, text.encode(), is_bad)
    try:
        async with db.transaction() as tx:
            job_id = await tx.connection.fetchval(DONE, *args)
            await tx.connection.execute(INSERT, [job_id] * len(steps), steps)
    except UNAVAILABLE:
        raise arq.Retry(defer=AWAY_S) from None
