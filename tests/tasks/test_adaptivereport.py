"""Task `adaptivereport`."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from jobgate.scoring.ability import ItemParameters, estimate
from jobgate.tasks.adaptivereport import SLICE_SESSIONS
from jobgate.testing import House
from tests.adaptive_sessions import item, mark, read_report, report, store_adaptive
from tests.stored_sessions import age_jobs, read, results, store

LONG_AGO = datetime(2020, 1, 3, tzinfo=UTC)

ITEMS = [item("i-1", 0), item("i-2", 1, 2, 0.25), item("i-3", -1)]
MARKS = [mark("i-1", 1), mark("i-2", 0.5), mark("i-3", 2, 2)]


async def test_a_report_tells_each_step_and_the_end(house: House) -> None:
    await store_adaptive(house, "s-1", ITEMS, MARKS)

    reference = await report(house, "s-1")
    await house.carry()

    assert await results(house, reference) == [{"session_id": "s-1", "user_id": "u-1", "status": "ok"}]
    found = await read_report(house, "s-1")
    assert (found["method"], found["skipped"]) == ("eap", [])
    first, second, third = found["steps"]
    told = {name: second[name] for name in ("item_reference", "a", "b", "c", "score", "max_score", "correct")}
    assert told == {
        "item_reference": "i-2",
        "a": 2,
        "b": 1,
        "c": 0.25,
        "score": 0.5,
        "max_score": 1,
        "correct": False,
    }
    assert first["correct"] is third["correct"] is True
    # One right answer to a Rasch item: no likelihood has a peak; the posterior mean is known to be 0.4132.
    assert first["ml"] == {"ability_estimate": 4, "standard_error": pytest.approx(7.5245, abs=1e-3), "at_bound": True}
    assert third["ml"]["at_bound"] is False
    assert first["eap"] == {"ability_estimate": 0.4132, "standard_error": 0.9106}
    assert found["final"] == third["eap"]
    answers = [(ItemParameters(0), True), (ItemParameters(1, 2, 0.25), False), (ItemParameters(-1), True)]
    assert found["final"]["ability_estimate"] == round(estimate(answers).ability, 4)


@pytest.mark.parametrize(
    "marks",
    [
        [mark("i-1", None)],  # waits for a person
        [mark("i-1", 1), mark("i-1", None)],  # so does half of it
        [mark("i-1", 0, 0)],  # nothing to earn
        [mark("i-1", None, None, attempted=False)],
        [],
    ],
)
async def test_an_item_that_tells_nothing_is_skipped(house: House, marks: list[Any]) -> None:
    await store_adaptive(house, "s-1", ITEMS[:2], [*marks, mark("i-2", 1)])
    await store_adaptive(house, "s-2", ITEMS[:1], marks)

    await report(house, "s-1", "s-2")
    await house.carry()

    told = await read_report(house, "s-1")
    assert [step["item_reference"] for step in told["steps"]] == ["i-2"]
    assert told["skipped"] == ["i-1"]
    assert await read_report(house, "s-2") == {"method": "eap", "final": None, "steps": [], "skipped": ["i-1"]}


@pytest.mark.parametrize(
    ("marks", "right"),
    [
        ([mark("i-1", None, attempted=False)], False),
        ([mark("i-1", 0, manual_score=1)], True),
        ([mark("i-1", 1, manual_score=0)], False),
        ([mark("i-1", 1, 1, max_manual_score=2)], False),
        ([mark("i-1", 0.3), mark("i-1", 0.7, 0.7)], False),
        ([mark("i-1", 0.1 + 0.2, 0.3), mark("i-1", 0.7, 0.7)], True),
    ],
)
async def test_an_item_is_right_when_all_of_its_score_was_reached(house: House, marks: list[Any], right: bool) -> None:
    await store_adaptive(house, "s-1", ITEMS[:1], marks)

    await report(house, "s-1")
    await house.carry()

    (step,) = (await read_report(house, "s-1"))["steps"]
    assert step["correct"] is right


async def test_items_without_parameters_are_no_part_of_it(house: House) -> None:
    await store_adaptive(house, "s-1", [{"reference": "plain"}, *ITEMS], [mark("plain", 0), *MARKS, mark("other", 1)])

    await report(house, "s-1")
    await house.carry()

    told = await read_report(house, "s-1")
    assert [step["item_reference"] for step in told["steps"]] == ["i-1", "i-2", "i-3"]


async def test_the_time_of_the_last_change_moves_only_with_the_report(house: House) -> None:
    await store_adaptive(house, "s-1", ITEMS, MARKS)
    await report(house, "s-1")
    await house.carry()
    first = await read(house, "s-1")

    await report(house, "s-1")
    await house.carry()
    second = await read(house, "s-1")
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("update response set score = 0 where item_reference = 'i-1'")
    await report(house, "s-1")
    await house.carry()
    third = await read(house, "s-1")

    assert LONG_AGO < first["updated_at"] == second["updated_at"] < third["updated_at"]
    assert first["report_by"] < second["report_by"] < third["report_by"]


async def test_plain_unknown_and_unreadable_sessions_are_refused_alone(house: House) -> None:
    await store(house, "plain", items=[{"reference": "i-1"}])
    await store_adaptive(house, "unreadable", [item("i-1", 0, a=-1)], [])
    await store_adaptive(house, "s-1", ITEMS, MARKS)

    reference = await report(house, "plain", "unknown", "unreadable", "s-1")
    await house.carry()

    told = await results(house, reference)
    assert [(each["status"], each.get("code")) for each in told] == [
        ("error", 20004),
        ("error", 20016),
        ("error", 20004),
        ("ok", None),
    ]
    assert "not adaptive" in told[0]["message"]
    assert (await read(house, "unreadable"))["report_by"] == 0


@pytest.mark.parametrize("column", ["set_by", "report_by"])
async def test_what_a_newer_job_wrote_is_left_alone(house: House, column: str) -> None:
    await store_adaptive(house, "s-1", ITEMS, MARKS)
    reference = await report(house, "s-1")
    newer = await age_jobs(house)
    async with house.db.transaction(1) as tx:
        await tx.connection.execute(f"update session set {column} = $1", newer)

    await house.carry()

    (told,) = await results(house, reference)
    assert told["superseded"] is True
    assert await read_report(house, "s-1") is None
    assert (await read(house, "s-1"))["updated_at"] == LONG_AGO


async def test_a_job_that_runs_again_changes_nothing(house: House) -> None:
    await store_adaptive(house, "s-1", ITEMS, MARKS)
    reference = await report(house, "s-1")
    await house.carry()
    before = await read(house, "s-1")

    async with house.db.connection() as queries:
        await queries.connection.execute("update job set state = 'queued', results = null, completed_at = null")
    await house.carry()

    assert await read(house, "s-1") == before
    assert [each["status"] for each in await results(house, reference)] == ["ok"]


async def test_more_sessions_than_are_in_memory_at_once_are_all_reported(house: House) -> None:
    names = [f"s-{number:03}" for number in range(2 * SLICE_SESSIONS + 1)]
    for number, name in enumerate(names):
        await store_adaptive(house, name, ITEMS, [mark("i-1", number % 2)])

    reference = await report(house, *names)
    await house.carry()

    assert {each["status"] for each in await results(house, reference)} == {"ok"}
    reached = [(await read_report(house, name))["final"]["ability_estimate"] for name in names]
    assert [math.copysign(1, each) for each in reached] == [1 if number % 2 else -1 for number in range(len(names))]
