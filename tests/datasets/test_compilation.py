"""What compiling makes of attempts and groups, and that it survives its worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jobgate.context import Chunk, Run
from jobgate.registry import Task, load_tasks
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.datasets.measures import differences
from tests.datasets.samples import (
    ANALYSIS,
    BANK,
    TYPE,
    Answered,
    add_attempt,
    add_many,
    compile_dataset,
    count,
    finish,
    line,
    put,
    read,
    set_dataset,
    start,
    upload,
)

RESULTS = ("dataset_build", "dataset_group", "dataset_path", "dataset_user")


async def add_school(house: House) -> str:
    """Four users: ann and bob in north/a, cid in north/b and in south, dee in south. Compiled."""
    await add_attempt(house, "ann", "maths", 2, 10, completed="2026-01-10")
    await add_attempt(house, "ann", "maths", 8, 10, completed="2026-01-20", responses=[Answered(10, 8)])
    await add_attempt(house, "ann", "reading", 6, 10, responses=[Answered(5, 5), Answered(5, attempted=False)])
    await add_attempt(house, "bob", "maths", 4, 10, responses=[Answered(6, 4), Answered(4)])
    await add_attempt(house, "cid", "maths", 10, 10, responses=[Answered(10, 10)])
    await add_attempt(house, "cid", "reading", 10, 10, responses=[Answered(2, None, True, 10, 10)])
    dataset_id = await upload(
        house,
        line("ann", "north", "a"),
        line("bob", "north", "a"),
        line("cid", "north", "b"),
        line("cid", "south"),
        line("dee", "south"),
        line("ann", "north", "a"),
    )
    await compile_dataset(house, dataset_id)
    return dataset_id


async def test_the_root_sums_up_everybody_once(house: House) -> None:
    dataset_id = await add_school(house)

    root = (await read(house, dataset_id))["group"]

    assert root == {
        "key": None,
        "label": None,
        "group_path": [],
        "group_count": 2,
        "population": 4,
        "mean_seen_activities": 1.25,  # (2 + 1 + 2 + 0) / 4
        "mean_attempted_percent": 91.6667,  # (75 + 100 + 100) / 3
        "lowest_score": 4,
        "highest_score": 20,
        "mean_score": 12.6667,  # (14 + 4 + 20) / 3
        "median_score": 14,
        "p25_score": 9,
        "p75_score": 17,
        "p90_score": 18.8,
        "stddev_score": 6.5997,
        "lowest_percent": 40,
        "highest_percent": 100,
        "mean_percent": 70,  # (70 + 40 + 100) / 3
        "median_percent": 70,
        "p25_percent": 55,
        "p75_percent": 85,
        "p90_percent": 94,
        "stddev_percent": 24.4949,
    }


async def test_a_leaf_sums_up_its_own_users(house: House) -> None:
    dataset_id = await add_school(house)

    group = (await read(house, dataset_id, "north", "a"))["group"]

    assert group == {
        "key": "a",
        "label": "a",
        "group_path": ["north", "a"],
        "group_count": 0,
        "population": 2,
        "mean_seen_activities": 1.5,
        "mean_attempted_percent": 87.5,
        "lowest_score": 4,
        "highest_score": 14,
        "mean_score": 9,
        "median_score": 9,
        "p25_score": 6.5,
        "p75_score": 11.5,
        "p90_score": 13,
        "stddev_score": 5,
        "lowest_percent": 40,
        "highest_percent": 70,
        "mean_percent": 55,
        "median_percent": 55,
        "p25_percent": 47.5,
        "p75_percent": 62.5,
        "p90_percent": 67,
        "stddev_percent": 15,
    }


async def test_a_user_in_two_groups_counts_in_both_and_once_above(house: House) -> None:
    dataset_id = await add_school(house)

    places = [(), ("north",), ("north", "b"), ("south",)]
    populations = [(await read(house, dataset_id, *place))["group"]["population"] for place in places]
    listed = [[user["user_id"] for user in (await read(house, dataset_id, *place))["users"]] for place in places]

    assert populations == [4, 3, 1, 2]
    assert listed == [["cid", "ann", "bob", "dee"], ["cid", "ann", "bob"], ["cid"], ["cid", "dee"]]


async def test_users_carry_the_sums_of_their_latest_attempts(house: House) -> None:
    dataset_id = await add_school(house)

    users = {user.pop("user_id"): user for user in (await read(house, dataset_id))["users"]}

    assert users["ann"] == {
        "score": 14,
        "max_score": 20,
        "attempted_max_score": 15,
        "unscored_max_score": 0,
        "seen_activities": 2,
    }
    assert users["bob"] == {
        "score": 4,
        "max_score": 10,
        "attempted_max_score": 10,
        "unscored_max_score": 4,
        "seen_activities": 1,
    }
    assert users["cid"]["attempted_max_score"] == 20  # a mark given by hand brings its own maximum
    assert users["cid"]["unscored_max_score"] == 0
    assert users["dee"] == {
        "score": None,
        "max_score": None,
        "attempted_max_score": None,
        "unscored_max_score": None,
        "seen_activities": 0,
    }


async def test_only_completed_attempts_count(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10, completed="2026-01-01")
    await add_attempt(house, "ann", "maths", 9, 10, completed="2026-02-01", status="Discarded")
    await add_attempt(house, "ann", "maths", 9, 10, completed="2026-02-02", status="Pending Scoring")
    await add_attempt(house, "ann", "maths", 9, 10, completed=None, status="Incomplete")
    dataset_id = await upload(house, line("ann"))

    await compile_dataset(house, dataset_id)

    assert [user["score"] for user in (await read(house, dataset_id))["users"]] == [3]


async def test_filters_choose_activities_and_times(house: House) -> None:
    for day, score in (("01", 1), ("10", 2), ("20", 4), ("28", 8)):
        await add_attempt(house, "ann", "maths", score, 10, completed=f"2026-01-{day}")
    await add_attempt(house, "ann", "reading", 10, 10, completed="2026-01-15")
    filters = {"activity_id": ["maths"], "mintime": "2026-01-05", "maxtime": "2026-01-20T12:00:00Z"}
    dataset_id = await upload(house, line("ann"), filters=filters)

    await compile_dataset(house, dataset_id)

    assert [user["score"] for user in (await read(house, dataset_id))["users"]] == [4]


async def test_a_user_whose_maximum_is_zero_has_a_score_but_no_percent(house: House) -> None:
    await add_attempt(house, "ann", "maths", 0, 0)
    dataset_id = await upload(house, line("ann"))

    await compile_dataset(house, dataset_id)

    group = (await read(house, dataset_id))["group"]
    assert (group["population"], group["mean_score"], group["mean_percent"]) == (1, 0, None)


async def test_another_organisations_attempts_do_not_count(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    await add_attempt(house, "ann", "maths", 9, 10, completed="2026-04-01", organisation_id=2)
    dataset_id = await upload(house, line("ann"))

    await compile_dataset(house, dataset_id)

    assert (await read(house, dataset_id))["group"]["mean_score"] == 3


async def test_groups_may_have_users_of_their_own_and_keys_may_be_long(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    deep = ["ä" * 256] * 16
    dataset_id = await upload(house, line("ann", *deep), line("bob", *deep[:1]), line("cid"))

    await compile_dataset(house, dataset_id)

    assert (await read(house, dataset_id, *deep))["group"]["population"] == 1
    assert (await read(house, dataset_id, *deep[:1]))["group"]["population"] == 2
    assert (await read(house, dataset_id))["group"]["population"] == 3


async def test_readers_see_the_older_results_until_the_newer_are_complete(house: House) -> None:
    dataset_id = await add_school(house)
    answer = await set_dataset(house, dataset_id=dataset_id)
    await put(house, answer["input_files"][0], line("ann", "west"))
    reference = await start(house, dataset_id)

    before = await read(house, dataset_id)
    await finish(house, reference)
    after = await read(house, dataset_id)

    assert [group["key"] for group in before["children"]] == ["south", "north"]
    assert [group["key"] for group in after["children"]] == ["west"]
    assert [await count(house, table) for table in RESULTS] == [1, 2, 2, 1]


async def test_a_file_that_is_replaced_while_its_job_waits_ends_the_job(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    answer = await set_dataset(house)
    await put(house, answer["input_files"][0], line("ann"))
    reference = await start(house, answer["dataset_id"])
    await put(house, answer["input_files"][0], line("bob"))

    record = await finish(house, reference)

    assert record["status"] == "halted"
    assert "files of the dataset were replaced" in record["error"]["message"]


async def test_a_dataset_that_becomes_one_of_another_type_ends_the_job_and_has_no_results(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann"))
    await compile_dataset(house, dataset_id)
    reference = await start(house, dataset_id)
    await set_dataset(house, dataset_id=dataset_id, dataset_type=ANALYSIS)

    record = await finish(house, reference)
    reply = await house.call("reports/datasets", "get", {"dataset_id": dataset_id})

    assert record["error"]["message"] == f"the dataset was set anew, as {ANALYSIS}; start another job"
    assert reply.meta["message"] == f"dataset {dataset_id} is not compiled yet"


async def test_an_older_analysis_is_forgotten_when_a_newer_one_is_complete(house: House) -> None:
    tables = ("dataset_build", "dataset_user", "dataset_question", "dataset_option", "dataset_activity")
    await add_many(house, 2, questions=2)
    dataset_id = await upload(house, line("user-0"), line("user-1", "a"), dataset_type=ANALYSIS)

    for _ in range(2):
        await compile_dataset(house, dataset_id, ANALYSIS)
        assert [await count(house, table) for table in tables][:3] == [1, 2, 4]
        assert await count(house, "dataset_activity") == 2

    await set_dataset(house, dataset_id=dataset_id, dataset_type=TYPE, file_count=0)
    await house.carry()
    assert [await count(house, table) for table in tables] == [1, 2, 0, 0, 0]


async def test_a_user_with_many_sessions_is_analysed_in_a_chunk_of_its_own(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobgate.datasets.compilation.CHUNK_SESSIONS", 5)
    await add_many(house, 4, activities=3, questions=1)
    dataset_id = await upload(house, *[line(f"user-{number}") for number in range(4)], dataset_type=BANK)

    await compile_dataset(house, dataset_id, BANK)

    (question,) = (await read(house, dataset_id))["questions"]
    assert question["responses"] == 12


async def test_a_job_that_comes_after_a_newer_one_drops_its_results(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann"))
    older = await start(house, dataset_id)
    async with house.db.connection() as queries:
        await queries.connection.execute("update job set run_at = run_at + interval '1 hour'")
    newer = await start(house, dataset_id)
    async with house.db.connection() as queries:
        await queries.connection.execute("update job set state = 'halted' where reference = $1", older)
    await finish(house, newer)
    await house.call("jobs", "update", {"references": [older], "status": "queued"})

    record = await finish(house, older)

    assert record["status"] == "completed"
    assert record["results"][0]["superseded"] is True
    assert [await count(house, table) for table in RESULTS] == [1, 1, 1, 1]


async def test_all_statistics_of_groups_are_those_of_numpy(house: House) -> None:
    """Three thousand users in fifty groups; the full size is `python -m tests.datasets.full_size`."""
    await add_many(house, 3000, activities=3)
    lines = [line(f"user-{number}", f"area-{number % 5}", f"class-{number % 50}") for number in range(3000)]
    dataset_id = await upload(house, *lines)

    await compile_dataset(house, dataset_id)

    for path in ([], ["area-0"], ["area-3"], ["area-2", "class-7"], ["area-4", "class-49"]):
        group = (await read(house, dataset_id, *path))["group"]
        numbers = [n for n in range(3000) if not path or n % 5 == int(path[0][5:])]
        numbers = [n for n in numbers if len(path) < 2 or n % 50 == int(path[1][6:])]
        assert group["population"] == len(numbers)
        assert await differences(house, group, numbers) == []


@pytest.mark.parametrize("dataset_type", [TYPE, ANALYSIS, BANK])
async def test_a_job_that_dies_in_the_middle_goes_on_where_it_was(make_house: MakeHouse, dataset_type: str) -> None:
    """Every chunk dies once, right after its work and before its commit; every second one after its commit."""
    task = load_tasks()["datasetcompile"]
    opened: list[str] = []

    async def carry_badly(run: Run[Any]) -> None:
        @asynccontextmanager
        async def open_chunk() -> AsyncIterator[Chunk]:
            opened.append("chunk")
            async with run.chunk() as chunk:
                yield chunk
                if len(opened) % 2:
                    raise ConnectionResetError("the worker dies before its commit")
            if len(opened) % 4 == 0 and chunk.results is None:
                raise ConnectionResetError("the worker dies after its commit")

        await task.carry(Run(run.facts, run.params, run.cursor, open_chunk, run.outside))

    frail = {task.type: Task(task.type, task.kind, carry_badly, task.params, task.timeout_s, task.summary, task.file)}
    users = [f"user-{number}" for number in range(2500)]
    async with make_house(tasks=frail, max_failures=100) as house:
        await add_many(house, 2500, questions=2)
        lines = [line(user, f"class-{index % 40}") for index, user in enumerate(users)]
        dataset_id = await upload(house, *lines, dataset_type=dataset_type)

        record = await compile_dataset(house, dataset_id, dataset_type)

        root = await read(house, dataset_id)
        done = 2541 if dataset_type == TYPE else 5041
        assert len(opened) > 10
        assert record["results"] == [{"dataset_id": dataset_id, "users": 2500, "groups": 41, "status": "ok"}]
        assert record["progress"] == {"done": done, "total": done}
        assert (root["group"]["population"], root["group"]["mean_seen_activities"]) == (2500, 1)
        assert [group["population"] for group in root["children"]].count(62) == 20
        assert [await count(house, table) for table in RESULTS] == [1, 41, 41, 2500]
        for question in root.get("questions", []):
            assert (question["responses"], sum(option["count"] for option in question["options"])) == (2500, 2500)
        for activity in root.get("activities", []):
            assert (activity["sessions"], activity["questions"]) == (2500, 2)
