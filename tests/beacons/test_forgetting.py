"""Ended jobs are kept by how they ended, then deleted with everything of them; nothing else is touched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from jobgate.beacons import forgetting, sweep
from jobgate.client import Credentials
from jobgate.testing import House
from tests.beacons.boxes import held, look, make_job, pick_up, read
from tests.conftest import MakeHouse

KEPT = {"completed_beacon_jobs_kept_days": 10, "halted_beacon_jobs_kept_days": 20}


@pytest.fixture
async def house(make_house: MakeHouse) -> AsyncIterator[House]:
    """A house that keeps jobs for some days, and whose own sweeper keeps still."""
    async with make_house(sweep_s=3600, **KEPT) as house:
        yield house


async def end(house: House, name: str, days: int, as_: Credentials | None = None, **how: Any) -> None:
    """A job of two tasks that ended so many days ago, and said three lines."""
    await make_job(house, name, as_)
    claim = (await house.call("beacons/jobs/pickups", "set", as_=as_)).data
    await house.call("beacons/jobs/logs", "set", held(claim, offset=0, lines=["a", "b", "c"]), as_=as_)
    assert (await house.call("beacons/jobs/ends", "set", held(claim, **how), as_=as_)).status == 200
    async with house.db.transaction(1 if as_ is None else 2) as tx:
        await tx.connection.execute(
            "update beacon_job set end_time = end_time - $1::interval where name = $2", timedelta(days=days), name
        )


async def count(house: House) -> dict[str, int]:
    """How many rows organisation 1 has in each table."""
    tables = ("beacon_job", "beacon_task", "beacon_log_line")
    return {table: (await look(house, f"select count(*) from {table}"))[0]["count"] for table in tables}


async def names(house: House, as_: Credentials | None = None) -> set[str]:
    """The jobs that there are."""
    return {job["name"] for job in (await house.call("beacons/jobs", "get", as_=as_)).data}


async def test_what_was_halted_is_kept_longer(house: House) -> None:
    for days in (9, 11, 21):
        await end(house, f"completed {days}", days)
        await end(house, f"halted {days}", days, failure={"message": "no"})

    await sweep(house.db, house.settings)

    assert await names(house) == {"completed 9", "halted 9", "halted 11"}
    assert await count(house) == {"beacon_job": 3, "beacon_task": 6, "beacon_log_line": 9}
    assert len(await look(house, "select * from beacon_ended")) == 3


async def test_jobs_of_every_organisation_are_forgotten(house: House) -> None:
    await end(house, "mine", 11)
    await end(house, "theirs", 11, house.stranger)
    await end(house, "new", 9, house.stranger)

    await sweep(house.db, house.settings)

    assert await names(house) == set()
    assert await names(house, house.stranger) == {"new"}


async def test_what_has_not_ended_stays_however_old(house: House) -> None:
    await make_job(house, "created", q=False)
    await make_job(house, "scheduled", q=False, schedule=True, min=5)
    await make_job(house, "held")
    await pick_up(house)
    await make_job(house, "eligible")
    await look(house, "update beacon_job set add_time = 'epoch', pickup_time = pickup_time - interval '1 year'")

    await sweep(house.db, house.settings)

    assert await names(house) == {"created", "scheduled", "held", "eligible"}


async def test_a_duplicate_goes_with_the_job_that_it_ended_with(house: House) -> None:
    await make_job(house, "twins")
    await make_job(house, "twins")
    await end(house, "twins", 11)

    await sweep(house.db, house.settings)

    assert await count(house) == {"beacon_job": 0, "beacon_task": 0, "beacon_log_line": 0}


async def test_few_are_deleted_at_once_where_they_said_much(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH_ROWS", 6)
    for number in range(5):
        await end(house, f"job {number}", 11)

    left = []
    while await forgetting.forget(house.db, house.settings):
        left.append(len(await read(house)))

    assert left == [3, 1]
    assert await read(house) == []


async def test_sweepers_that_meet_delete_each_job_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 4)
    for number in range(10):
        await end(house, f"job {number}", 11)

    async def forget() -> None:
        while await forgetting.forget(house.db, house.settings):
            pass

    await asyncio.gather(*(forget() for _ in range(3)))
    await forget()

    assert await read(house) == []
    assert await look(house, "select * from beacon_ended") == []
