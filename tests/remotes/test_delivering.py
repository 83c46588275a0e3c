"""Delivering: what an LRS refuses is found, what it has is skipped, and everything else arrives in order."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import pytest

from jobgate import wire
from jobgate.remotes.attachments import Content
from jobgate.remotes.delivering import CONFLICT, INVALID, TOO_LARGE, Parcel, Rejection, deliver
from jobgate.remotes.endings import Broken, Busy
from tests.lrs import faults, serving
from tests.remotes.farness import parcel, speaking
from tests.stored_statements import make, void

BAD: dict[str, Any] = {"verb": {"id": "none"}}


async def test_all_is_well() -> None:
    async with serving() as server, speaking(server) as lrs:
        done = await deliver(lrs, [parcel(number) for number in range(100)])
        nothing = await deliver(lrs, [])

    assert (done.written, done.skipped, done.rejected) == (100, 0, [])
    assert (nothing.written, len(server.requests)) == (0, 1)


async def test_the_culprits_are_found_and_the_others_arrive_in_order() -> None:
    bad = {0, 37, 38, 99}
    async with serving() as server, speaking(server) as lrs:
        done = await deliver(lrs, [parcel(number, **(BAD if number in bad else {})) for number in range(100)])

    assert (done.written, done.skipped) == (96, 0)
    assert done.rejected == [Rejection(make(number)["id"], INVALID) for number in sorted(bad)]
    assert server.ids == [make(number)["id"] for number in range(100) if number not in bad]
    assert len(server.requests) < 50


async def test_what_is_too_large_together_goes_in_halves_and_what_is_alone_is_rejected() -> None:
    big = parcel(3, result={"response": "x" * 3000})
    async with serving(max_body=2500) as server, speaking(server) as lrs:
        done = await deliver(lrs, [parcel(0), parcel(1), parcel(2), big, *map(parcel, range(4, 30))])

    assert (done.written, done.rejected) == (29, [Rejection(big.id, TOO_LARGE)])
    assert server.ids == [make(number)["id"] for number in range(30) if number != 3]


async def test_what_the_lrs_has_is_skipped_when_it_says_the_same() -> None:
    async with serving() as server, speaking(server) as lrs:
        # It answers equal ones with 409, as many do.
        server.faults.order(faults.answer(409))
        server.add(make(1), make(2, result={"success": True}), make(3), void(8, 3))
        done = await deliver(lrs, [parcel(number) for number in range(5)])

    assert (done.written, done.skipped) == (2, 2)
    assert done.rejected == [Rejection(make(2)["id"], CONFLICT)]
    assert set(server.ids) == {make(number)["id"] for number in (0, 1, 2, 3, 4, 8)}


async def test_an_answer_that_was_lost_costs_nothing() -> None:
    async with serving() as server, speaking(server) as lrs:
        server.faults.order(faults.lose)
        with pytest.raises(Broken):
            await deliver(lrs, [parcel(number) for number in range(5)])
        server.faults.order(faults.answer(409))
        done = await deliver(lrs, [parcel(number) for number in range(5)])

    assert (done.written, done.skipped, len(server.ids)) == (0, 5, 5)


async def test_a_conflict_that_nobody_can_see_is_found_by_halving() -> None:
    async with serving() as server, speaking(server) as lrs:
        server.faults.order(faults.answer(409), when="POST statements", count=3)
        done = await deliver(lrs, [parcel(number) for number in range(4)])

    assert (done.written, done.rejected) == (3, [Rejection(make(0)["id"], CONFLICT)])


async def test_a_statement_of_the_lrs_that_nothing_can_hold_is_another_one() -> None:
    huge = b'{"id": "x", "result": {"score": {"raw": ' + b"9" * 400 + b"}}}"
    async with serving() as server, speaking(server) as lrs:
        server.faults.order(faults.answer(409), when="POST statements")
        server.faults.order(faults.answer(200, huge, content_type="application/json"), when="GET statements")
        done = await deliver(lrs, [parcel(1)])

    assert done.rejected == [Rejection(make(1)["id"], CONFLICT)]


async def test_each_content_goes_once_with_the_statements_that_announce_it() -> None:
    data = b"what Ada wrote"
    sha2 = hashlib.sha256(data).hexdigest()
    attachment = {
        "usageType": "https://school.example/essay",
        "display": {"en": "Essay"},
        "contentType": "text/plain",
        "length": len(data),
        "sha2": sha2,
    }
    contents = {sha2: Content("text/plain", data)}
    parcels = [
        Parcel(make(number)["id"], wire.encode(make(number, attachments=[attachment])), contents) for number in range(3)
    ]
    async with serving() as server, speaking(server) as lrs:
        done = await deliver(lrs, [*parcels, parcel(3, **BAD)])

    assert (done.written, len(done.rejected), server.keeping.contents) == (3, 1, {sha2: ("text/plain", data)})
    assert server.requests[0].body.count(data) == 1


async def test_a_wait_is_told_at_once() -> None:
    async with serving() as server, speaking(server) as lrs:
        server.faults.order(faults.answer(429, b"", retry_after="3"))
        with pytest.raises(Busy):
            await deliver(lrs, [parcel(1)])


@pytest.mark.parametrize("seed", range(5))
async def test_the_counts_agree_with_what_the_lrs_has_whatever_happens(seed: int) -> None:
    dice = random.Random(seed)
    kinds = [dice.choice(["new", "new", "bad", "known", "other", "large"]) for _ in range(40)]
    changes = {"bad": BAD, "large": {"result": {"response": "x" * 3000}}}
    async with serving(max_body=3000) as server, speaking(server) as lrs:
        for number, kind in enumerate(kinds):
            if kind in ("known", "other"):
                server.add(make(number, result={"success": kind == "other"}))
        sent = [
            parcel(number, **changes.get(kind, {"result": {"success": False}})) for number, kind in enumerate(kinds)
        ]
        done = await deliver(lrs, sent)

    # This LRS takes equal ones for good, so that those count as written.
    assert done.written + done.skipped == kinds.count("new") + kinds.count("known")
    expected = {make(number)["id"] for number, kind in enumerate(kinds) if kind in ("bad", "other", "large")}
    assert {rejection.id for rejection in done.rejected} == expected
    assert len(done.rejected) == len(expected)
