"""Sessions set and read through the signed surface, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from jobgate.testing import House
from tests.stored_sessions import results

WITHIN_S = 20.0


def entry(session_id: str | None = "s-1", **changes: Any) -> dict[str, Any]:
    """A session to set; an id of None is left out."""
    session = {"user_id": "u-1", "activity_id": "a-1"} | changes
    return session if session_id is None else {"session_id": session_id} | session


def response(response_id: str, **changes: Any) -> dict[str, Any]:
    """A response that was answered."""
    return {"response_id": response_id, "response": {"value": ["x"], "type": "array"}} | changes


async def set_sessions(house: House, *entries: dict[str, Any], **options: Any) -> Any:
    """Set sessions and wait until reads show them; what the job says about each."""
    request = {"data_format": "from_template", "data": list(entries)}
    reply = await house.call("sessions", "set", request, **options)
    reference = reply.data["job_reference"]
    await house.carry()
    await settle(house)
    return await results(house, reference, **options)


async def settle(house: House) -> None:
    """Wait until what was written so far is before the horizon: some transaction of the house may still be open."""
    state = await house.db.fetchrow("server_state")
    assert state is not None

    async def has_passed() -> bool:
        return bool((await house.db.fetchval("session_horizon")).timestamp() > state["now_s"])

    await until(has_passed)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that Postgres has no event for."""
    async with asyncio.timeout(WITHIN_S):
        while not await condition():
            await asyncio.sleep(0.002)


async def read(house: House, endpoint: str, **request: Any) -> list[Any]:
    """The records of one page."""
    data = (await house.call(endpoint, "get", request)).data
    assert isinstance(data, list)
    return data


async def ids(house: House, **request: Any) -> list[str]:
    """The ids of the sessions that `sessions/statuses` finds, in order."""
    return [record["session_id"] for record in await read(house, "sessions/statuses", **request)]
