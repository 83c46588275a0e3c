"""Everything at once: whatever meets whatever, nothing fails here, and no job is left behind."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from jobgate.testing import House, Reply
from tests.beacons.boxes import held, pick_up

WORKERS = 8
STEPS = 60

ENDINGS: list[dict[str, Any]] = [
    {"result": [{"task_index": 0}]},
    {"released": True},
    {"failure": {"message": "again", "retry_after_s": 0}},
    {"failure": {"message": "never again"}},
]


class Crowd:
    """Those who make, pick up, cancel and end jobs, many of them equal, and what they know."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.ids: list[str] = []
        self.claims: list[Any] = []

    async def step(self, dice: random.Random) -> Reply:
        """One call at random."""
        call = self.house.call
        recent = dice.choice(self.ids[-8:]) if self.ids else None
        claim = dice.choice(self.claims[-8:]) if self.claims else None
        choice = dice.randrange(8)
        if choice < 2 or recent is None:
            job = {"name": f"job {dice.randrange(3)}", "q": True, "tasks": [{}]}
            reply = await call("beacons/jobs", "set", job)
            self.ids.append(reply.data["id"])
        elif choice < 4 or claim is None:
            request = {"wait_s": dice.choice([0, 0.05])} if choice == 2 else {"job_id": recent}
            reply = await call("beacons/jobs/pickups", "set", request)
            if reply.status == 200 and reply.data:
                self.claims.append(reply.data)
        elif choice == 4:
            reply = await call("beacons/jobs", "update", {"job_id": recent, "cancel": True})
        elif choice == 5:
            more = {"curtask": 1, "result": [{"task_index": 0}]}
            reply = await call("beacons/jobs", "update", held(claim, **more))
        else:
            reply = await call("beacons/jobs/ends", "set", held(claim, **dice.choice(ENDINGS)))
        return reply


async def test_whatever_meets_whatever_every_job_ends(make_house: Any) -> None:
    async with make_house(beacon_lease_s=0.3, sweep_s=0.05) as house:
        crowd = Crowd(house)

        async def join(seed: int) -> set[int]:
            dice = random.Random(seed)
            return {(await crowd.step(dice)).status for _ in range(STEPS)}

        statuses = await asyncio.gather(*map(join, range(WORKERS)))
        async with asyncio.timeout(30):
            while await open_jobs(house):
                claim = await pick_up(house, wait_s=0.2)
                if claim:
                    await house.call("beacons/jobs/ends", "set", held(claim))

        assert set[int]().union(*statuses) == {200, 409}


async def open_jobs(house: House) -> int:
    """How many have not ended."""
    async with house.db.transaction(1) as tx:
        count: int = await tx.connection.fetchval("select count(*) from beacon_job where end_time is null")
    return count
