"""Jobs of jobs/pull from an LRS: all that it has recorded arrives once, whatever either side does meanwhile."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from jobgate.exchange import lrs_pull
from jobgate.remotes import endings
from jobgate.remotes import lrs as remote
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.connections import ALLOWED, connect_lrs
from tests.killing import kill_worker
from tests.lrs import Lrs, faults, serving
from tests.stored_statements import look, make, plan_job, read_last_job, record, run_again, run_job, void

CUTOFF = datetime(2026, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
async def lrs() -> AsyncIterator[Lrs]:
    """An LRS that gives three statements a page."""
    async with serving() as lrs:
        lrs.statements.max_limit = 3
        yield lrs


@pytest.fixture
async def house(make_house: MakeHouse) -> AsyncIterator[House]:
    """A house that may call this machine, with a store."""
    async with make_house(**ALLOWED) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        yield house


async def aim(house: House, lrs: Lrs, **params: Any) -> dict[str, Any]:
    """Parameters of a pull from the LRS."""
    return {"connection": await connect_lrs(house, lrs), "service": "statements", "until": "now"} | params


def tally(job: dict[str, Any]) -> tuple[int, int, int, int]:
    """What was read, written, skipped, rejected."""
    (result,) = job["results"]
    counts = result["services"]["statements"]
    return counts["read"], counts["written"], counts["skipped"], counts["rejected"]


async def count_statements(house: House) -> int:
    """How many the store has."""
    (row,) = await look(house, "select count(*) from xapi_statement")
    count: int = row["count"]
    return count


async def fetch_place(house: House) -> dict[str, Any]:
    """Where the next run begins."""
    (row,) = await look(house, "select position::jsonb -> 'place' as place from xapi_progress")
    place: dict[str, Any] = json.loads(row["place"])
    return place


def told(job: dict[str, Any]) -> list[str]:
    """What a run said."""
    return [entry["message"] for entry in job["data"]["log"]]


async def test_what_an_lrs_has_recorded_arrives_and_the_next_run_takes_what_is_new(house: House, lrs: Lrs) -> None:
    lrs.add(*map(make, range(7)))
    (saved,) = await plan_job(house, "pull", **await aim(house, lrs, authority_name="us"))
    await house.carry()
    first = await read_last_job(house)
    assert saved["connection"] == {"id": saved["connection"]["id"], "type": "lrs", "name": "lrs"}
    assert "connection" not in saved["settings"]
    lrs.add(*map(make, range(7, 10)), void(10, 0))
    second = await run_again(house, saved)
    third = await run_again(house, saved)

    assert [tally(job) for job in (first, second, third)] == [(7, 7, 0, 0), (4, 4, 0, 0), (0, 0, 0, 0)]
    rows = await look(
        house,
        "select id, client, validated, voided, raw::jsonb -> 'authority' ->> 'account' as by,"
        " raw::jsonb ->> 'stored' as stored from xapi_statement order by stored, number",
    )
    assert [str(row["id"]) for row in rows] == lrs.ids
    assert {(row["client"], row["validated"]) for row in rows} == {("jobs/pull", True)}
    assert [row["voided"] for row in rows] == [True] + [False] * 10
    assert all('"us"' in row["by"] for row in rows)
    assert len(lrs.asked("GET", "statements")) == 3


async def test_the_next_run_begins_no_later_than_what_the_lrs_vouches_for(house: House, lrs: Lrs) -> None:
    lrs.lag_s = 3600
    lrs.add(*map(make, range(4)))
    (saved,) = await plan_job(house, "pull", **await aim(house, lrs))
    await house.carry()
    first = datetime.fromisoformat((await fetch_place(house))["done"])
    assert timedelta(minutes=59) < datetime.now(UTC) - first < timedelta(minutes=61)

    again = await run_again(house, saved)
    lrs.lag_s = 7200
    await run_again(house, saved)

    assert tally(again) == (4, 0, 4, 0)
    assert datetime.fromisoformat((await fetch_place(house))["done"]) >= first  # never back
    (asked, _, _) = lrs.asked("GET", "statements")
    assert "since" not in asked.params


async def test_what_came_late_below_the_place_is_taken(house: House, lrs: Lrs) -> None:
    lrs.add(*map(make, range(2)))
    (saved,) = await plan_job(house, "pull", **await aim(house, lrs))
    await house.carry()
    lrs.add(make(2))
    late = lrs.keeping.statements[make(2)["id"]]
    late.stored = lrs.keeping.statements[make(0)["id"]].stored + TICK
    lrs.keeping.statements = dict(sorted(lrs.keeping.statements.items(), key=lambda item: item[1].stored))

    job = await run_again(house, saved)

    assert (tally(job), await count_statements(house)) == ((1, 1, 0, 0), 3)


@pytest.mark.parametrize("is_honest", [True, False])
async def test_the_cutoff_is_inclusive_to_the_microsecond(house: House, lrs: Lrs, is_honest: bool) -> None:
    lrs.add(*map(make, range(3)))
    for kept, moment in zip(lrs.keeping.statements.values(), (CUTOFF - TICK, CUTOFF, CUTOFF + TICK), strict=True):
        kept.stored = moment
        kept.statement["stored"] = moment.isoformat()
    if not is_honest:
        everything = [kept.statement for kept in lrs.keeping.statements.values()]
        lrs.rewrite_page = lambda _: {"statements": everything, "more": ""}

    job = await run_job(house, "pull", **await aim(house, lrs, until="date", until_date=CUTOFF.isoformat()))

    assert tally(job) == (2, 2, 0, 0)
    rows = await look(house, "select id from xapi_statement order by id")
    assert [str(row["id"]) for row in rows] == [make(0)["id"], make(1)["id"]]


async def test_what_is_refused_is_told_with_its_rule_and_the_rest_is_recorded(house: House, lrs: Lrs) -> None:
    await record(house, [make(1, result={"success": True})])
    lrs.add(*map(make, range(5)))
    del lrs.keeping.statements[make(2)["id"]].statement["verb"]
    lrs.keeping.statements[make(3)["id"]].statement["actor"] = "\0 nobody"

    job = await run_job(house, "pull", **await aim(house, lrs))

    assert tally(job) == (5, 2, 0, 3)
    rejected = [message for message in told(job) if message.startswith("Rejected")]
    assert len(rejected) == 3
    assert rejected[0].startswith(f"Rejected {make(1)['id']}: id-conflict at $.id")
    assert rejected[1].startswith(f"Rejected {make(2)['id']}: XAPI-00004 at $")
    assert job["data"]["log"][-1]["severity"] == 2


async def test_contents_of_attachments_come_along(house: House, lrs: Lrs) -> None:
    data = b"essay \0\r\n"
    attachment = {
        "usageType": "https://school.example/essay",
        "display": {"en": "Essay"},
        "contentType": "text/plain",
        "length": len(data),
        "sha2": hashlib.sha256(data).hexdigest().upper(),
    }
    lrs.add(make(0), make(1, attachments=[attachment]), contents=[data])

    job = await run_job(house, "pull", **await aim(house, lrs))

    assert tally(job) == (2, 2, 0, 0)
    (row,) = await look(house, "select content, content_type from xapi_attachment")
    assert (row["content"], row["content_type"]) == (data, "text/plain")


# -- what goes wrong -----------------------------------------------------------------------------------------------


BREAKS = {
    "truncated": faults.truncate,
    "cut silently": faults.cut_silently,
    "promises more": faults.promise_more,
    "lost": faults.lose,
    "500": faults.answer(500),
    "HTML": faults.answer(200, b"<html>", content_type="text/html"),
    "endless": faults.pour,
    "gone": faults.answer(404),
}


async def test_a_page_that_breaks_in_the_middle_costs_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_PAGE", 100_000)
    for number, (name, fault) in enumerate(BREAKS.items()):
        await house.call("xapi/stores", "set", {"slug": f"s{number}"})
        async with serving() as lrs:
            lrs.statements.max_limit = 3
            lrs.add(*map(make, range(10)))
            lrs.faults.order(faults.answer(500), when="GET statements/more", number=1)
            lrs.faults.order(fault, when="GET statements/more", number=2)
            job = await run_job(house, "pull", **await aim(house, lrs, store=f"s{number}"))

        assert (job["error"], tally(job)) == (None, (10, 10, 0, 0)), name
        assert await count_statements(house) == 10 * (number + 1)
        asked = [request.params["from"] for request in lrs.asked("GET", "statements/more")]
        assert len(set(asked)) <= 4  # the pages that were done are not asked for again


async def test_an_lrs_that_leads_in_a_circle_is_left(house: House, lrs: Lrs) -> None:
    lrs.add(*map(make, range(4)))
    circle = "/xapi/statements/more?ascending=true&attachments=true&from=2020-01-01T00:00:00%2B00:00"
    lrs.rewrite_page = lambda page: page | {"more": circle}

    job = await run_job(house, "pull", **await aim(house, lrs))

    assert job["status"] == "halted"
    assert job["error"]["message"].startswith("The LRS leads in a circle")
    assert await count_statements(house) == 3


async def test_an_lrs_that_never_ends_is_left_after_so_many_pages(
    house: House, lrs: Lrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lrs_pull, "MAX_PAGES", 5)
    monkeypatch.setattr(lrs_pull, "OVERLAP", timedelta(0))
    lrs.add(*map(make, range(20)))

    (saved,) = await plan_job(house, "pull", **await aim(house, lrs))
    await house.carry()
    first = await read_last_job(house)
    second = await run_again(house, saved)

    assert "Stopped after 5 pages; the next run goes on" in told(first)
    assert (tally(first), tally(second)) == ((15, 15, 0, 0), (5, 5, 0, 0))


async def test_pages_that_repeat_or_change_their_order_double_and_lose_nothing(house: House, lrs: Lrs) -> None:
    lrs.add(*map(make, range(10)))
    pages: list[dict[str, Any]] = []

    def rewrite(page: dict[str, Any]) -> dict[str, Any]:
        pages.append(page)
        statements = pages[0]["statements"] if len(pages) == 2 else page["statements"][::-1]
        return page | {"statements": statements + (page["statements"] if len(pages) == 2 else [])}

    lrs.rewrite_page = rewrite
    job = await run_job(house, "pull", **await aim(house, lrs))

    assert tally(job) == (13, 10, 3, 0)
    assert await count_statements(house) == 10


async def test_an_lrs_that_says_too_much_is_asked_for_less(
    house: House, lrs: Lrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    lrs.statements.max_limit = 100
    data = b"x" * 1000
    attachment = {
        "usageType": "https://school.example/essay",
        "display": {"en": "Essay"},
        "contentType": "text/plain",
        "length": len(data),
        "sha2": hashlib.sha256(data).hexdigest(),
    }
    lrs.add(*[make(number, attachments=[attachment]) for number in range(30)], contents=[data])
    monkeypatch.setattr(remote, "MAX_PAGE", 10_000)

    job = await run_job(house, "pull", **await aim(house, lrs))

    assert tally(job) == (30, 30, 0, 0)
    assert [request.params["limit"] for request in lrs.asked("GET", "statements")] == ["100", "10"]


async def test_an_lrs_that_asks_to_wait_is_waited_for(house: House, lrs: Lrs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "SHORTEST_WAIT_S", 0.01)
    lrs.add(*map(make, range(5)))
    lrs.faults.order(faults.answer(429, b"", retry_after="0"), when="GET statements/more", count=2)

    job = await run_job(house, "pull", **await aim(house, lrs))

    assert tally(job) == (5, 5, 0, 0)
    assert told(job).count("The LRS asks to wait (429).") == 1
    (row,) = await look(house, "select failures, attempt from job where type = 'pull'")
    assert (row["failures"], row["attempt"]) == (0, 3)


async def test_a_refusal_ends_the_run_and_is_told(house: House, lrs: Lrs) -> None:
    for change, message in (
        ({"password": "wrong"}, "The LRS refuses the credentials (401)."),
        ({"endpoint": lrs.endpoint + "x"}, "The LRS has nothing there (404)."),
    ):
        connection = await connect_lrs(house, lrs, **change)
        job = await run_job(house, "pull", connection=connection, service="statements", until="now")

        assert (job["status"], job["error"]["message"]) == ("halted", message)
    assert len(lrs.requests) == 2

    lrs.add(*map(make, range(7)))
    lrs.faults.order(faults.answer(403), when="GET statements/more", count=100)
    job = await run_job(house, "pull", **await aim(house, lrs))
    assert job["error"]["message"] == "The LRS forbids it (403)."


async def test_an_lrs_that_nobody_may_call_any_more_is_not_called(make_house: MakeHouse, lrs: Lrs) -> None:
    async with make_house(**ALLOWED) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        await plan_job(house, "pull", **await aim(house, lrs))
        await house.carry(settings=msgspec.structs.replace(house.settings, push_allow=""))
        job = await read_last_job(house)

    assert job["error"]["message"].startswith("The LRS must not be called")
    assert lrs.requests == []


async def test_a_worker_that_is_killed_changes_nothing_about_the_end(house: House, lrs: Lrs) -> None:
    lrs.add(*map(make, range(20)))
    lrs.keeping.statements[make(4)["id"]].statement["verb"] = {}
    await plan_job(house, "pull", **await aim(house, lrs))

    await kill_worker(house, "before checkpoint_job", 3)
    assert 0 < await count_statements(house) < 19
    await house.carry()

    assert tally(await read_last_job(house)) == (20, 19, 0, 1)
    assert await count_statements(house) == 19


# -- what is refused when it is saved ------------------------------------------------------------------------------


ODD: list[tuple[dict[str, Any], int, str]] = [
    ({"service": "agents"}, 20004, "service"),
    ({"service": "all"}, 20004, "service"),
    ({"source_store": "other"}, 20004, "source_store"),
    ({"connection": "00000000-0000-4000-8000-000000000000"}, 20004, "connection"),
    ({"connection": None}, 20000, "connection"),
    ({"store": None}, 20000, "store"),
    ({"store": "other"}, 20004, "store"),
    ({"until": None}, 20000, "until"),
    ({"until": "date"}, 20000, "until_date"),
    ({"authority_homepage": "nowhere"}, 20004, "authority_homepage"),
]


async def test_what_makes_no_sense_is_refused_when_it_is_saved(house: House, lrs: Lrs) -> None:
    sound = {"repeat": "now", "store": "main"} | await aim(house, lrs)
    for change, code, word in ODD:
        request = sound | change
        params = {name: value for name, value in request.items() if name != "repeat"}

        typed = await house.call("jobs/pull", "set", request)
        saved = await house.call("jobs/definitions", "set", {"name": "n", "type": "pull", "params": params})

        for each in (typed, saved):
            assert (each.status, each.code) == (400, code), change
            assert word in each.meta["message"]
