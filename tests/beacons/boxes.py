"""Beacon jobs and those who pick them up, for tests."""

from __future__ import annotations

from typing import Any

from jobgate.client import Credentials
from jobgate.testing import House


async def make_job(house: House, name: str = "job", as_: Credentials | None = None, **options: Any) -> dict[str, Any]:
    """A queued job of two tasks."""
    request = {"name": name, "tasks": [{"step": 1}, {"step": 2}], "q": True} | options
    job: dict[str, Any] = (await house.call("beacons/jobs", "set", request, as_=as_)).data
    return job


async def pick_up(house: House, **request: Any) -> Any:
    """What a beacon gets."""
    return (await house.call("beacons/jobs/pickups", "set", request)).data


async def read(house: House, **filters: Any) -> list[dict[str, Any]]:
    """Jobs as the list has them."""
    data: list[dict[str, Any]] = (await house.call("beacons/jobs", "get", filters)).data
    return data


def held(claim: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What every call of a holder names."""
    return {"job_id": claim["job"]["id"], "claim_token": claim["claim_token"]} | more


async def look(house: House, sql: str, *args: Any) -> list[dict[str, Any]]:
    """Rows as organisation 1 sees them."""
    async with house.db.transaction(1) as tx:
        return [dict(row) for row in await tx.connection.fetch(sql, *args)]
