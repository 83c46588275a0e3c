"""`jobs` get: which jobs, in which order, and what of them."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from jobgate.context import LogEntry
from jobgate.jobs import log
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.stored_jobs import START, queue

FIVE = {"reference", "type", "status", "dt_created", "dt_completed"}


async def find(house: House, request: Any = None, **options: Any) -> list[str]:
    """The references that `jobs` get answers."""
    reply = await house.call("jobs", "get", request, **options)
    assert reply.meta["records"] == len(reply.data)
    assert "next" not in reply.meta
    return [record["reference"] for record in reply.data]


async def one(house: House, reference: str, request: Any = None, **options: Any) -> Any:
    """The only record of an answer."""
    reply = await house.call("jobs", "get", {"references": [reference]} | (request or {}), **options)
    (record,) = reply.data
    return record


# -- records ---------------------------------------------------------------------------------------------------------


async def test_a_record_has_the_documented_five_properties(house: House) -> None:
    reference = await queue(house)

    assert await one(house, reference) == {
        "reference": reference,
        "type": "toy",
        "status": "completed",
        "dt_created": "2024-05-06 07:08:09",
        "dt_completed": "2024-05-06 07:08:10",
    }


@pytest.mark.parametrize("state", ["queued", "running"])
async def test_an_unfinished_job_has_no_time_of_completion(house: House, state: str) -> None:
    record = await one(house, await queue(house, state=state))

    assert (record["status"], record["dt_completed"]) == (state, None)


async def test_a_halted_job_says_why_and_when(house: House) -> None:
    error = {"code": "failed", "message": "The task failed; the operator's log knows more."}
    reference = await queue(house, state="halted", error=error)

    record = await one(house, reference, {"include": ["error", "dt_completed", "results"]})

    assert record == {"dt_completed": "2024-05-06 07:08:10", "results": None, "error": error}


async def test_data_has_the_request_the_counters_and_the_log(house: House) -> None:
    reference = await queue(house, params={"open": [1.5, "ü", None]})
    async with house.db.connection() as queries:
        id = await queries.connection.fetchval("select id from job")
        entries = [
            LogEntry(f"chunk {number}", counters={"rows": 30_000_000, f"n-{number % 2}": 1}) for number in range(120)
        ]
        await log(queries, [(id, entry) for entry in [*entries, LogEntry("no counters", 1)]])

    data = (await one(house, reference, {"include": ["data"]}))["data"]

    assert data["request"] == {"open": [1.5, "ü", None]}
    assert data["counters"] == {"rows": 2_147_483_647, "n-0": 60, "n-1": 60}
    assert [entry["message"] for entry in data["log"]] == [f"chunk {number}" for number in range(21, 120)] + [
        "no counters"
    ]
    assert data["log"][-1]["severity"] == 1
    assert data["log"][-1]["counters"] is None
    assert data["log"][0]["counters"] == {"rows": 30_000_000, "n-1": 1}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", data["log"][0]["time"])


async def test_requests_that_are_longer_than_any_answer_are_not_gathered(make_house: MakeHouse) -> None:
    async with make_house(max_answer=20_000) as house:
        large = [await queue(house, params={"text": "x" * 1500}) for _ in range(15)]

        reply = await house.call("jobs", "get", {"references": large, "include": ["data"]})

        assert (reply.status, reply.code) == (400, 20027)
        assert len(await find(house, {"references": large})) == 15
        page = await house.call("jobs", "get", {"include": ["data"], "limit": 11})
        assert [record["data"]["request"]["text"] for record in page.data] == ["x" * 1500] * 11


async def test_progress_is_what_was_saved_or_all_or_nothing(house: House) -> None:
    saved = await queue(house, state="running", progress={"done": 7, "total": 9}, entries=5)
    waiting = await queue(house, state="queued", entries=5)
    done = await queue(house, entries=5)

    progress = [await one(house, reference, {"include": ["progress"]}) for reference in (saved, waiting, done)]

    assert [record["progress"] for record in progress] == [
        {"done": 7, "total": 9},
        {"done": 0, "total": 5},
        {"done": 5, "total": 5},
    ]


RESTRICTS = ["v2023.3.LTS", "v2023.3", "v2025.1.LTS", "V2026.2.lts", "latest", "latest-lts", "developer", "stable"]
ADDS = ["v0", "v1", "v1.85.0", "v2", "v2022.3.preview1", "v2023.1.LTS", "v2023.2.LTS"]


@pytest.mark.parametrize("version", RESTRICTS)
@pytest.mark.parametrize(
    ("include", "has"),
    [
        (None, FIVE),
        ([], FIVE),
        (["nonsense"], FIVE),
        (["status"], {"status"}),
        (["status", "nonsense", "status"], {"status"}),
        (["data", "results", "error", "progress"], {"data", "results", "error", "progress"}),
        ([*FIVE, "results"], FIVE | {"results"}),
    ],
)
async def test_later_versions_restrict_a_record_to_what_is_included(
    shared_house: House, version: str, include: list[str] | None, has: set[str]
) -> None:
    request = {} if include is None else {"include": include}

    (record,) = (await shared_house.call("jobs", "get", request, version=version)).data

    assert set(record) == has


@pytest.mark.parametrize("version", ADDS)
@pytest.mark.parametrize(
    ("include", "has"),
    [
        (None, FIVE),
        ([], FIVE),
        (["nonsense"], FIVE),
        (["status"], FIVE),
        (["data"], FIVE | {"data"}),
        (["results", "nonsense"], FIVE | {"results"}),
    ],
)
async def test_earlier_versions_add_what_is_included(
    shared_house: House, version: str, include: list[str] | None, has: set[str]
) -> None:
    request = {} if include is None else {"include": include}

    (record,) = (await shared_house.call("jobs", "get", request, version=version)).data

    assert set(record) == has


# -- which jobs ------------------------------------------------------------------------------------------------------


async def test_without_references_only_completed_jobs_are_told(house: House) -> None:
    completed = await queue(house)
    for state in ("queued", "running", "halted"):
        await queue(house, state=state)

    assert await find(house) == [completed]


async def test_with_references_jobs_in_every_state_are_told(house: House) -> None:
    references = [
        await queue(house, state=state, created_at=START + timedelta(seconds=number))
        for number, state in enumerate(("queued", "running", "halted", "completed"))
    ]

    assert await find(house, {"references": references}) == references[::-1]


async def test_a_status_filters_with_and_without_references_in_any_case(house: House) -> None:
    queued = await queue(house, state="queued")
    running = await queue(house, state="running", created_at=START - timedelta(seconds=1))
    everything = [queued, running, await queue(house)]

    assert await find(house, {"status": ["Queued", "RUNNING", "queued"]}) == [queued, running]
    assert await find(house, {"status": ["queued"], "references": everything}) == [queued]
    assert await find(house, {"status": ["halted"], "references": everything}) == []
    assert await find(house, {"status": "queued,running"}) == [queued, running]


async def test_empty_lists_find_nothing(house: House) -> None:
    await queue(house)

    assert await find(house, {"references": []}) == []
    assert await find(house, {"status": []}) == []


async def test_references_that_nobody_has_are_absent(house: House) -> None:
    reference = await queue(house)
    odd = ["", "x", "é", str(uuid.uuid4()), reference[:-1], f" {reference}", "'; --", "0" * 10_000, f"{{{reference}}}"]

    assert await find(house, {"references": [*odd, reference.upper(), reference]}) == [reference]


async def test_another_consumers_jobs_are_invisible(house: House) -> None:
    mine = await queue(house)
    same_organisation = await queue(house, consumer_key=house.other.key)
    elsewhere = await queue(house, consumer_key=house.stranger.key, organisation_id=2)
    everything = {"references": [mine, same_organisation, elsewhere]}

    assert await find(house, everything) == [mine]
    assert await find(house, everything, as_=house.other) == [same_organisation]
    assert await find(house, everything, as_=house.stranger) == [elsewhere]
    assert await find(house, as_=house.stranger) == [elsewhere]


async def test_an_organisation_filters_only_when_it_is_named(house: House) -> None:
    async with house.db.connection() as queries:
        await queries.connection.execute("insert into consumer_organisation values ($1, 2)", house.home.key)
    here = await queue(house)
    there = await queue(house, organisation_id=2, created_at=START - timedelta(seconds=1))

    assert await find(house) == [here, there]
    assert await find(house, {"references": [here, there]}) == [here, there]
    assert await find(house, {"organisation_id": 1}) == [here]
    assert await find(house, {"organisation_id": "2"}) == [there]
    assert await find(house, {"organisation_id": 2, "references": [here, there]}) == [there]
    assert (await house.call("jobs", "get", {"organisation_id": 3})).code == 40003
    assert (await house.call("jobs", "get", {"organisation_id": 2}, as_=house.other)).code == 40003


async def test_times_of_creation_are_bounded_on_both_sides_by_the_second(house: House) -> None:
    first, second, third = [
        await queue(house, created_at=START + timedelta(seconds=number, milliseconds=600)) for number in range(3)
    ]
    unix = int(START.timestamp())

    assert await find(house, {"mintime": unix + 1}) == [third, second]
    assert await find(house, {"maxtime": unix + 1}) == [second, first]
    assert await find(house, {"mintime": unix + 1, "maxtime": str(unix + 1)}) == [second]
    assert await find(house, {"mintime": "2024-05-06 07:08:10", "maxtime": "2024-05-06T07:08:10Z"}) == [second]
    assert await find(house, {"maxtime": "2024-05-06T09:08:09+02:00"}) == [first]
    assert await find(house, {"maxtime": "2024-05-06T07:08:10.5"}) == [first]
    assert await find(house, {"mintime": "2024-05-07"}) == []
    assert await find(house, {"references": [first, third], "mintime": unix + 1}) == [third]
    assert await find(house, {"maxtime": "9999-12-31 23:59:59", "mintime": "0001-01-01"}) == [third, second, first]


async def test_newest_first_then_by_reference(house: House) -> None:
    same = sorted([await queue(house) for _ in range(3)], reverse=True)
    newer = await queue(house, created_at=START + timedelta(microseconds=1))

    assert await find(house) == [newer, *same]
    assert await find(house, {"references": [same[0], newer, same[1], same[0]]}) == [newer, same[0], same[1]]


async def test_how_many_jobs_an_answer_has(house: House) -> None:
    references = [await queue(house, created_at=START + timedelta(seconds=number)) for number in range(60)][::-1]

    assert await find(house) == references[:50]
    assert await find(house, {"limit": 1000}) == references[:50]
    assert await find(house, {"limit": "7"}) == references[:7]
    assert await find(house, {"references": references}) == references
    assert await find(house, {"references": references, "limit": 1000}) == references[:50]
    assert await find(house, {"references": references, "limit": 3}) == references[:3]
    assert await find(house, {"references": references + [str(uuid.uuid4()) for _ in range(940)]}) == references


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"references": ["x"] * 1001}, 20002),
        ({"references": 7}, 20003),
        ({"references": [7]}, 20003),
        ({"status": ["done"]}, 20004),
        ({"status": ["queued", ""]}, 20004),
        ({"status": [1]}, 20003),
        ({"limit": 0}, 20003),
        ({"limit": -1}, 20003),
        ({"limit": "ten"}, 20003),
        ({"limit": 1.5}, 20003),
        ({"limit": 2**63}, 20003),
        ({"mintime": "yesterday"}, 20003),
        ({"maxtime": ["2024"]}, 20003),
        ({"maxtime": 10**15}, 20003),
        ({"include": 7}, 20003),
        ({"organisation_id": "home"}, 20003),
        ({"organisation_id": 2**31}, 40003),
    ],
)
async def test_a_wrong_request_is_refused(shared_house: House, request_: Any, code: int) -> None:
    assert (await shared_house.call("jobs", "get", request_)).code == code


async def test_null_means_not_given(house: House) -> None:
    reference = await queue(house)
    names = ("references", "status", "mintime", "maxtime", "limit", "include", "organisation_id")

    assert await find(house, dict.fromkeys(names)) == [reference]


async def test_get_is_what_no_action_means_and_an_empty_array_is_an_empty_request(house: House) -> None:
    reference = await queue(house)

    assert await find(house, "[]", distinct=False) == [reference]
    reply = await house.call("jobs", None, "{}", distinct=False)
    assert [record["reference"] for record in reply.data] == [reference]


async def test_the_service_can_be_switched_off(make_house: MakeHouse) -> None:
    async with make_house(jobs_api=False) as house:
        for endpoint, action in (("jobs", "get"), ("jobs", "update"), ("jobs/sessions/statuses", "update")):
            reply = await house.call(endpoint, action, {})

            assert (reply.status, reply.code) == (403, 41008)
