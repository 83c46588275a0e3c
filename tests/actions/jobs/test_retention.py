"""jobs/retention: saved jobs of a type, read and changed through the endpoint of that type."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from jobgate.testing import House
from tests.definitions.factory import look

DAILY = {"repeat": "dailyAt", "time": "03:30", "until": "1_month"}
NOTHING_DELETED = "Deleted finished jobs and their log entries (jobs: 0, entries: 0)"
NOBODY = str(uuid.UUID(int=1))


async def save(house: House, **request: Any) -> dict[str, Any]:
    """A new job; the keywords say what differs from a daily retention."""
    (saved,) = (await house.call("jobs/retention", "set", DAILY | request)).data
    assert isinstance(saved, dict)
    return saved


async def read(house: House, endpoint: str = "jobs/retention", **request: Any) -> list[dict[str, Any]]:
    """One page."""
    data = (await house.call(endpoint, "get", request)).data
    assert isinstance(data, list)
    return data


async def run(house: House, id: str) -> None:
    """Execute the job, to its end."""
    assert (await house.call("jobs/executions", "set", {"job_id": id})).status == 200
    await house.carry()


async def test_a_saved_job_is_answered_as_it_is_read(house: House) -> None:
    saved = await save(house, name="nightly", minute=5)

    runs = saved.pop("next_runs")
    assert len(runs) == 5
    assert all(run.endswith("T03:30:00Z") for run in runs)
    assert saved == {
        "id": saved["id"],
        "name": "nightly",
        "store": None,
        "service": None,
        "connection": None,
        "settings": {"until": "1_month", "until_date": None},
        "repeat": "dailyAt",
        "date": None,
        "time": "03:30",
        "minute": None,
        "week_day": None,
        "month_day": None,
        "month": None,
        "replay": False,
        "running": False,
        "ran": 0,
        "success": None,
        "started_at": None,
        "completed_at": None,
        "feedback": None,
    }
    (found,) = await read(house, id=saved["id"])
    assert found == saved | {"next_runs": runs}


async def test_a_job_without_a_name_has_that_of_its_type(house: House) -> None:
    assert (await save(house))["name"] == "retention"


@pytest.mark.parametrize(
    ("request_", "code", "named"),
    [
        ({"until": "1_month"}, 20000, "repeat"),
        ({"repeat": "now"}, 20000, "until"),
        ({"repeat": "hourly", "until": "now"}, 20004, "repeat"),
        ({"repeat": "now", "until": "2_days"}, 20004, "until"),
        ({"repeat": "now", "until": "date"}, 20000, "until_date"),
        ({"repeat": "now", "until": "date", "until_date": "soon"}, 20003, "until_date"),
        ({"repeat": "hourlyAt", "until": "now"}, 20000, "minute"),
        ({"repeat": "hourlyAt", "until": "now", "minute": 60}, 20003, "minute"),
        ({"repeat": "dailyAt", "until": "now", "time": "24:00"}, 20004, "time"),
        ({"repeat": "yearlyOn", "until": "now", "time": "1:00", "month_day": 31, "month": 4}, 20004, "month_day"),
        ({"repeat": "on", "until": "now"}, 20000, "date"),
        ({"repeat": "now", "until": "now", "replay": "soon"}, 20003, "replay"),
        ({"repeat": "now", "until": "now", "name": ""}, 20001, "name"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(
    house: House, request_: dict[str, Any], code: int, named: str
) -> None:
    reply = await house.call("jobs/retention", "set", request_)

    assert (reply.status, reply.code) == (400, code)
    assert f"`{named}`" in reply.meta["message"]
    assert await read(house) == []


async def test_a_retried_set_saves_once(house: House) -> None:
    first, second = [await house.call("jobs/retention", "set", DAILY, distinct=False) for _ in range(2)]

    assert second.meta["replayed"] is True
    assert second.data == first.data
    assert len(await read(house)) == 1


async def test_an_update_replaces_the_whole(house: House) -> None:
    saved = await save(house, name="nightly", until="date", until_date="2026-01-01")

    weekly = {"repeat": "weeklyOn", "time": "4:00", "week_day": 7, "until": "now"}
    (changed,) = (await house.call("jobs/retention", "update", {"id": saved["id"]} | weekly)).data

    assert (changed["repeat"], changed["time"], changed["week_day"]) == ("weeklyOn", "04:00", 7)
    assert changed["settings"] == {"until": "now", "until_date": None}
    assert (changed["id"], changed["name"]) == (saved["id"], "nightly")
    reply = await house.call("jobs/retention", "update", {"id": saved["id"], "until": "now"})
    assert reply.code == 20000


async def test_only_jobs_of_the_type_are_seen(house: House) -> None:
    saved = await save(house)
    hook = {"repeat": "now", "target_id": NOBODY, "body": {}}
    (other,) = (await house.call("jobs/webhook", "set", hook)).data

    assert [found["id"] for found in await read(house)] == [saved["id"]]
    assert [found["id"] for found in await read(house, "jobs/webhook")] == [other["id"]]
    assert await read(house, id=other["id"]) == []
    assert (await house.call("jobs/retention", "update", DAILY | {"id": other["id"]})).code == 20004
    assert (await house.call("jobs/retention", "delete", {"id": other["id"]})).data == {"deleted": 0}
    assert (await house.call("jobs/retention", "delete", {"all": True})).data == {"deleted": 1}
    assert len(await read(house, "jobs/webhook")) == 1


async def test_filters_by_what_the_type_has_not_find_nothing(house: House) -> None:
    await save(house)

    assert await read(house, store="default") == []
    assert await read(house, service="statements") == []


async def test_jobs_are_read_newest_first_page_by_page(house: House) -> None:
    for number in range(5):
        await save(house, name=str(number))

    pages = []
    request: dict[str, Any] = {"limit": 2}
    while True:
        reply = await house.call("jobs/retention", "get", request)
        pages.append([found["name"] for found in reply.data])
        if "next" not in reply.meta:
            break
        request = {"limit": 2, "next": reply.meta["next"]}

    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    assert (await house.call("jobs/retention", "get", {"next": "x"})).code == 20004


async def test_deleting_needs_an_id_or_all_and_not_both(house: House) -> None:
    saved = await save(house)

    assert (await house.call("jobs/retention", "delete")).code == 20000
    assert (await house.call("jobs/retention", "delete", {"id": saved["id"], "all": True})).code == 20004
    assert (await house.call("jobs/retention", "delete", {"id": saved["id"]})).data == {"deleted": 1}
    assert (await house.call("jobs/retention", "delete", {"id": saved["id"]})).data == {"deleted": 0}


async def test_a_stranger_sees_and_changes_nothing(house: House) -> None:
    saved = await save(house, replay=True)
    await house.carry()

    assert (await house.call("jobs/retention", "get", {"id": saved["id"]}, as_=house.stranger)).data == []
    assert (await house.call("jobs/retention/logs", "get", {"id": saved["id"]}, as_=house.stranger)).data == []
    changed = await house.call("jobs/retention", "update", DAILY | {"id": saved["id"]}, as_=house.stranger)
    assert changed.code == 20004
    assert (await house.call("jobs/retention", "delete", {"all": True}, as_=house.stranger)).data == {"deleted": 0}
    assert len(await read(house)) == 1


# -- replay ----------------------------------------------------------------------------------------------------------


async def test_replay_asks_for_one_run_besides_the_schedule(house: House) -> None:
    saved = await save(house, replay=True)
    assert saved["replay"] is True

    await house.carry()

    (found,) = await read(house)
    assert (found["replay"], found["running"], found["ran"], found["success"]) == (False, False, 1, True)
    assert found["next_runs"] == saved["next_runs"]
    assert found["started_at"] <= found["completed_at"]
    assert found["feedback"] == NOTHING_DELETED


async def test_replaying_twice_is_one_run(house: House) -> None:
    saved = await save(house, replay=True)
    await house.call("jobs/retention", "update", DAILY | {"id": saved["id"], "replay": True})

    assert len(await look(house, "select from job")) == 1


async def test_replay_false_withdraws_what_has_not_begun(house: House) -> None:
    saved = await save(house, replay=True)

    (changed,) = (await house.call("jobs/retention", "update", DAILY | {"id": saved["id"], "replay": False})).data

    assert (changed["replay"], changed["ran"], changed["success"], changed["started_at"]) == (False, 0, None, None)
    await house.carry()
    assert (await house.call("jobs/retention/logs", "get", {"id": saved["id"]})).data == []


async def test_an_update_that_says_nothing_of_replay_leaves_it(house: House) -> None:
    saved = await save(house, replay=True)

    (changed,) = (await house.call("jobs/retention", "update", DAILY | {"id": saved["id"]})).data

    assert changed["replay"] is True


# -- logs ------------------------------------------------------------------------------------------------------------


async def test_the_log_tells_start_what_was_said_and_end(house: House) -> None:
    saved = await save(house)
    await run(house, saved["id"])

    told = await read(house, "jobs/retention/logs", id=saved["id"])

    assert [entry["event"] for entry in told] == ["passed", None, None, "started"]
    assert [entry["success"] for entry in told] == [True, None, None, None]
    assert (
        told[0]["feedback"]
        == told[1]["feedback"]
        == "Deleted finished jobs and their log entries (jobs: 0, entries: 0)"
    )
    assert told[2]["feedback"].startswith("Deleting what had ended by 20")
    assert all(entry["created_at"].endswith("Z") for entry in told)


async def test_a_run_that_failed_says_why(house: House) -> None:
    saved = await save(house)
    await look(house, "update definition set params = '{}'")
    await run(house, saved["id"])

    told = await read(house, "jobs/retention/logs", id=saved["id"])
    (found,) = await read(house)

    assert [(entry["event"], entry["success"]) for entry in told] == [
        ("failed", False),
        (None, None),
        ("started", None),
    ]
    assert told[0]["feedback"] == "The stored parameters do not fit the task any more."
    assert (found["success"], found["ran"], found["feedback"]) == (False, 1, told[0]["feedback"])


async def test_a_log_is_read_page_by_page_over_runs_and_the_archive(house: House) -> None:
    saved = await save(house)
    for _ in range(3):
        await run(house, saved["id"])
    everything = await read(house, "jobs/retention/logs", id=saved["id"])
    await look(house, "select add_archive_month(date_trunc('month', now(), 'UTC'))")
    await look(
        house,
        "with moved as (delete from job where id = (select min(id) from job) returning *),"
        " entries as (delete from job_log using moved where job_id = moved.id returning job_log.*, completed_at),"
        " kept as (insert into job_log_archive select * from entries) insert into job_archive select * from moved",
    )

    pages: list[Any] = []
    request: dict[str, Any] = {"id": saved["id"], "limit": 3}
    while True:
        reply = await house.call("jobs/retention/logs", "get", request)
        pages.append(reply.data)
        if "next" not in reply.meta:
            break
        request["next"] = reply.meta["next"]

    assert len(everything) == 12
    assert [len(page) for page in pages] == [3, 3, 3, 3]
    assert [entry for page in pages for entry in page] == everything


@pytest.mark.parametrize("next_", ["", "1", "0.0.0", "1.3.0", "1.0", "-1.0.0", "9" * 19 + ".0.0", "1.0.0 "])
async def test_a_token_that_no_page_answered_is_refused(house: House, next_: str) -> None:
    reply = await house.call("jobs/retention/logs", "get", {"id": NOBODY, "next": next_})

    assert (reply.status, reply.code) == (400, 20004)
