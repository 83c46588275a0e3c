"""A run: the stage is set, lanes send, faults strike in an order that the seed decides, then everything comes to rest."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from jobgate.callers import NewConsumer, add_consumer
from jobgate.client import Credentials
from jobgate.db import Database
from jobgate.keys import OuterKey
from tests.chaos.checker import Verdict, check, wait_for_rest
from tests.chaos.faults import Figures, Injector
from tests.chaos.fleet import Fleet, make_fleet
from tests.chaos.guards import UNIQUE_DROPPED
from tests.chaos.lanes import History, Lane
from tests.chaos.line import open_line
from tests.chaos.servers import Servers, prepare


@dataclass(frozen=True)
class Plan:
    """How much of what."""

    deck: dict[str, int]
    lanes: int
    pace_s: float
    pause_s: float
    """Between two faults, at most."""
    at_least: int
    """Packets to be acknowledged in a round, however soon the faults are through."""
    rest_s: float
    redis_away_s: float
    bad: float


FULL = Plan(
    deck={
        "F1 worker killed": 100,
        "F2 worker frozen": 40,
        "F4 killed before the ring": 20,
        "F5 gateway killed after commit": 40,
        "F6 gateway killed before commit": 40,
        "F7 Redis flushed": 20,
        "F8 Redis restarted": 20,
        "F9 Redis away": 3,
        "F13 Postgres restarted": 20,
        "F14 a backend terminated": 50,
        "F14 all backends terminated": 20,
        "F15 packets dropped": 5,
        "F16 commit answer lost": 60,
        "F17 pool exhausted": 5,
        "F24 gateway stopped": 20,
        "F25 worker stopped": 50,
        "F26 two migrators": 3,
        "4.8 client hangs up": 20,
    },
    lanes=30,
    pace_s=0.15,
    pause_s=1.2,
    at_least=100_000,
    rest_s=90,
    redis_away_s=20,
    bad=0.002,
)
QUICK = Plan(
    deck={
        "F1 worker killed": 3,
        "F2 worker frozen": 3,
        "F4 killed before the ring": 1,
        "F5 gateway killed after commit": 2,
        "F6 gateway killed before commit": 1,
        "F7 Redis flushed": 1,
        "F8 Redis restarted": 1,
        "F9 Redis away": 1,
        "F13 Postgres restarted": 1,
        "F14 a backend terminated": 1,
        "F14 all backends terminated": 1,
        "F16 commit answer lost": 2,
        "F17 pool exhausted": 1,
        "F24 gateway stopped": 1,
        "F25 worker stopped": 2,
        "4.8 client hangs up": 2,
    },
    lanes=16,
    pace_s=0.15,
    pause_s=0.3,
    at_least=500,
    rest_s=30,
    redis_away_s=2,
    bad=0.01,
)


@dataclass
class Outcome:
    """What a run leaves behind."""

    history: History
    figures: Figures
    fleet: Fleet
    logged: Counter[str]
    verdict: Verdict
    clock_offset_s: float


async def run(servers: Servers, folder: Path, plan: Plan, *, seed: int, rounds: int, without: str = "") -> Outcome:
    """Run `rounds` rounds and look at what is left."""
    key = OuterKey.make()
    await prepare(servers)
    whos = [Credentials(f"lane{number:012}", f"secret-of-lane-{number:032}") for number in range(plan.lanes + 1)]
    await add_lanes(servers.database_url, key, whos)
    if without == "unique":
        await run_sql(servers, UNIQUE_DROPPED)
    clock_offset_s = time.time() - time.monotonic()
    async with AsyncExitStack() as stack:
        near = folder / "line"
        near.mkdir()
        line = await stack.enter_async_context(open_line(servers.socket, near))
        through = f"postgresql://jobgate@/jobgate?host={near}&port=5432"
        fleet = make_fleet(
            folder,
            database_urls=[servers.database_url, through],
            redis_url=servers.redis_url,
            secret_key=key,
            without=without,
        )
        stack.callback(fleet.close)
        supervising = asyncio.create_task(fleet.supervise())
        stack.callback(supervising.cancel)
        await fleet.until_up()
        history = History()
        uds = [gateway.uds for gateway in fleet.gateways]
        hang_ups = Lane(whos[-1], uds, history, f"{seed} hang-ups", pace_s=0)
        injector = Injector(servers, fleet, line, history, hang_ups, f"{seed} faults")
        injector.redis_away_s = plan.redis_away_s
        order = random.Random(seed)
        for number in range(rounds):
            lanes = [
                Lane(who, uds, history, f"{seed} {number} {who.key}", pace_s=plan.pace_s, bad=plan.bad)
                for who in whos[:-1]
            ]
            for lane in lanes:
                lane.sent = number * 1_000_000
            await run_round(plan, order, injector, lanes)
            rested = await wait_for_rest(servers.admin_url, plan.rest_s)
            if not rested:
                break
        verdict = await check(servers.admin_url, history)
        supervising.cancel()
        with suppress(asyncio.CancelledError):
            await supervising
        fleet.close()
        return Outcome(history, injector.figures, fleet, fleet.read_logs(), verdict, clock_offset_s)


async def run_round(plan: Plan, order: random.Random, injector: Injector, lanes: list[Lane]) -> None:
    """Load and faults together, and at the end a last blow while nothing new comes."""
    before = injector.history.count("acknowledged")
    sending = [asyncio.create_task(lane.run()) for lane in lanes]
    deck = [name for name, count in plan.deck.items() for _ in range(count)]
    order.shuffle(deck)
    try:
        await asyncio.sleep(0.5)
        for number, name in enumerate(deck):
            await injector.strike(name)
            if number % 50 == 49:
                print(f"  {number + 1} faults, {injector.history.count('acknowledged')} acknowledged", flush=True)  # noqa: T201
            await asyncio.sleep(order.uniform(0.05, plan.pause_s))
        while injector.history.count("acknowledged") - before < plan.at_least:
            await asyncio.sleep(0.2)
    finally:
        for lane in lanes:
            lane.stop()
        await asyncio.gather(*sending)
    # Hints of the last packets are lost, and so is a worker: nobody comes to say it again.
    await injector.strike("F7 Redis flushed")
    await injector.strike("F1 worker killed")
    await injector.settle()


async def add_lanes(url: str, key: str, whos: list[Credentials]) -> None:
    """Store the consumers that the lanes are."""
    db = await Database.connect(url, size=1, acquire_s=5, statement_s=5, lock_s=5, name="chaos")
    try:
        async with db.transaction() as tx:
            for who in whos:
                await add_consumer(
                    tx, OuterKey(key), NewConsumer(key=who.key, organisations=(1,), unlimited=True), who.secret
                )
    finally:
        await db.close()


async def run_sql(servers: Servers, sql: str) -> None:
    """Run a statement as superuser."""
    connection = await asyncpg.connect(servers.admin_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()
