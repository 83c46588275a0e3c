"""Targets, events and a sender, for tests of push."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from typing import Any

import asyncpg
import msgspec

from jobgate import outbox
from jobgate.client import Credentials
from jobgate.keys import OuterKey
from jobgate.outbound import Client, read_rules
from jobgate.outbox import Kind
from jobgate.outbox.sender import Sender
from jobgate.settings import Settings
from jobgate.testing import House

WITHIN_S = 20.0

ALLOWED: dict[str, Any] = {"push_http": True, "push_allow": "127.0.0.1", "push_poll_s": 0.02, "push_timeout_s": 2}
"""Settings of a house whose targets are on this machine."""


async def add_target(house: House, url: str, as_: Credentials | None = None, **options: Any) -> dict[str, Any]:
    """A new target, with its secret."""
    reply = await house.call("push/targets", "set", {"url": url} | options, as_=as_)
    target: dict[str, Any] = reply.data
    return target


async def read_target(house: House, id: str) -> dict[str, Any]:
    """The target as its consumers see it."""
    (target,) = (await house.call("push/targets", "get", {"id": [id]})).data
    assert isinstance(target, dict)
    return target


async def read_deliveries(house: House, **request: Any) -> list[dict[str, Any]]:
    """A page of deliveries."""
    data = (await house.call("push/deliveries", "get", request)).data
    assert isinstance(data, list)
    return data


async def announce(house: House, kind: Kind, *session_ids: str, organisation_id: int = 1) -> None:
    """Announce sessions as a task would."""
    async with house.db.transaction(organisation_id) as tx:
        await outbox.announce(tx, organisation_id, kind, session_ids)


@asynccontextmanager
async def sending(
    house: House, *, settings: Settings | None = None, client: Client | None = None
) -> AsyncIterator[Sender]:
    """A sender while the block runs."""
    settings = settings or house.settings
    with closing(client or Client(read_rules(settings), timeout_s=settings.push_timeout_s)) as used:
        sender = Sender(house.db, settings, OuterKey(settings.secret_key), used, house.metrics)
        running = asyncio.create_task(sender.run())
        try:
            yield sender
        finally:
            running.cancel()
            await asyncio.wait([running])


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that Postgres has no event for."""
    async with asyncio.timeout(WITHIN_S):
        while not await condition():
            await asyncio.sleep(0.01)


async def until_idle(house: House) -> None:
    """Wait until no delivery waits."""

    async def is_idle() -> bool:
        return await count_waiting(house) == 0

    await until(is_idle)


async def until_tried(house: House, count: int) -> None:
    """Wait until so many tries were written down."""

    async def has_tried() -> bool:
        rows = await fetch(house, "select coalesce(sum(tries), 0) as tries from push_delivery")
        return bool(rows[0]["tries"] >= count)

    await until(has_tried)


async def count_waiting(house: House) -> int:
    """How many deliveries have not ended, of all organisations."""
    (row,) = await fetch(house, "select count(*) as waiting from outbox")
    count: int = row["waiting"]
    return count


async def fetch(house: House, sql: str, *args: Any, organisation_id: int = 1) -> list[Any]:
    """Look at the tables of an organisation, or change them."""
    async with house.db.transaction(organisation_id) as tx:
        return await tx.connection.fetch(sql, *args)


async def pass_time(house: House, seconds: float) -> None:
    """Let it be later: what is due in the future comes closer, circuits and failures grow older."""
    while True:
        # The sender locks the same rows in another order.
        with suppress(asyncpg.DeadlockDetectedError):
            async with house.db.transaction(1) as tx:
                await tx.connection.execute(LATER_DUE, seconds)
                await tx.connection.execute(LATER_TARGETS, seconds)
            return


LATER_DUE = "update outbox set due_at = due_at - make_interval(secs => $1)"
LATER_TARGETS = """
update push_target set closed_until = closed_until - make_interval(secs => $1),
    failing_since = failing_since - make_interval(secs => $1),
    previous_until = previous_until - make_interval(secs => $1)
"""


def with_settings(house: House, **changes: Any) -> Settings:
    """The settings of the house, some of them different."""
    return msgspec.structs.replace(house.settings, **changes)
