"""`jobs/definitions/statuses`: idle, pending, running, and beside that how it ended last."""

from __future__ import annotations

from typing import Any

from jobgate.testing import House
from tests.definitions.factory import execute, look, save


async def read(house: House, **request: Any) -> list[Any]:
    """Statuses over the wire."""
    data: list[Any] = (await house.call("jobs/definitions/statuses", "get", request)).data
    return data


async def test_the_status_goes_from_idle_over_pending_and_running_to_idle(house: House) -> None:
    saved = await save(house)
    told = []
    told += await read(house)
    await execute(house, saved.id)
    told += await read(house)
    await look(house, "update job set state = 'running'")
    told += await read(house)
    await look(house, "update job set state = 'queued'")
    await house.carry()
    told += await read(house, job_id=str(saved.id))

    assert [(one["status"], one["message"]) for one in told] == [
        (0, "Idle"),
        (1, "Pending"),
        (2, "Running"),
        (0, "Idle"),
    ]
    assert [one["last_state"] for one in told] == [None, None, None, 2]
    assert told[-1]["last_end_time"] is not None
    assert {one["job_id"] for one in told} == {str(saved.id)}


async def test_the_last_outcome_and_the_next_run_stand_beside_the_status(house: House) -> None:
    saved = await save(house, schedule={"repeat": "hourlyAt", "minute": 7})
    await execute(house, saved.id)
    await look(house, "update job set state = 'halted', completed_at = '2026-01-02T03:04:05Z'")

    (told,) = await read(house)

    assert (told["last_state"], told["last_end_time"]) == (3, "2026-01-02T03:04:05Z")
    assert told["next_run"].endswith(":07:00Z")


async def test_statuses_come_in_pages_and_stay_at_home(house: House) -> None:
    saved = [await save(house) for _ in range(3)]

    first = await house.call("jobs/definitions/statuses", "get", {"limit": 2})
    rest = await read(house, next=first.meta["next"])

    assert [one["job_id"] for one in [*first.data, *rest]] == [str(one.id) for one in saved[::-1]]
    assert (await house.call("jobs/definitions/statuses", "get", as_=house.stranger)).data == []
