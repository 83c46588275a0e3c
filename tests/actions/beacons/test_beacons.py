"""Beacons: registered by hand or by asking for work, listed with what they do, steered, forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.beacons.boxes import MAX_BEACONS
from jobgate.testing import House
from tests.beacons.boxes import make_job, pick_up


async def test_a_beacon_is_registered_and_given_other_tags(house: House) -> None:
    first = (await house.call("beacons", "set", {"name": "north", "tags": ["b", "a", "b"]})).data
    second = (await house.call("beacons", "set", {"name": "north", "tags": ["c"]})).data

    assert first == {
        "name": "north",
        "state": "active",
        "tags": ["a", "b"],
        "held": 0,
        "eligible": 0,
        "created_at": first["created_at"],
        "last_seen_at": None,
    }
    assert second == first | {"tags": ["c"]}


async def test_who_asks_for_work_under_an_unknown_name_is_registered_and_seen(house: House) -> None:
    for _ in range(2):
        await make_job(house, beacon_name="new", tasks=[], user_id=str(_))
    await pick_up(house, beacon_name="new", tags=["gpu"])

    (beacon,) = (await house.call("beacons", "get")).data
    assert (beacon["name"], beacon["tags"], beacon["held"], beacon["eligible"]) == ("new", ["gpu"], 1, 1)
    assert beacon["last_seen_at"] is not None


async def test_beacons_are_listed_newest_first_in_pages_or_by_name(house: House) -> None:
    for name in ("a", "b", "c"):
        await house.call("beacons", "set", {"name": name})

    page = await house.call("beacons", "get", {"limit": 2})
    rest = await house.call("beacons", "get", {"limit": 2, "next": page.meta["next"]})
    named = await house.call("beacons", "get", {"name": ["b", "z"]})

    assert [each["name"] for each in page.data + rest.data] == ["c", "b", "a"]
    assert [each["name"] for each in named.data] == ["b"]


async def test_a_beacon_is_steered_and_that_is_audited(house: House) -> None:
    await house.call("beacons", "set", {"name": "north", "tags": ["a"]})

    paused = (await house.call("beacons", "update", {"name": "north", "state": "paused"})).data
    tagged = (await house.call("beacons", "update", {"name": "north", "tags": []})).data
    async with house.db.connection() as queries:
        acts = await queries.connection.fetchval("select array_agg(act) from audit")

    assert (paused["state"], paused["tags"]) == ("paused", ["a"])
    assert (tagged["state"], tagged["tags"]) == ("paused", [])
    assert acts == ["beacons.update", "beacons.update"]


async def test_beacons_are_forgotten_one_or_all_and_their_jobs_stay(house: House) -> None:
    await make_job(house, beacon_name="a")
    for name in ("a", "b", "c"):
        await house.call("beacons", "set", {"name": name})

    assert (await house.call("beacons", "delete", {"name": "a"})).data == {"deleted": 1}
    assert (await house.call("beacons", "delete", {"all": True})).data == {"deleted": 2}
    assert (await pick_up(house, beacon_name="a"))["job"]["status"] == "picked_up"


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("delete", {}, 20000),
        ("delete", {"name": "a", "all": True}, 20004),
        ("update", {"name": "nobody", "state": "paused"}, 20004),
        ("update", {"name": "nobody", "state": "asleep"}, 20004),
        ("set", {}, 20000),
    ],
)
async def test_an_odd_call_is_refused(house: House, action: str, request_: Any, code: int) -> None:
    reply = await house.call("beacons", action, request_)

    assert (reply.status, reply.code) == (400, code)


async def test_an_organisation_has_so_many_beacons_and_no_more(house: House) -> None:
    async with house.db.transaction(1) as tx:
        fill = "insert into beacon (organisation_id, name) select 1, 'b' || n from generate_series(1, $1) as n"
        await tx.connection.execute(fill, MAX_BEACONS)

    assert (await house.call("beacons", "set", {"name": "one more"})).status == 409
    assert (await house.call("beacons/jobs/pickups", "set", {"beacon_name": "one more"})).status == 409
    assert (await house.call("beacons", "set", {"name": "b1"})).status == 200
