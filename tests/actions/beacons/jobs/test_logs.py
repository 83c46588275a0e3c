"""Logs: lines in order, each once, over all who held the job."""

from __future__ import annotations

from typing import Any

from jobgate.testing import House
from tests.beacons.boxes import held, make_job, pick_up


async def append(house: House, claim: Any, offset: int, *lines: str) -> Any:
    """The answer to lines at an offset."""
    return await house.call("beacons/jobs/logs", "set", held(claim, offset=offset, lines=lines))


async def test_lines_are_appended_and_read_in_order_in_pages(house: House) -> None:
    job = await make_job(house)
    claim = await pick_up(house)

    first = await append(house, claim, 0, "one", "")
    second = await append(house, claim, 2, "drei…")
    page = await house.call("beacons/jobs/logs", "get", {"job_id": job["id"], "limit": 2})
    rest = await house.call("beacons/jobs/logs", "get", {"job_id": job["id"], "next": page.meta["next"]})

    assert (first.data["length"], first.data["cancel"], second.data["length"]) == (2, False, 3)
    assert [(line["number"], line["line"]) for line in page.data + rest.data] == [(0, "one"), (1, ""), (2, "drei…")]
    assert "next" not in rest.meta


async def test_an_offset_that_does_not_fit_is_told_the_length_that_is_held(house: House) -> None:
    await make_job(house)
    claim = await pick_up(house)
    await append(house, claim, 0, "one", "two")

    for offset in (0, 1, 3):
        reply = await append(house, claim, offset, "again")
        assert (reply.status, reply.code, reply.meta["length"]) == (409, 20011, 2)


async def test_the_next_holder_goes_on_behind_the_lines_that_are_held(house: House) -> None:
    await make_job(house)
    first = await pick_up(house)
    await append(house, first, 0, "one")
    await house.call("beacons/jobs/ends", "set", held(first, released=True))
    second = await pick_up(house)

    assert second["job"]["log_length"] == 1
    assert (await append(house, first, 1, "late")).status == 409
    assert (await append(house, second, 1, "two")).data["length"] == 2


async def test_the_log_tells_of_a_cancellation(house: House) -> None:
    await make_job(house)
    claim = await pick_up(house)
    await house.call("beacons/jobs", "update", {"job_id": claim["job"]["id"], "cancel": True})

    assert (await append(house, claim, 0, "one")).data["cancel"] is True
