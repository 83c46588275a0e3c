"""Jobs of jobs/testsuite: the report tells every requirement, whichever suite it is and whatever dies meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from jobgate.conformance.requirements import REQUIREMENTS
from jobgate.conformance.suite import list_checks
from jobgate.tasks.testsuite import CHUNK_CHECKS
from jobgate.testing import House
from tests.conformance.test_published import is_running
from tests.conformance.test_published import suite as suite  # a fixture
from tests.conftest import MakeHouse
from tests.killing import kill_worker
from tests.lrs import Lrs, serving
from tests.lrs.faults import answer

LOCAL = {"push_http": True, "push_allow": "127.0.0.0/8"}


async def plan(house: House, lrs: Lrs, **params: Any) -> str:
    """Save a run that is wanted at once; the id of the definition."""
    await house.call("xapi/stores", "set", {"slug": "main"})
    client = {"slug": "lrs", "store": "main", "endpoint": lrs.endpoint, "username": lrs.username}
    assert (await house.call("xapi/clients", "set", client | {"password": lrs.password})).status == 200
    request = {"repeat": "on", "date": "2999-01-01", "replay": True, "store": "main", "client": "lrs"}
    (saved,) = (await house.call("jobs/testsuite", "set", request | {"version": "1.0.3"} | params)).data
    id: str = saved["id"]
    return id


async def read_job(house: House) -> dict[str, Any]:
    """The record of the last job."""
    wanted = {"include": ["results", "error", "status"], "status": ["completed", "halted"], "limit": 1}
    (job,) = (await house.call("jobs", "get", wanted)).data
    assert isinstance(job, dict)
    return job


async def test_the_report_tells_every_requirement(make_house: MakeHouse) -> None:
    async with make_house(**LOCAL) as house, serving() as lrs:
        id = await plan(house, lrs, section="Data 2.4.2")
        await house.carry()

        (report,) = (await read_job(house))["results"]
        (saved,) = (await house.call("jobs/testsuite", "get", {"id": id})).data

    requirements = report["requirements"]
    assert (report["suite"], report["status"], report["section"]) == ("own checks", "ok", "Data 2.4.2")
    assert report["total"] == report["passed"] == len(list_checks("1.0.3", "Data 2.4.2"))
    assert "XAPI-00038" in requirements["passed"]
    assert "XAPI-00175" in requirements["not_run"]
    assert sorted(requirements["passed"] + requirements["not_run"]) == sorted(REQUIREMENTS)
    assert saved["success"] is True
    assert saved["feedback"].startswith(f"Own checks, xAPI 1.0.3, Data 2.4.2: {report['total']} passed, 0 failed")


async def test_a_run_with_a_failure_did_not_do_well(make_house: MakeHouse) -> None:
    async with make_house(**LOCAL) as house, serving() as lrs:
        lrs.faults.order(answer(200, b'{"statements": []}'), when="GET statements", count=1000)
        id = await plan(house, lrs, section="XAPI-00180", version="2.0.0")
        await house.carry()

        job = await read_job(house)
        (saved,) = (await house.call("jobs/testsuite", "get", {"id": id})).data
        logs = (await house.call("jobs/testsuite/logs", "get", {"id": id})).data

    (report,) = job["results"]
    assert (job["status"], report["status"], report["failed"]) == ("completed", "failed", 1)
    assert report["requirements"]["failed"] == ["XAPI-00164", "XAPI-00180"]
    assert report["failures"][0]["title"] == "verb finds the statements with this verb, and no others"
    assert saved["success"] is False
    assert "1 failed: XAPI-00164 XAPI-00180" in saved["feedback"]
    assert (logs[0]["event"], logs[0]["success"]) == ("failed", False)


async def test_a_worker_that_is_killed_leaves_nothing_out(make_house: MakeHouse) -> None:
    async with make_house(**LOCAL) as house, serving() as lrs:
        await plan(house, lrs, section="Data 2.4.4")
        await kill_worker(house, "before checkpoint_job", 3)
        asked = len(lrs.asked("POST", "statements"))
        await house.carry()

        (report,) = (await read_job(house))["results"]

    total = len(list_checks("1.0.3", "Data 2.4.4"))
    assert (report["total"], report["passed"]) == (total, total)
    assert asked == 3 * CHUNK_CHECKS
    # What was not saved is asked again, and so are some when a job that lost its worker has shown that it can go on.
    assert total < len(lrs.asked("POST", "statements")) <= total + 2 * CHUNK_CHECKS


async def test_the_published_suite_is_run_where_there_is_one(make_house: MakeHouse, suite: Any) -> None:
    async with make_house(xapi_suite_dir=str(suite), **LOCAL) as house, serving() as lrs:
        id = await plan(house, lrs)
        await house.carry()

        (report,) = (await read_job(house))["results"]
        (saved,) = (await house.call("jobs/testsuite", "get", {"id": id})).data

    assert (report["suite"], report["total"], report["failed"]) == ("published suite", 3, 1)
    assert report["requirements"]["failed"] == ["XAPI-00011"]
    assert saved["success"] is False


async def test_the_published_suite_goes_with_its_worker(make_house: MakeHouse, suite: Any) -> None:
    hang = suite.parent / "programs" / "hang"
    hang.touch()
    async with make_house(xapi_suite_dir=str(suite), **LOCAL) as house, serving() as lrs:
        await plan(house, lrs)
        await kill_worker(house, "before checkpoint_job")  # that is when the runner has told its counts
        async with asyncio.timeout(10):
            while is_running(suite):
                await asyncio.sleep(0.01)
        hang.unlink()
        await house.carry()

        job = await read_job(house)

    assert job["results"][0]["suite"] == "published suite"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (LOCAL | {"xapi_suite_dir": "/nowhere"}, "published suite cannot be run"),
        ({}, "cannot be reached"),
    ],
)
async def test_what_cannot_be_asked_halts_the_run(make_house: MakeHouse, settings: dict[str, Any], told: str) -> None:
    async with make_house(**LOCAL) as house, serving() as lrs:
        await plan(house, lrs)
        worker = msgspec.structs.replace(house.settings, **({"push_http": False, "push_allow": ""} | settings))
        await house.carry(settings=worker)

        job = await read_job(house)

    assert job["status"] == "halted"
    assert told in job["error"]["message"]


async def test_an_endpoint_that_is_gone_halts_the_run(make_house: MakeHouse) -> None:
    async with make_house(**LOCAL) as house:
        async with serving() as lrs:
            await plan(house, lrs)
        await house.carry()

        job = await read_job(house)

    assert "cannot be reached: POST statements: the connection was refused" in job["error"]["message"]


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"client": "other"}, 20004, "client"),
        ({"client": None}, 20000, "client"),
        ({"store": "other"}, 20004, "client"),
        ({"version": "1.0.2"}, 20004, "version"),
        ({"version": None}, 20000, "version"),
        ({"section": ".*"}, 20004, "section"),
        ({"section": "Data 9"}, 20004, "section"),
    ],
)
async def test_what_makes_no_sense_is_refused_on_create(
    make_house: MakeHouse, changes: dict[str, Any], code: int, named: str
) -> None:
    async with make_house(**LOCAL) as house, serving() as lrs:
        await plan(house, lrs)
        await house.call("xapi/stores", "set", {"slug": "other"})
        request = {"repeat": "now", "store": "main", "client": "lrs", "version": "1.0.3"} | changes

        refused = await house.call("jobs/testsuite", "set", {k: v for k, v in request.items() if v is not None})

    assert (refused.status, refused.code) == (400, code)
    assert f"`{named}`" in refused.meta["message"]
