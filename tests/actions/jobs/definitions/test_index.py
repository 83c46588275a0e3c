"""`jobs/definitions`: saved, read, changed, deleted over the wire."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from jobgate.testing import House
from tests.definitions.factory import look

PARAMS = {"statuses": [{"session_id": "s", "user_id": "u", "status": "Completed"}]}
NIGHTLY = {
    "name": "nightly",
    "type": "sessionstatusupdate",
    "params": PARAMS,
    "schedule": {"min": 0, "hour": 3},
    "zone": "Europe/Berlin",
    "overlap": "queue",
    "catch_up_s": 60,
}
ENDPOINT = "jobs/definitions"


async def create(house: House, **what: Any) -> Any:
    """Save a definition; what the call answered."""
    return (await house.call(ENDPOINT, "set", NIGHTLY | what)).data


async def test_a_definition_is_answered_as_it_was_saved(house: House) -> None:
    saved = await create(house)

    assert {name: saved[name] for name in NIGHTLY} == NIGHTLY
    assert (saved["active"], saved["last_run"]) == (True, None)
    assert len(saved["next_runs"]) == 5
    assert all(run.endswith(":00:00Z") for run in saved["next_runs"])
    assert (await house.call(ENDPOINT, "get")).data == [saved]
    assert (await house.call(ENDPOINT, "get", {"id": [saved["id"]]}, as_=house.other)).data == [saved]
    assert (await house.call(ENDPOINT, "get", as_=house.stranger)).data == []


async def test_an_equal_packet_saves_one_definition(house: House) -> None:
    replies = [await house.call(ENDPOINT, "set", NIGHTLY | {"meta": {"request_id": 1}}, distinct=False) for _ in "ab"]

    assert replies[0].data == replies[1].data
    assert replies[1].meta["replayed"] is True
    assert len((await house.call(ENDPOINT, "get")).data) == 1


async def test_pages_go_from_the_newest_to_the_oldest(house: House) -> None:
    saved = [await create(house, name=f"number {number}") for number in range(5)]

    first = await house.call(ENDPOINT, "get", {"limit": 2})
    second = await house.call(ENDPOINT, "get", {"limit": 2, "next": first.meta["next"]})
    last = await house.call(ENDPOINT, "get", {"limit": 2, "next": second.meta["next"]})

    assert [*first.data, *second.data, *last.data] == saved[::-1]
    assert "next" not in last.meta
    found = await house.call(ENDPOINT, "get", {"name": "BER 3"})
    assert found.data == [saved[3]]


async def test_only_what_is_given_is_changed(house: House) -> None:
    saved = await create(house)

    changed = (await house.call(ENDPOINT, "update", {"id": saved["id"], "name": "other", "active": False})).data
    assert changed == saved | {"name": "other", "active": False, "next_runs": []}

    changed = (await house.call(ENDPOINT, "update", {"id": saved["id"], "schedule": None, "active": True})).data
    assert (changed["schedule"], changed["zone"], changed["next_runs"]) == (None, "UTC", [])

    changed = (await house.call(ENDPOINT, "update", {"id": saved["id"], "params": {"statuses": []}})).data
    assert changed["params"] == {"statuses": []}


async def test_deleting_names_one_or_says_all(house: House) -> None:
    one, _, _ = [await create(house) for _ in range(3)]

    assert (await house.call(ENDPOINT, "delete")).code == 20000
    assert (await house.call(ENDPOINT, "delete", {"all": True, "id": one["id"]})).code == 20004
    assert (await house.call(ENDPOINT, "delete", {"id": one["id"]})).data == {"deleted": 1}
    assert (await house.call(ENDPOINT, "delete", {"id": one["id"]})).data == {"deleted": 0}
    assert (await house.call(ENDPOINT, "delete", {"all": True}, as_=house.stranger)).data == {"deleted": 0}
    assert (await house.call(ENDPOINT, "delete", {"all": True})).data == {"deleted": 2}


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"name": None}, 20000, "name"),
        ({"name": ""}, 20001, "name"),
        ({"type": "nothing"}, 20004, "type"),
        ({"params": {}}, 20000, "statuses"),
        ({"params": {"statuses": 1}}, 20003, "statuses"),
        ({"params": 1}, 20003, "params"),
        ({"zone": "Mars/Olympus"}, 20004, "zone"),
        ({"schedule": {"repeat": "dailyAt"}, "zone": None}, 20000, "time"),
        ({"schedule": {"dom": 30, "month": 2}}, 20004, "month"),
        ({"schedule": {"min": "*/0"}}, 20004, "min"),
        ({"schedule": {"min": 5, "end_date": 1000}}, 20004, "end_date"),
        ({"schedule": {"repeat": "everySecond"}}, 20004, "repeat"),
        ({"overlap": "replace"}, 20004, "overlap"),
        ({"catch_up_s": -1}, 20003, "catch_up_s"),
        ({"active": "perhaps"}, 20003, "active"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(
    house: House, change: dict[str, Any], code: int, named: str
) -> None:
    reply = await house.call(ENDPOINT, "set", NIGHTLY | change)

    assert reply.code == code, reply.meta
    assert named in reply.meta["message"]


async def test_an_unknown_definition_cannot_be_changed(house: House) -> None:
    saved = await create(house)

    for who, id in ((house.stranger, saved["id"]), (house.home, str(uuid.uuid4()))):
        assert (await house.call(ENDPOINT, "update", {"id": id, "name": "x"}, as_=who)).code == 20004
        assert (await house.call(ENDPOINT, "update", {"id": id, "params": PARAMS}, as_=who)).code == 20004


@pytest.mark.parametrize("token", ["", "0", "-1", "1.5", "x", "9" * 30])
async def test_a_made_up_token_is_refused(house: House, token: str) -> None:
    for endpoint in (ENDPOINT, "jobs/definitions/statuses"):
        assert (await house.call(endpoint, "get", {"next": token})).code == 20004


async def test_every_shipped_type_can_be_saved(house: House) -> None:
    for type in house.tasks:
        reply = await house.call(ENDPOINT, "set", {"name": type, "type": type, "params": {}})
        assert reply.status == 200 or reply.code in (20000, 20003), reply.body


async def test_parameters_have_a_size(house: House) -> None:
    statuses = [{"session_id": "s" * 200, "user_id": "u", "status": "Completed"}] * 1100

    reply = await house.call(ENDPOINT, "set", NIGHTLY | {"params": {"statuses": statuses}})

    assert reply.code == 20002


async def test_a_definition_may_be_deleted_while_it_runs(house: House) -> None:
    saved = await create(house)
    trigger = (await house.call("jobs/executions", "set", {"job_id": saved["id"]})).data["trigger_id"]
    await look(house, "update job set state = 'running', lease_until = now() + interval '1 hour'")

    assert (await house.call(ENDPOINT, "delete", {"id": saved["id"]})).data == {"deleted": 1}

    await look(house, "update job set state = 'queued'")
    await house.carry()
    (ended,) = (await house.call("jobs/executions", "get", {"trigger_id": trigger})).data
    assert (ended["state"], ended["job_id"]) == (5, saved["id"])  # it warned of an unknown session


@pytest.mark.parametrize("date", ["0001-01-01", "1969-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", -62135596800])
async def test_a_date_may_be_any_that_there_is(house: House, date: str | int) -> None:
    saved = await create(house, schedule={"repeat": "on", "date": date}, zone=None)

    assert (await house.call(ENDPOINT, "get")).data == [saved]
    assert len(saved["next_runs"]) == (0 if str(date).startswith("9999") else 1)
