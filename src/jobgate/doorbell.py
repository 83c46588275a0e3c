"""The doorbell: hints that say "look at Postgres", sent over Redis with arq. The only module that imports arq.

    ring() -> pending flag -> run_ringer() -> arq's queue -> listen(): an arq worker -> on_hint()
                                                  ^                   |
                                                  +---- canary <------+   its round trip is the health signal

Redis holds nothing that matters: a hint may be lost, doubled, late or forged, and costs a look at most. What cannot be
sent is counted, what is not a hint is dropped and counted, and the sweeper and the workers' own looks do the rest.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, NoReturn
from uuid import uuid4

from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis import exceptions as redis_errors
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.client import Pipeline
from redis.exceptions import RedisError

from jobgate.endings import carry_through, end_all, within
from jobgate.hints import FUNCTION, Hint, decode, encode, make_hint
from jobgate.log import event

log = logging.getLogger(__name__)

QUEUE_KEY = "arq:jobgate:jobs"
CANARY = "canary:"
EXPIRY_S = 60
# arq takes a message again this long (and ten seconds) after its worker died; no hint runs for more than a moment.
JOB_TIMEOUT_S = 60
# Hints are alike: one more behind so many says nothing new, and without a listener the queue must not grow.
WAITING_HINTS = 100
# arq compares due times with the hearer's clock, and clocks differ: every hint is long due.
ALWAYS_DUE = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
CONNECT_S, ANSWER_S, RING_S = 1.0, 0.5, 0.05
COALESCE_S, BACKOFF_MIN_S = 0.02, 0.1
# Trouble of the server or the way to it; any other failure of the loop comes from what lies in our queue.
SERVER_TROUBLE = (
    *(redis_errors.ConnectionError, redis_errors.TimeoutError, redis_errors.WatchError, OSError, TimeoutError),
    *(redis_errors.OutOfMemoryError, redis_errors.ReadOnlyError, redis_errors.NoPermissionError),
)

# What arq calls, for `check` to try on a scratch key that expires, whichever of them are refused.
PROBES = (
    *("ping", "info", "dbsize", "watch KEY", "unwatch", "multi", "exec", "discard", "exists KEY"),
    *("psetex KEY 60000 1", "incrby KEY 1", "get KEY", "set KEY 1 px 60000", "pexpire KEY 60000", "del KEY"),
    *("zadd KEY 1 hint", "expire KEY 60", "zincrby KEY 1 hint", "zscore KEY hint", "zcard KEY"),
    *("zrangebyscore KEY -inf +inf", "zrem KEY hint"),
)


class Doorbell:
    """Rings and hears hints; healthy or not, nothing is lost without it. An empty URL means no doorbell."""

    def __init__(
        self,
        redis_url: str,
        *,
        canary_every_s: float = 5.0,
        canary_late_s: float = 3.0,
        poll_s: float = 0.05,
        backoff_max_s: float = 5.0,
    ) -> None:
        self._redis_url = redis_url
        self._canary_every_s = canary_every_s
        self._canary_late_s = canary_late_s
        self._poll_s = poll_s
        self._backoff_max_s = backoff_max_s
        self._wanted = asyncio.Event()
        self._reference = ""
        self._line: ArqRedis | None = None
        self._canary = CANARY + uuid4().hex
        self._canary_heard = asyncio.Event()
        self._listens = False
        self._works: dict[str, bool] = {}
        self.rung = 0
        self.ring_failures = 0
        self.heard = 0
        self.dropped = 0
        self.canary_s = 0.0

    @property
    def healthy(self) -> bool:
        """Whether hints arrive, as the last canary told; for one who only rings, whether they can be sent."""
        return self._works.get("listen" if self._listens else "ring", False)

    def _note(self, side: str, error: Exception | None = None) -> None:
        """Remember how a side fares, and log it when that is new."""
        works = error is None
        if works is not self._works.get(side):
            reason = "answered" if error is None else f"{type(error).__name__}: {error}"[:200]
            level = logging.INFO if works else logging.WARNING
            event(log, "doorbell", level, side=side, works=works, reason=reason)
        self._works[side] = works

    # -- ringing -----------------------------------------------------------------------------------------------------

    def ring(self, job_reference: str = "") -> None:
        """Say, after commit, that there is work. Costs a microsecond and cannot fail; call it on the loop's thread."""
        if self._redis_url:
            self._reference = job_reference
            self._wanted.set()

    async def run_ringer(self) -> NoReturn:
        """Send what was rung, until cancelled: many rings as one hint, and after a failure none for a while."""
        if not self._redis_url:
            await asyncio.Event().wait()
        pause_s = BACKOFF_MIN_S
        while True:
            try:
                await self._send()
            except Exception as error:  # whatever it is, the next try starts from a new connection
                self.ring_failures += 1
                self._note("ring", error)
                await self._hang_up()
                await asyncio.sleep(pause_s * random.uniform(0.5, 1))
                pause_s = min(pause_s * 2, self._backoff_max_s)
                continue
            pause_s = BACKOFF_MIN_S
            self._note("ring")
            await asyncio.sleep(COALESCE_S)
            try:
                async with asyncio.timeout(self._canary_every_s):
                    await self._wanted.wait()
            except TimeoutError:
                pass  # nothing to say: the next call is a ping

    async def close(self) -> None:
        """Send a hint that is still pending, within its budget, and disconnect."""
        try:
            if self._wanted.is_set():
                await self._send()
        except Exception:  # the sweeper will ring
            self.ring_failures += 1
        await self._hang_up()

    async def _send(self) -> None:
        """Send the pending hint, or ping; a hint that could not be sent stays pending."""
        if self._line is None:
            self._line = _connect(self._redis_url, connections=1)
            await within(CONNECT_S + ANSWER_S, self._line.ping())
        if not self._wanted.is_set():
            await within(ANSWER_S, self._line.ping())
            return
        self._wanted.clear()
        try:
            self.rung += await within(RING_S, _put(self._line, self._reference)) is not None
        except BaseException:
            self._wanted.set()
            raise

    async def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            await _disconnect(line)

    # -- hearing -----------------------------------------------------------------------------------------------------

    async def listen(self, on_hint: Callable[[], None]) -> NoReturn:
        """Call `on_hint` at every hint, and once whenever hearing begins (again), until cancelled."""
        if not self._redis_url:
            await asyncio.Event().wait()
        # arq writes a line for every message; what matters of them is counted here.
        logging.getLogger("arq").setLevel(logging.ERROR)
        self._listens = True
        pause_s = BACKOFF_MIN_S
        try:
            while True:
                try:
                    await self._hear(on_hint)
                except Exception as error:  # arq's loop ends at the first error, whatever it is
                    pause_s = BACKOFF_MIN_S if self.healthy else pause_s
                    self._note("listen", error)
                await asyncio.sleep(pause_s * random.uniform(0.5, 1))
                pause_s = min(pause_s * 2, self._backoff_max_s)
        finally:
            self._listens = False
            self._works.pop("listen", None)

    async def _hear(self, on_hint: Callable[[], None]) -> None:
        """Run an arq worker and its canary until one of them fails."""

        async def hear(_ctx: dict[Any, Any], hint: Hint) -> None:
            if not hint.job.startswith(CANARY):
                self.heard += 1
                on_hint()
            elif hint.job == self._canary:
                self._canary_heard.set()

        client = _connect(self._redis_url, connections=8)
        worker = _Listener(self, client, hear, self._poll_s)
        tasks = [asyncio.create_task(worker.main()), asyncio.create_task(self._prove(client, on_hint))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
        except SERVER_TROUBLE:
            raise
        except Exception:
            await self._set_aside(client)
            raise
        finally:
            await carry_through(worker.stop(tasks))

    async def _prove(self, client: ArqRedis, on_hint: Callable[[], None]) -> NoReturn:
        """Ring canaries for ever; raises when one cannot be rung or is not heard in time."""
        while True:
            started = time.monotonic()
            await self._send_canary(client, started + self._canary_late_s)
            self.canary_s = time.monotonic() - started
            if not self.healthy:
                self._note("listen")
                on_hint()  # what was rung meanwhile fell on deaf ears
            await asyncio.sleep(self._canary_every_s)

    async def _send_canary(self, client: ArqRedis, deadline: float) -> None:
        """Ring a canary and wait until it is heard here, or gone: then a colleague on the same queue heard it."""
        self._canary_heard.clear()
        hint_id = await _put(client, self._canary)
        while hint_id is None or (not self._canary_heard.is_set() and await client.zscore(QUEUE_KEY, hint_id)):
            if time.monotonic() > deadline:
                await self._set_aside(client)
                raise TimeoutError("the canary was not heard")
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._canary_heard.wait()
            except TimeoutError:
                hint_id = hint_id or await _put(client, self._canary)

    async def _set_aside(self, client: ArqRedis) -> None:
        """Drop our queue: something in it keeps arq from reading on (a wrong type, an id or a score from elsewhere)."""
        self.dropped += 1
        try:
            await client.delete(QUEUE_KEY)
        except (RedisError, OSError):
            pass  # the failure that led here is on its way already


class _Listener(Worker):
    """arq's worker with the settings that are not negotiable; counts what it drops."""

    def __init__(self, doorbell: Doorbell, client: ArqRedis, hear: Callable[..., Any], poll_s: float) -> None:
        super().__init__(
            functions=[func(hear, name=FUNCTION, max_tries=1)],
            queue_name=QUEUE_KEY,
            redis_pool=client,
            handle_signals=False,
            max_jobs=20,
            job_timeout=JOB_TIMEOUT_S,
            keep_result=0,
            poll_delay=poll_s,
            queue_read_limit=10 * WAITING_HINTS,
            max_tries=1,
            retry_jobs=False,
            allow_abort_jobs=False,
            job_serializer=encode,
            job_deserializer=decode,
            expires_extra_ms=EXPIRY_S * 1000,
            timezone=UTC,
            log_results=False,
        )
        self._doorbell = doorbell

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:
        """End a message that was no hint, was too old, or was taken before by a worker that died."""
        self._doorbell.dropped += 1
        await super().finish_failed_job(job_id, result_data)

    async def stop(self, loops: Collection[asyncio.Future[Any]]) -> None:
        """End everything; arq's own `close` would take the end of its jobs for a cancellation of the caller."""
        await end_all(loops)
        if self.tasks:  # a hint that is half heard would stay in the queue for JOB_TIMEOUT_S
            await asyncio.wait(self.tasks.values(), timeout=ANSWER_S)
        await end_all(self.tasks.values())
        await _disconnect(self.pool)


class _Client(ArqRedis):
    """arq's client with transactions that always come to an end."""

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _Transaction(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class _Transaction(Pipeline):
    """redis-py's keeps its connection, and complains later, when it is cut off while watching a key."""

    async def reset(self) -> None:
        try:
            await super().reset()  # type: ignore[no-untyped-call]
        except BaseException:
            connection, self.connection = self.connection, None
            if connection is not None:
                await connection.disconnect(nowait=True)
                await self.connection_pool.release(connection)
            raise


async def check(redis_url: str) -> list[str]:
    """What an operator should put right, a sentence each; empty when all is well."""
    try:
        client = _connect(redis_url, connections=1)
    except ValueError as error:
        return [f"JOBGATE_REDIS_URL: {error}"]
    try:
        return await _list_problems(client)
    except (RedisError, OSError) as error:
        return [f"Redis cannot be used ({error}): start it, or correct JOBGATE_REDIS_URL"]
    finally:
        await _disconnect(client)


async def _list_problems(client: ArqRedis) -> list[str]:
    problems, missing = [], []
    scratch = f"{QUEUE_KEY}:doctor:{uuid4().hex}"
    for probe in PROBES:
        try:
            reply = await client.execute_command(*probe.replace("KEY", scratch).split())  # type: ignore[no-untyped-call]
        except redis_errors.NoPermissionError:
            missing.append("+" + probe.split()[0])
            continue
        except (redis_errors.OutOfMemoryError, redis_errors.ReadOnlyError) as error:
            problems.append(f"Redis takes no hints ({error}): give it memory, or name the primary")
            break
        except redis_errors.ResponseError:
            continue  # follows from a refusal before: EXEC without MULTI
        if probe == "info" and int(reply["redis_version"].partition(".")[0]) < 7:
            problems.append(f"Redis {reply['redis_version']} is too old: use Redis 7 or later, or Valkey")
        if probe == "info" and reply["maxmemory_policy"] != "noeviction":
            problems.append(f"Redis may drop hints: set maxmemory-policy noeviction, not {reply['maxmemory_policy']}")
    if missing:
        problems.append(f"The Redis user lacks rights on arq:*: grant {' '.join(missing)}")
    return problems


def _connect(redis_url: str, *, connections: int) -> ArqRedis:
    """A client with a pool of its own; it connects at its first call."""
    limits = {"timeout": ANSWER_S, "socket_timeout": ANSWER_S, "socket_connect_timeout": CONNECT_S}
    by_scheme = {"redis": {"socket_keepalive": True}, "rediss": {"socket_keepalive": True, "ssl_check_hostname": True}}
    options: dict[str, Any] = {**limits, **by_scheme.get(redis_url.partition(":")[0], {})}
    pool = BlockingConnectionPool.from_url(redis_url, max_connections=connections, health_check_interval=10, **options)
    return _Client(pool, job_serializer=encode, job_deserializer=decode, default_queue_name=QUEUE_KEY)


async def _disconnect(client: ArqRedis) -> None:
    try:
        await client.aclose(close_connection_pool=True)
    except (RedisError, OSError):
        pass  # the other end is gone


async def _put(client: ArqRedis, reference: str) -> str | None:
    """Queue a hint under an id of its own (arq silently refuses one it has seen); None while enough are waiting."""
    if await client.zcard(QUEUE_KEY) >= WAITING_HINTS:
        return None
    message = await client.enqueue_job(FUNCTION, make_hint(reference), _defer_until=ALWAYS_DUE, _expires=EXPIRY_S)
    return message.job_id if message else None
