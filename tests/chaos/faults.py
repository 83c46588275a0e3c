"""What strikes. Each fault is a coroutine that returns when the next one may come; what takes longer goes on beside."""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import asyncpg
import msgspec

from tests.chaos.figures import BEFORE_F9, Figures
from tests.chaos.fleet import Fleet, Process
from tests.chaos.lanes import Cut, History, Lane, Wire
from tests.chaos.line import Line
from tests.chaos.servers import Servers

SPRUNG_S = 3.0
"""How long a trap waits for somebody to pass."""

WORKER_POINTS = (
    *("after claim_jobs", "before complete_jobs", "after complete_jobs", "before checkpoint_job"),
    *("after checkpoint_job", "before commit", "after commit", "before renew_leases", "after renew_leases"),
)
ALONE = "before checkpoint_job"
FREEZING_POINTS = (ALONE, "before complete_jobs", "after claim_jobs")
HANG_UPS = 6
"""Tries to find a gateway that comes as far as the lock in time."""

FROZEN_S = 8.0
"""Before the ten seconds after which Postgres ends a transaction that does nothing."""

HELD = "select id, fence from job where owner = $1 and state = 'running'"
RETAKEN = """
select id from job join unnest($1::bigint[], $2::integer[]) as was (was_id, was_fence) on id = was_id
where fence > was_fence or state in ('completed', 'halted')
"""
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What a look at the tables may raise while Postgres is struck: then there is nothing to learn."""


class Injector:
    """Strikes the stage with one kind of fault after another."""

    def __init__(
        self,
        servers: Servers,
        fleet: Fleet,
        line: Line,
        history: History,
        hang_ups: Lane,
        seed: str,
        *,
        lease_s: float,
    ) -> None:
        self.servers = servers
        self.fleet = fleet
        self.line = line
        self.history = history
        self.hang_ups = hang_ups
        self.lease_s = lease_s
        self.random = random.Random(seed)
        self.deadly_points = cycle(self.random.sample(WORKER_POINTS, len(WORKER_POINTS)))
        self.freezing_points = cycle(FREEZING_POINTS)
        self.figures = Figures()
        self.beside: set[asyncio.Task[None]] = set()
        self.postgres_hurt_at = 0.0
        self.faults: dict[str, Callable[[], Awaitable[None]]] = {
            "F1 worker killed": self.kill_worker,
            "F2 worker frozen": self.freeze_worker,
            "F4 killed before the ring": self.kill_sweeper,
            "F5 gateway killed after commit": self.kill_gateway_after_commit,
            "F6 gateway killed before commit": self.kill_gateway_before_commit,
            "F7 Redis flushed": self.flush_redis,
            "F8 Redis restarted": self.restart_redis,
            "F9 Redis away": self.take_redis_away,
            "F13 Postgres restarted": self.restart_postgres,
            "F14 a backend terminated": self.terminate_one,
            "F14 all backends terminated": self.terminate_all,
            "F15 packets dropped": self.drop_packets,
            "F16 commit answer lost": self.cut_commit,
            "F17 pool exhausted": self.exhaust_pool,
            "F24 gateway stopped": self.stop_gateway,
            "F25 worker stopped": self.stop_worker,
            "F26 two migrators": self.migrate_twice,
            "4.8 client hangs up": self.hang_up,
        }
        self.redis_away_s = 5.0

    async def strike(self, name: str) -> None:
        """Let one fault happen."""
        self.figures.struck[name] += 1
        await self.faults[name]()

    async def settle(self) -> None:
        """Wait for what still goes on beside."""
        if self.beside:
            await asyncio.wait(list(self.beside), timeout=30)

    def _go_on(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.beside.add(task)
        task.add_done_callback(self.beside.discard)

    # -- workers ------------------------------------------------------------------------------------------------------

    async def kill_worker(self) -> None:
        """F1, at a named point or anywhere."""
        worker = self.random.choice([worker for worker in self.fleet.workers if not worker.is_frozen])
        owner = name_of(worker)
        if self.random.random() < 0.3:
            worker.send(signal.SIGKILL)
        elif not await self._spring("F1", worker, next(self.deadly_points), signal.SIGKILL):
            return
        self._go_on(self._watch_reruns(owner, time.monotonic()))

    async def _watch_reruns(self, owner: str, killed_at: float) -> None:
        with suppress(*AWAY):
            async with self.servers.looking() as connection:
                held = {row["id"]: row["fence"] for row in await connection.fetch(HELD, owner)}
                while held and time.monotonic() - killed_at < 60:
                    for row in await connection.fetch(RETAKEN, list(held), list(held.values())):
                        del held[row["id"]]
                        if self.postgres_hurt_at < killed_at - self.lease_s:
                            self.figures.reruns_s.append(time.monotonic() - killed_at)
                    await asyncio.sleep(0.05)

    async def freeze_worker(self) -> None:
        """F2: in the middle of something, until others have taken over, then on as if nothing had happened."""
        awake = [worker for worker in self.fleet.workers if not worker.is_frozen]
        if len(awake) < 2:
            return
        worker, point = self.random.choice(awake), next(self.freezing_points)
        child, owner = worker.child, name_of(worker)
        worker.is_frozen = True
        if child is None or not await self._spring("F2", worker, point, signal.SIGSTOP):
            worker.is_frozen = False
            return

        async def thaw() -> None:
            try:
                await self._await_successors(owner)
            finally:
                child.send(signal.SIGCONT)
                worker.is_frozen = False

        if point == ALONE:  # a blow to its open transaction would spoil the encounter
            await thaw()
        else:
            self._go_on(thaw())

    async def _await_successors(self, owner: str) -> None:
        frozen_at = time.monotonic()
        with suppress(*AWAY):
            async with self.servers.looking() as connection:
                held = await connection.fetch(HELD, owner)
                ids, fences = [row["id"] for row in held], [row["fence"] for row in held]
                while held and time.monotonic() - frozen_at < FROZEN_S:
                    if len(await connection.fetch(RETAKEN, ids, fences)) == len(held):
                        return
                    await asyncio.sleep(0.02)
        await asyncio.sleep(max(0.0, frozen_at + self.lease_s * 1.4 - time.monotonic()))

    async def stop_worker(self) -> None:
        """F25."""
        self.random.choice([w for w in self.fleet.workers if not w.is_frozen]).send(signal.SIGTERM)

    async def _spring(self, fault: str, process: Process, point: str, number: signal.Signals) -> bool:
        pid = self.fleet.trap(process, point, number)
        if pid is None:
            return False
        deadline = time.monotonic() + SPRUNG_S
        while time.monotonic() < deadline and process.pid == pid:
            if not (self.fleet.folder / "traps" / str(pid)).exists():
                self.figures.sprung[f"{fault} {point}"] += 1
                return True
            await asyncio.sleep(0.01)
        if self.fleet.untrap(pid):
            return False
        self.figures.sprung[f"{fault} {point}"] += 1
        return True

    # -- gateways -----------------------------------------------------------------------------------------------------

    async def kill_sweeper(self) -> None:
        """F4: whoever found due work dies before it rings."""
        process = self.random.choice([p for p in self.fleet.all if not p.is_frozen])
        await self._spring("F4", process, "after has_due_jobs", signal.SIGKILL)

    async def kill_gateway_after_commit(self) -> None:
        """F5: between the commit and the ring."""
        await self._spring("F5", self.random.choice(self.fleet.gateways), "after accept_job", signal.SIGKILL)

    async def kill_gateway_before_commit(self) -> None:
        """F6; now and then at any other moment."""
        gateway = self.random.choice(self.fleet.gateways)
        if self.random.random() < 0.3:
            gateway.send(signal.SIGKILL)
        else:
            await self._spring("F6", gateway, "before accept_job", signal.SIGKILL)

    async def stop_gateway(self) -> None:
        """F24: SIGTERM under load."""
        gateway = self.random.choice(self.fleet.gateways)
        child, began = gateway.child, time.monotonic()
        if child is None or not gateway.is_up or gateway.is_leaving:
            return
        gateway.send(signal.SIGTERM)

        async def watch() -> None:
            code = await asyncio.to_thread(child.wait, 40)
            ended = time.monotonic()
            self.figures.exits_s.append(ended - began)
            if code == 0:  # else something struck it down on its way
                self.figures.leaving_cuts += [
                    f"{sent} after {at - began:.2f} of {ended - began:.2f} s"
                    for at, uds, sent in self.history.cuts
                    if sent and uds == gateway.uds and began <= at <= ended
                ]

        self._go_on(watch())

    async def hang_up(self) -> None:
        """4.8: a client leaves while its commit waits for a lock; the commit must happen nevertheless."""
        for _ in range(HANG_UPS):
            gateway = self.random.choice(self.fleet.gateways)
            if gateway.is_up and not gateway.is_leaving and await self._hang_up_on(gateway):
                self.figures.seen["hung up"] += 1
                return
            await asyncio.sleep(0.5)

    async def _hang_up_on(self, gateway: Process) -> bool:
        packet, wire, waits = self.hang_ups.make_packet("chaos"), Wire(gateway.uds), False
        async with self.servers.looking() as connection:
            blocking = connection.transaction()
            await blocking.start()
            await connection.execute(HOLD_PACKET, self.hang_ups.who.key, digest_of(packet.body))
            with suppress(OSError):  # the gateway is about to be replaced
                await wire.send_only(packet.body)
                deadline = time.monotonic() + 0.6  # a gateway waits for a lock for a second
                while not (waits := await connection.fetchval(IS_HELD)) and time.monotonic() < deadline:
                    await asyncio.sleep(0.01)
                wire.close()
                await asyncio.sleep(0.1)
            await blocking.rollback()
        if waits:
            packet.outcome = "abandoned"
            self.history.packets.append(packet)
        return waits

    async def lose_last_ring(self) -> None:
        """F5 with the very last packet: its gateway dies before the ring, and nothing that comes later rings for it."""
        gateway, packet = self.fleet.gateways[0], self.hang_ups.make_packet("chaos")
        await self.fleet.until_up()
        self.history.packets.append(packet)
        self.fleet.trap(gateway, "after accept_job", signal.SIGKILL)
        await self.hang_ups.send(packet, self.hang_ups.wires[0])
        await self.hang_ups.deliver(packet)
        self.hang_ups.close()

    # -- Redis --------------------------------------------------------------------------------------------------------

    async def flush_redis(self) -> None:
        """F7."""
        reader, writer = await asyncio.open_unix_connection(self.servers.redis_url[len("unix://") :].partition("?")[0])
        writer.write(b"FLUSHALL\r\n")
        await reader.readline()
        writer.close()

    async def restart_redis(self) -> None:
        """F8."""
        began = time.monotonic()
        self.servers.kill_redis()
        await self.servers.start_redis()
        self.figures.windows.append(("F8", began, time.monotonic() + 1))

    async def take_redis_away(self) -> None:
        """F9, apart from what came before it: what it costs is measured."""
        await self.settle()
        await asyncio.sleep(min(3.0, self.redis_away_s))
        before = time.monotonic()
        await asyncio.sleep(min(5.0, self.redis_away_s))
        began = time.monotonic()
        self.figures.windows.append((BEFORE_F9, before, began))
        self.servers.kill_redis()
        await asyncio.sleep(self.redis_away_s)
        self.figures.windows.append(("F9", began, time.monotonic()))
        await self.servers.start_redis()

    # -- Postgres -----------------------------------------------------------------------------------------------------

    async def restart_postgres(self) -> None:
        """F13, as after a crash."""
        self.postgres_hurt_at = time.monotonic()
        accepts_at = await self.servers.restart_postgres()
        self.postgres_hurt_at = time.monotonic()
        good = self.history.statuses[200]
        while self.history.statuses[200] == good and time.monotonic() - accepts_at < 30:
            await asyncio.sleep(0.01)
        self.figures.normal_s.append(time.monotonic() - accepts_at)

    async def terminate_one(self) -> None:
        """F14."""
        await self._terminate("limit 1")

    async def terminate_all(self) -> None:
        """F14."""
        self.postgres_hurt_at = time.monotonic()
        await self._terminate("")

    async def _terminate(self, limit: str) -> None:
        async with self.servers.looking() as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from (select pid from pg_stat_activity"
                f" where application_name like 'jobgate %' order by random() {limit}) as victim"
            )

    async def drop_packets(self) -> None:
        """F15: nothing arrives and nothing is refused, for those who go through the line."""
        self.postgres_hurt_at = time.monotonic()
        self.line.freeze(True)
        await asyncio.sleep(self.random.uniform(1, 4))
        self.line.freeze(False)

    async def cut_commit(self) -> None:
        """F16: a commit was sent; the connection breaks before the answer."""
        cuts, deadline = self.line.cuts, time.monotonic() + SPRUNG_S
        self.line.cut_next()
        while self.line.cuts == cuts and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        self.line.wanted = 0
        self.figures.sprung["F16"] += self.line.cuts - cuts

    async def exhaust_pool(self) -> None:
        """F17: every accepting statement hangs on a lock; probes must answer."""
        self.postgres_hurt_at = time.monotonic()
        async with self.servers.looking() as connection, connection.transaction():
            await connection.execute("lock table replay in access exclusive mode")
            until = time.monotonic() + 3
            while time.monotonic() < until:
                await self._probe()
                await asyncio.sleep(0.3)

    async def _probe(self) -> None:
        for gateway in self.fleet.gateways:
            if not gateway.is_up or gateway.is_leaving:
                continue
            wire, began = Wire(gateway.uds), time.monotonic()
            try:
                answer = await wire.exchange(b"GET /healthz HTTP/1.1\r\nHost: gate\r\n\r\n")
            except Cut:
                continue
            wire.close()
            self.figures.seen["probes"] += 1
            self.figures.seen["probes failed"] += answer.status != 200 or time.monotonic() - began > 1

    async def migrate_twice(self) -> None:
        """F26: two migrators at once, on a schema that is current."""
        gateway = self.fleet.gateways[0]

        async def migrate() -> int:
            place = Process("migrate", ("migrate",), gateway.env, self.fleet.folder)
            place.name += str(self.random.random())
            place.start()
            assert place.child is not None  # it has just been started
            return await asyncio.to_thread(place.child.wait, 30)

        codes = await asyncio.gather(migrate(), migrate())
        if any(codes):
            self.history.oddities.append(f"two migrators ended with {codes}")


HOLD_PACKET = """
insert into replay (consumer_key, digest, after_id, answer)
select $1, $2, coalesce(max(id), 0), '' from replay where consumer_key = $1
"""
"""What the accepting of one packet, and of no other, has to wait for."""

IS_HELD = """
select exists (select from pg_locks where not granted and transactionid = pg_current_xact_id()::xid)
"""


def digest_of(body: bytes, endpoint: str = "chaos") -> bytes:
    """What stands for a packet's bytes in the database."""
    security = msgspec.json.decode(parse_qs(body.decode())["security"][0], type=dict[str, str])
    return hashlib.sha256(f"{endpoint} {security['signature']}".encode()).digest()


def name_of(worker: Process) -> str:
    """What the worker calls itself in the tables."""
    started = worker.events("worker.started")
    return str(started[0]["worker"] if started else UUID(int=0))
