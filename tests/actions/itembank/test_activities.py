"""`itembank/activities`: activities are kept with what their sessions take."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.testing import House
from tests.bank_calls import read, set_entries

WHOLE = {
    "reference": "a-1",
    "title": "Water",
    "description": "All about it",
    "status": "archived",
    "data": {
        "items": ["i-1", {"reference": "i-2", "organisation_id": 7}],
        "subscores": [{"id": "s", "title": "S", "items": ["i-1"]}],
        "config": {"ü": [None]},
    },
    "tags": {"subject": ["science"]},
}


async def test_an_activity_reads_as_it_was_set_and_may_be_set_as_it_reads(house: House) -> None:
    (first,) = await set_entries(house, "activities", WHOLE)
    (record,) = await read(house, "activities", references=["a-1"])
    (again,) = await set_entries(house, "activities", record)

    assert record == WHOLE | {"version": 1, "dt_updated": record["dt_updated"]}
    assert first == again == {"reference": "a-1", "status": "ok", "version": 1}


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        ({"items": [7]}, 20003, "items"),
        ({"subscores": [{"title": "no id"}]}, 20000, "subscores"),
        ({"subscores": [{"id": "s", "tags": "skill"}]}, 20003, "tags"),
    ],
)
async def test_data_that_sessions_could_not_take_is_refused(
    house: House, data: dict[str, Any], code: int, reason: str
) -> None:
    bad, good = await set_entries(house, "activities", {"reference": "a-1", "data": data}, {"reference": "a-2"})

    assert (bad["status"], bad["code"], good["status"]) == ("error", code, "ok")
    assert reason in bad["message"]
    assert [record["reference"] for record in await read(house, "activities")] == ["a-2"]


async def test_kinds_have_references_of_their_own(house: House) -> None:
    await set_entries(house, "activities", {"reference": "same"})
    (item,) = await set_entries(house, "items", {"reference": "same", "title": "an item"})

    assert item["version"] == 1
    (activity,) = await read(house, "activities")
    assert activity["title"] == ""
