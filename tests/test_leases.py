"""Leases: what one worker holds, and what it learns when it renews."""

from __future__ import annotations

import asyncio
import uuid

from jobgate import jobs
from jobgate.jobs import Claim
from jobgate.leases import Leases
from jobgate.testing import House
from tests.stored_jobs import queue


async def claim(house: House) -> Claim:
    """The only queued job."""
    (claimed,) = await jobs.claim(house.db, ["toy"], owner=uuid.uuid4(), lease_s=60, jobs=1, entries=1, suspects=False)
    return claimed


def hold(leases: Leases, claimed: Claim) -> asyncio.Task[None]:
    """Hold a job that an attempt carries; the attempt."""
    attempt = asyncio.create_task(asyncio.sleep(60))
    leases.hold([claimed], 0)
    leases.run([claimed], attempt)
    return attempt


async def test_a_renewed_lease_leaves_its_attempt_alone(house: House) -> None:
    await queue(house, state="queued")
    leases = Leases(house.db, house.metrics, 60)
    attempt = hold(leases, await claim(house))
    were_over = leases.are_over

    await leases.renew()

    assert (were_over, leases.are_over) == (True, False)
    assert not leases.unwanted
    assert attempt.cancelling() == 0
    attempt.cancel()


async def test_a_job_with_a_cancel_mark_is_stopped(house: House) -> None:
    reference = await queue(house, state="queued")
    leases = Leases(house.db, house.metrics, 60)
    claimed = await claim(house)
    attempt = hold(leases, claimed)
    await house.call("jobs", "update", {"references": [reference], "status": "halted"})

    await leases.renew()

    assert leases.unwanted == {claimed.key}
    assert attempt.cancelling() == 1


async def test_a_job_that_another_worker_holds_is_stopped(house: House) -> None:
    await queue(house, state="queued")
    leases = Leases(house.db, house.metrics, 60)
    claimed = await claim(house)
    attempt = hold(leases, claimed)
    await jobs.release(house.db, [claimed])
    await claim(house)

    await leases.renew()

    assert leases.unwanted == {claimed.key}
    assert attempt.cancelling() == 1
    assert await jobs.end_cancelled(house.db, [claimed]) == 0


async def test_a_late_answer_about_an_earlier_claim_does_not_stop_the_job_that_was_claimed_anew(house: House) -> None:
    await queue(house, state="queued")
    leases = Leases(house.db, house.metrics, 60)
    first = await claim(house)
    hold(leases, first).cancel()
    async with house.db.transaction() as tx:
        await tx.connection.execute("select from job for update")
        renewing = asyncio.create_task(leases.renew())
        await blocked(house)
        leases.forget([first])
        await jobs.release(tx, [first])  # type: ignore[arg-type]  # in the transaction that holds up the renewal
        rows = await tx.fetch("claim_jobs", ["toy"], 1, 1, False, uuid.uuid4(), None)
        assert rows[0]["fence"] == first.fence + 1
        again = Claim(first.facts, first.fence + 1, first.params, 1, 0, None, 0)
        attempt = hold(leases, again)

    await renewing

    assert not leases.unwanted
    assert attempt.cancelling() == 0
    attempt.cancel()


async def blocked(house: House) -> None:
    """Wait until a statement waits for a lock."""
    async with asyncio.timeout(10), house.db.connection() as queries:
        while not await queries.connection.fetchval(
            "select exists (select from pg_stat_activity where wait_event_type = 'Lock'"
            " and datname = current_database())"
        ):
            await asyncio.sleep(0.01)  # Postgres tells nobody that a lock is waited for


async def test_a_job_without_a_cancel_mark_is_never_ended_as_cancelled(house: House) -> None:
    await queue(house, state="queued")
    claimed = await claim(house)

    assert await jobs.end_cancelled(house.db, [claimed]) == 0

    assert await jobs.held(house.db, [claimed]) == [claimed]
