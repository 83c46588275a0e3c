"""Jobs of jobs/push to an LRS: a store's statements arrive once, whatever the LRS says, or does not say."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobgate.exchange import leaving, lrs_push, outgoing
from jobgate.remotes import endings
from jobgate.remotes import lrs as remote
from jobgate.testing import House
from jobgate.xapi.comparison import are_equal
from tests.conftest import MakeHouse
from tests.connections import ALLOWED, connect_lrs
from tests.killing import kill_worker
from tests.lrs import Lrs, faults, serving
from tests.stored_statements import look, make, move, plan_job, read_last_job, record, run_again, run_job, void

CUTOFF = datetime(2026, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
THEN = "2026-01-01T00:00:00Z"


@pytest.fixture
async def lrs() -> AsyncIterator[Lrs]:
    """An LRS."""
    async with serving() as lrs:
        yield lrs


@pytest.fixture
async def house(make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A house that may call this machine, with a store; batches have four statements."""
    monkeypatch.setattr(lrs_push, "MAX_BATCH", 4)
    async with make_house(**ALLOWED) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        yield house


async def aim(house: House, lrs: Lrs, *, version: str = "1.0.3", **params: Any) -> dict[str, Any]:
    """Parameters of a push to the LRS."""
    connection = await connect_lrs(house, lrs, version=version)
    return {"connection": connection, "service": "statements", "until": "now"} | params


def tally(job: dict[str, Any]) -> tuple[int, int, int, int]:
    """What was read, written, skipped, rejected."""
    (result,) = job["results"]
    counts = result["services"]["statements"]
    return counts["read"], counts["written"], counts["skipped"], counts["rejected"]


async def raws(house: House) -> dict[str, Any]:
    """The statements of the store by id, in the order of stored."""
    rows = await look(house, "select id, raw from xapi_statement order by stored, number")
    return {str(row["id"]): json.loads(row["raw"]) for row in rows}


async def test_statements_arrive_in_their_order_and_the_next_run_sends_what_is_new(house: House, lrs: Lrs) -> None:
    await record(house, [*map(make, range(6)), void(6, 2)])
    (saved,) = await plan_job(house, "push", **await aim(house, lrs))
    await house.carry()
    first = await read_last_job(house)
    await record(house, [make(7)])
    second = await run_again(house, saved)
    third = await run_again(house, saved)

    assert [tally(job) for job in (first, second, third)] == [(7, 7, 0, 0), (1, 1, 0, 0), (0, 0, 0, 0)]
    stored = await raws(house)
    assert lrs.ids == list(stored)
    assert all(are_equal(kept.statement, stored[id]) for id, kept in lrs.keeping.statements.items())
    assert lrs.keeping.voided == {make(2)["id"]}
    assert [len(json.loads(request.body)) for request in lrs.asked("POST", "statements")] == [4, 3, 1]
    assert first["progress"] == {"done": 7, "total": 7}


async def test_the_cutoff_is_inclusive_to_the_microsecond(house: House, lrs: Lrs) -> None:
    await record(house, [make(number) for number in range(3)])
    for number in range(3):
        await move(house, make(number)["id"], CUTOFF + (number - 1) * TICK)

    job = await run_job(house, "push", **await aim(house, lrs, until="date", until_date=CUTOFF.isoformat()))

    assert (tally(job), lrs.ids) == ((2, 2, 0, 0), [make(0)["id"], make(1)["id"]])


async def test_what_an_lrs_has_or_refuses_is_counted_and_told(house: House, lrs: Lrs) -> None:
    lrs.max_body = 3000
    await record(house, [make(number, timestamp=THEN) for number in range(9)], validate_statements=False)
    await record(house, [{**make(9), "verb": {}}, make(10, result={"response": "x" * 4000})], validate_statements=False)
    lrs.add(make(1, timestamp=THEN), make(2, timestamp=THEN, result={"success": True}))
    lrs.faults.order(faults.answer(409), when="POST statements")

    job = await run_job(house, "push", **await aim(house, lrs))

    assert tally(job) == (11, 7, 1, 3)
    said = [entry["message"] for entry in job["data"]["log"] if entry["severity"] == 1]
    assert said[:3] == [
        f"Rejected {make(2)['id']}: the LRS has another statement with its id",
        f"Rejected {make(9)['id']}: refused as invalid",
        f"Rejected {make(10)['id']}: too large for the LRS",
    ]
    assert len(lrs.ids) == 9


async def test_contents_of_attachments_go_along(house: House, lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "MAX_BYTES", 1500)
    datas = [bytes([number]) * 1000 for number in range(3)]
    statements = [make(number, attachments=[attach(datas[number % 3])]) for number in range(5)]
    async with serving() as source:
        source.add(*statements, contents=datas)
        await run_job(house, "pull", connection=await connect_lrs(house, source), service="statements", until="now")

    job = await run_job(house, "push", **await aim(house, lrs))

    assert tally(job) == (5, 5, 0, 0)
    assert sorted(data for _, data in lrs.keeping.contents.values()) == datas


def attach(data: bytes) -> dict[str, Any]:
    """An attachment whose content comes along."""
    return {
        "usageType": "https://school.example/essay",
        "display": {"en": "Essay"},
        "contentType": "application/octet-stream",
        "length": len(data),
        "sha2": hashlib.sha256(data).hexdigest(),
    }


async def test_statements_go_as_the_version_of_the_connection_has_them(house: House, lrs: Lrs) -> None:
    teacher = {"objectType": "contextAgent", "agent": {"mbox": "mailto:teacher@school.example"}}
    statement = make(1, context={"contextAgents": [teacher], "language": "en"}, version="2.0.0")
    await record(house, [statement])
    async with serving() as modern:
        old = await run_job(house, "push", **await aim(house, lrs))
        new = await run_job(house, "push", **await aim(house, modern, version="2.0.0"))

        assert (tally(old), tally(new)) == ((1, 1, 0, 0), (1, 1, 0, 0))
        (kept,) = modern.keeping.statements.values()
        assert kept.statement["context"]["contextAgents"] == [teacher]
    (kept,) = lrs.keeping.statements.values()
    assert (kept.statement["context"], kept.statement["version"]) == ({"language": "en"}, "1.0.3")


async def test_copies_go_under_pseudonyms_and_what_is_stored_stays(house: House, lrs: Lrs) -> None:
    await record(house, [make(1), make(2, actor=make(1)["actor"])])
    before = await raws(house)

    job = await run_job(house, "push", **await aim(house, lrs, pseudonymize_statements=True))

    assert tally(job) == (2, 2, 0, 0)
    assert await raws(house) == before
    actors = [kept.statement["actor"] for kept in lrs.keeping.statements.values()]
    assert actors[0] == actors[1]
    assert actors[0]["account"]["homePage"] == "http://pseudo.traxlrs.com"


# -- what goes wrong -----------------------------------------------------------------------------------------------


BREAKS = {
    "refuses": faults.answer(500),
    "truncated": faults.truncate,
    "the answer is lost": faults.lose,
    "endless": faults.pour,
    "no ids": faults.answer(200, b"[]"),
    "a login page": faults.answer(200, b"<html>", content_type="text/html"),
    "hangs": faults.hang,
    "trickles": faults.trickle,
}


async def test_an_lrs_that_breaks_in_the_middle_gets_everything_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "CALL_S", 0.3)
    monkeypatch.setattr(remote, "MAX_TOLD", 10_000)
    await record(house, [make(number) for number in range(10)])
    for name, fault in BREAKS.items():
        async with serving() as lrs:
            lrs.faults.order(fault, when="POST statements", number=2)
            job = await run_job(house, "push", **await aim(house, lrs))

        assert (job["error"], tally(job)) == (None, (10, 10, 0, 0)), name
        assert len(lrs.ids) == 10


async def test_an_lrs_that_asks_to_wait_is_waited_for_and_one_that_leads_elsewhere_is_left(
    house: House, lrs: Lrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "SHORTEST_WAIT_S", 0.01)
    await record(house, [make(number) for number in range(6)])
    lrs.faults.order(faults.answer(503, b"", retry_after="0"), when="POST statements", number=2)

    job = await run_job(house, "push", **await aim(house, lrs))
    assert (tally(job), len(lrs.ids)) == ((6, 6, 0, 0), 6)
    (row,) = await look(house, "select failures from job where type = 'push'")
    assert row["failures"] == 0

    async with serving() as other:
        lrs.faults.order(faults.answer(302, b"", location=other.endpoint))
        job = await run_job(house, "push", **await aim(house, lrs))
        assert job["error"]["message"] == "The LRS leads elsewhere (302): redirects are not followed."
        assert other.requests == []


async def test_a_slow_lrs_holds_up_no_other(house: House, lrs: Lrs) -> None:
    await record(house, [make(number) for number in range(4)])
    async with serving() as slow:
        slow.faults.order(faults.hang, count=100)
        slow_ones = [await plan_job(house, "push", **await aim(house, slow)) for _ in range(2)]
        carrying = asyncio.create_task(house.carry())
        await plan_job(house, "push", **await aim(house, lrs))
        async with asyncio.timeout(20):
            while len(lrs.ids) < 4:
                await asyncio.sleep(0.01)
        # Nor do many of them hold up jobs that call nobody.
        slow_ones += [await plan_job(house, "push", **await aim(house, slow)) for _ in range(4)]
        async with asyncio.timeout(20):
            while len(slow.requests) < 3:
                await asyncio.sleep(0.01)
        await plan_job(house, "clearing", service="agents", until="1_year")
        async with asyncio.timeout(20):
            while not await look(house, "select from job where type = 'clearing' and state = 'completed'"):
                await asyncio.sleep(0.01)
        for ((saved),) in slow_ones:
            await house.call("jobs/push", "delete", {"id": saved["id"]})
        rows = await look(house, "select reference::text from job where state = 'running'")
        references = [row["reference"] for row in rows]
        await house.call("jobs", "update", {"references": references, "status": "halted"})
        await carrying


async def test_a_worker_that_is_killed_changes_nothing_about_the_end(house: House, lrs: Lrs) -> None:
    lrs_push_batch = lrs_push.MAX_BATCH
    await record(house, [make(number) for number in range(250)])
    await plan_job(house, "push", **await aim(house, lrs))

    await kill_worker(house, "before checkpoint_job", 2)
    assert len(lrs.ids) == 200  # the second batch was sent, and not written down
    await house.carry()

    assert lrs_push_batch == 4
    assert tally(await read_last_job(house)) == (250, 250, 0, 0)
    assert len(lrs.ids) == 250


async def test_a_batch_is_bounded_by_its_bytes(house: House, lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaving, "MAX_BYTES", 5000)
    await record(
        house, [make(number, result={"response": "x" * size}) for number, size in enumerate((9, 4000, 9000, 9))]
    )

    job = await run_job(house, "push", **await aim(house, lrs))

    assert tally(job) == (4, 4, 0, 0)
    assert [len(json.loads(request.body)) for request in lrs.asked("POST", "statements")] == [2, 1, 1]


ODD: list[tuple[dict[str, Any], int, str]] = [
    ({"service": "states"}, 20004, "service"),
    ({"sync_updates": True}, 20004, "sync_updates"),
    ({"raw": True, "service": "agents"}, 20004, "raw"),
    ({"pseudonymize_statements": True, "service": "states"}, 20004, "pseudonymize_statements"),
    ({"connection": "00000000-0000-4000-8000-000000000000"}, 20004, "connection"),
    ({"store": "other"}, 20004, "store"),
]


async def test_what_makes_no_sense_is_refused_when_it_is_saved(house: House, lrs: Lrs) -> None:
    sound = {"repeat": "now", "store": "main"} | await aim(house, lrs)
    for change, code, word in ODD:
        reply = await house.call("jobs/push", "set", sound | change)
        assert (reply.status, reply.code) == (400, code), change
        assert word in reply.meta["message"]
