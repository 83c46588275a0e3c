"""The stage: servers, the line, a fleet, lanes and an injector, for a campaign or for the test of one fault."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from jobgate.callers import NewConsumer, add_consumer
from jobgate.client import Credentials
from jobgate.db import Database
from jobgate.keys import OuterKey
from tests.chaos.checker import Verdict, check, wait_for_rest
from tests.chaos.faults import Injector
from tests.chaos.fleet import Fleet, make_fleet
from tests.chaos.guards import UNIQUE_DROPPED
from tests.chaos.lanes import History, Lane
from tests.chaos.line import Line, open_line
from tests.chaos.servers import Servers, prepare


@dataclass
class Stage:
    """Everything that runs, and what the clients remember."""

    servers: Servers
    fleet: Fleet
    line: Line
    injector: Injector
    history: History
    whos: Sequence[Credentials]
    loads: count[int]
    clock_offset_s: float
    """What makes a Unix time of our monotonic clock."""

    def make_lanes(
        self, seed: str, number: int, *, pace_s: float, bad: float = 0, long: float = 0, long_steps: int = 40
    ) -> list[Lane]:
        """Lanes that send packets nobody has sent before."""
        uds = [gateway.uds for gateway in self.fleet.gateways]
        load = next(self.loads)
        lanes = [
            Lane(
                who,
                uds,
                self.history,
                f"{seed} {load} {who.key}",
                pace_s=pace_s,
                bad=bad,
                long=long,
                long_steps=long_steps,
            )
            for who in self.whos[:number]
        ]
        for lane in lanes:
            lane.sent = load * 1_000_000
        return lanes

    @asynccontextmanager
    async def load(self, lanes: Sequence[Lane], *, at_least: int = 0) -> AsyncIterator[None]:
        """Lanes that send while the block runs, and until so many packets more are acknowledged."""
        before = self.history.count("acknowledged")
        sending = [asyncio.create_task(lane.run()) for lane in lanes]
        try:
            yield
            while self.history.count("acknowledged") - before < at_least:
                await asyncio.sleep(0.05)
        finally:
            for lane in lanes:
                lane.stop()
            await asyncio.gather(*sending)

    async def rest(self, within_s: float) -> Verdict:
        """Wait until every job is final, or too long; then what is true."""
        await self.injector.settle()
        await wait_for_rest(self.servers.admin_url, within_s)
        return await check(self.servers.admin_url, self.history)


@asynccontextmanager
async def open_stage(
    servers: Servers,
    *,
    seed: str,
    lanes: int,
    workers: int = 3,
    lease_s: float = 3,
    without: str = "",
    keep: Path | None = None,
    settings: Mapping[str, object] | None = None,
) -> AsyncIterator[Stage]:
    """A fleet at work on fresh servers; every second process reaches Postgres through the line."""
    key = OuterKey.make()
    await prepare(servers)
    whos = [Credentials(f"lane{number:012}", f"secret-of-lane-{number:032}") for number in range(lanes + 1)]
    await add_lanes(servers.database_url, key, whos)
    async with AsyncExitStack() as stack:
        if without == "unique":
            async with servers.looking() as connection:
                await connection.execute(UNIQUE_DROPPED)
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jobgate-chaos-")))
        near = folder / "line"
        near.mkdir(parents=True)
        line = await stack.enter_async_context(open_line(servers.socket, near))
        fleet = make_fleet(
            folder,
            database_urls=[servers.database_url, f"postgresql://jobgate@/jobgate?host={near}&port=5432"],
            redis_url=servers.redis_url,
            secret_key=key,
            workers=workers,
            without=without,
            settings={"lease_s": lease_s} | dict(settings or {}),
        )
        stack.callback(fleet.close)
        supervising = asyncio.create_task(fleet.supervise())
        stack.push_async_callback(_end, supervising)
        await fleet.until_up()
        history = History()
        uds = [gateway.uds for gateway in fleet.gateways]
        hang_ups = Lane(whos[-1], uds, history, f"{seed} hang-ups", pace_s=0)
        injector = Injector(servers, fleet, line, history, hang_ups, f"{seed} faults", lease_s=lease_s)
        yield Stage(
            servers, fleet, line, injector, history, whos[:-1], count(), clock_offset_s=time.time() - time.monotonic()
        )


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def add_lanes(url: str, key: str, whos: Sequence[Credentials]) -> None:
    """Store the consumers that the lanes are."""
    db = await Database.connect(url, size=1, acquire_s=5, statement_s=5, lock_s=5, name="chaos")
    try:
        async with db.transaction() as tx:
            for who in whos:
                consumer = NewConsumer(key=who.key, organisations=(1,), unlimited=True)
                await add_consumer(tx, OuterKey(key), consumer, who.secret)
    finally:
        await db.close()
