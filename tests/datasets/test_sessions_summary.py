"""Datasets over sessions that the files name."""

from __future__ import annotations

from jobgate.testing import House
from tests.datasets.samples import (
    SESSIONS,
    Answered,
    add_attempt,
    compile_dataset,
    finish,
    line,
    read,
    set_dataset,
    upload,
)


async def test_the_named_sessions_are_summed_up_and_no_others(house: House) -> None:
    """Both attempts at one activity, not the latest; and not one that nobody named."""
    first = await add_attempt(house, "ann", "maths", 2, 10, completed="2026-01-10", responses=[Answered(10, 2)])
    second = await add_attempt(house, "ann", "maths", 8, 10, completed="2026-01-20")
    await add_attempt(house, "ann", "maths", 9, 10, completed="2026-01-30")
    third = await add_attempt(house, "bob", "reading", 5, 10)
    dataset_id = await upload(
        house, line("ann", "a", sessions=[first, second]), line("bob", "b", sessions=[third]), dataset_type=SESSIONS
    )

    await compile_dataset(house, dataset_id, SESSIONS)

    root = await read(house, dataset_id)
    assert root["users"] == [
        {
            "user_id": "ann",
            "score": 10,
            "max_score": 20,
            "attempted_max_score": 10,
            "unscored_max_score": 0,
            "seen_activities": 1,
        },
        {
            "user_id": "bob",
            "score": 5,
            "max_score": 10,
            "attempted_max_score": 0,
            "unscored_max_score": 0,
            "seen_activities": 1,
        },
    ]
    assert (root["group"]["mean_score"], root["group"]["mean_percent"]) == (7.5, 50)


async def test_a_session_that_is_named_twice_counts_once_in_every_group_of_its_user(house: House) -> None:
    first = await add_attempt(house, "ann", "maths", 2, 10)
    second = await add_attempt(house, "ann", "reading", 8, 10)
    lines = [line("ann", "a", sessions=[first, first]), line("ann", "b", sessions=[first, second])]
    dataset_id = await upload(house, *lines, dataset_type=SESSIONS)

    record = await compile_dataset(house, dataset_id, SESSIONS)

    assert [(await read(house, dataset_id, *path))["users"][0]["score"] for path in ([], ["a"], ["b"])] == [10, 10, 10]
    assert "missing_sessions" not in record["results"][0]


async def test_sessions_that_do_not_count_are_told(house: House) -> None:
    mine = await add_attempt(house, "ann", "maths", 2, 10)
    open_one = await add_attempt(house, "ann", "maths", 9, 10, completed=None, status="Incomplete")
    late = await add_attempt(house, "ann", "maths", 9, 10, completed="2026-05-01")
    elsewhere = await add_attempt(house, "ann", "reading", 9, 10)
    foreign = await add_attempt(house, "bob", "maths", 9, 10)
    theirs = await add_attempt(house, "ann", "maths", 9, 10, organisation_id=2)
    named = [mine, open_one, late, elsewhere, foreign, theirs, "unknown"]
    filters = {"activity_id": ["maths"], "maxtime": "2026-04-01"}
    dataset_id = await upload(house, line("ann", sessions=named), dataset_type=SESSIONS, filters=filters)

    record = await compile_dataset(house, dataset_id, SESSIONS)

    (user,) = (await read(house, dataset_id))["users"]
    assert (user["score"], user["max_score"]) == (2, 10)
    assert record["results"][0]["missing_sessions"] == 6
    (warning,) = [entry for entry in record["data"]["log"] if entry["severity"] == 1]
    assert warning["counters"] == {"sessions": 6}


async def test_a_user_whose_sessions_do_not_count_is_part_of_the_population(house: House) -> None:
    dataset_id = await upload(house, line("ann", sessions=[]), line("bob", sessions=["x"]), dataset_type=SESSIONS)

    await compile_dataset(house, dataset_id, SESSIONS)

    group = (await read(house, dataset_id))["group"]
    assert (group["population"], group["mean_score"], group["mean_seen_activities"]) == (2, None, 0)


async def test_without_files_everybody_who_took_part_is_in_the_root(house: House) -> None:
    """Of the type that counts latest attempts."""
    await add_attempt(house, "ann", "maths", 2, 10, completed="2026-01-10")
    await add_attempt(house, "ann", "maths", 4, 10, completed="2026-01-20")
    await add_attempt(house, "bob", "maths", 8, 10, completed="2026-01-15")
    await add_attempt(house, "cid", "maths", 9, 10, completed="2026-03-01")
    await add_attempt(house, "dee", "reading", 9, 10)
    await add_attempt(house, "eve", "maths", 9, 10, completed=None, status="Incomplete")

    answer = await set_dataset(house, file_count=0, filters={"activity_id": ["maths"], "maxtime": "2026-02-01"})
    record = await finish(house, answer["job_reference"])

    root = await read(house, answer["dataset_id"])
    assert record["results"] == [{"dataset_id": answer["dataset_id"], "users": 2, "groups": 1, "status": "ok"}]
    assert record["progress"] == {"done": 3, "total": 3}
    assert [(user["user_id"], user["score"]) for user in root["users"]] == [("bob", 8), ("ann", 4)]
    assert (root["group"]["population"], root["group"]["mean_score"], root["children"]) == (2, 6, [])
