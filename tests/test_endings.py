"""Background work ends, whoever is cancelled when."""

from __future__ import annotations

import asyncio

import pytest

from jobgate.endings import carry_through, end_all, within


async def answer(value: int) -> int:
    return value


async def test_work_within_its_limit_gives_its_result() -> None:
    assert await within(5, answer(7)) == 7


async def test_work_beyond_its_limit_is_cancelled_and_over() -> None:
    over = asyncio.Event()

    async def wait_for_ever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            over.set()

    with pytest.raises(TimeoutError, match=r"0\.01 s"):
        await within(0.01, wait_for_ever())

    assert over.is_set()


async def test_work_that_ignores_a_cancellation_is_cancelled_again() -> None:
    heard = 0

    async def swallow_one() -> None:
        nonlocal heard
        while heard < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                heard += 1

    task = asyncio.create_task(swallow_one())
    await asyncio.sleep(0)  # let it begin

    await end_all([task])

    assert heard == 2
    assert task.done()


async def test_an_ending_drops_what_the_work_raises() -> None:
    async def fail() -> None:
        raise RuntimeError("the loop would report this as never retrieved")

    task = asyncio.create_task(fail())

    await asyncio.wait([task])
    await end_all([task])

    assert task.done()


async def test_a_cancelled_caller_still_carries_its_ending_through() -> None:
    begun, go_on, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def clean_up() -> None:
        begun.set()
        await go_on.wait()
        done.set()

    caller = asyncio.create_task(carry_through(clean_up()))
    await begun.wait()
    caller.cancel()
    await asyncio.sleep(0)  # the cancellation arrives
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await caller

    assert done.is_set()
