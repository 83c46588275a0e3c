"""Starting the job that compiles a dataset."""

from __future__ import annotations

import uuid
from typing import Any

from jobgate.testing import House, Reply
from tests.datasets.samples import SESSIONS, TYPE, add_attempt, finish, line, put, set_dataset, upload


async def ask(house: House, dataset_id: str, **request: Any) -> Reply:
    """Ask for a compilation."""
    who = request.pop("as_", None)
    parameters = {"dataset_type": TYPE, "dataset_id": dataset_id} | request
    return await house.call("jobs/reports/datasets", "set", parameters, as_=who)


async def test_a_ready_dataset_starts_a_job(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann", "north"))

    reply = await ask(house, dataset_id)
    record = await finish(house, reply.data["job_reference"])

    assert reply.data == {
        "job_reference": reply.data["job_reference"],
        "dataset_type": TYPE,
        "dataset_id": dataset_id,
    }
    assert "records" not in reply.meta
    assert record["status"] == "completed"
    assert record["results"] == [{"dataset_id": dataset_id, "users": 1, "groups": 2, "status": "ok"}]
    assert record["progress"] == {"done": 3, "total": 3}


async def test_types_are_checked_first(house: House) -> None:
    dataset_id = str(uuid.uuid4())

    assert (await ask(house, dataset_id, dataset_type="x")).code == 44000
    assert (await ask(house, dataset_id, dataset_type=None)).code == 20000


async def test_the_type_is_the_one_that_the_dataset_was_set_with(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann"))

    reply = await ask(house, dataset_id, dataset_type=SESSIONS)

    assert reply.code == 50000
    assert reply.meta["message"] == f"dataset {dataset_id} is of type {TYPE}"


async def test_a_dataset_of_sessions_needs_sessions(house: House) -> None:
    """The files may be those of another type, whose lines need none."""
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann"))

    reply = await house.call(
        "reports/datasets", "set", {"dataset_type": SESSIONS, "dataset_id": dataset_id, "file_count": 0}
    )

    assert reply.code == 50000
    assert "has no sessions: its lines need `session_ids`" in reply.meta["message"]


async def test_an_unknown_dataset_and_another_organisations_are_told_alike(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann"))
    unknown = str(uuid.uuid4())

    missing = await ask(house, unknown)
    foreign = await ask(house, dataset_id, as_=house.stranger)

    assert (missing.status, missing.code) == (foreign.status, foreign.code) == (400, 50000)
    assert missing.meta["message"] == f"there is no dataset {unknown}"
    assert foreign.meta["message"] == f"there is no dataset {dataset_id}"


async def test_files_that_lack_are_named(house: House) -> None:
    answer = await set_dataset(house, file_count=13)
    await put(house, answer["input_files"][1], line("ann"))

    reply = await ask(house, answer["dataset_id"])

    assert reply.code == 50000
    assert reply.meta["message"].endswith("lacks file 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, … of 13")


async def test_a_dataset_needs_users(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, b"")

    reply = await ask(house, dataset_id)

    assert reply.code == 50000
    assert "has no users" in reply.meta["message"]


async def test_without_a_filter_there_may_be_ten_activities(house: House) -> None:
    dataset_id = await upload(house, line("ann"))

    assert "there are no sessions yet" in (await ask(house, dataset_id)).meta["message"]
    for number in range(10):
        await add_attempt(house, "ann", f"activity-{number}", 3, 10)
        await add_attempt(house, "bob", f"activity-{number}", 3, 10)
    assert (await ask(house, dataset_id)).status == 200
    await add_attempt(house, "ann", "activity-10", 3, 10)
    reply = await ask(house, dataset_id)
    assert reply.code == 50000
    assert "needs `filters.activity_id`" in reply.meta["message"]


async def test_a_refused_call_leaves_no_job(house: House) -> None:
    await ask(house, str(uuid.uuid4()))

    assert await house.unfinished() == 0


async def test_a_repeated_packet_starts_no_second_job(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    request = {"dataset_type": TYPE, "dataset_id": await upload(house, line("ann"))}

    first = await house.call("jobs/reports/datasets", "set", request, distinct=False)
    second = await house.call("jobs/reports/datasets", "set", request, distinct=False)

    assert second.meta["replayed"] is True
    assert second.data == first.data
    assert await house.unfinished() == 1
