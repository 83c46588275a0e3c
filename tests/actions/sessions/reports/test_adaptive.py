"""`sessions/reports/adaptive` get."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.testing import House
from tests.adaptive_sessions import item, report
from tests.conftest import MakeHouse
from tests.session_calls import entry, read, response, set_sessions, settle

ENDPOINT = "sessions/reports/adaptive"


def adaptive(session_id: str, *scores: float, **changes: Any) -> dict[str, Any]:
    """A session whose items have parameters, one response to each."""
    items = [item(f"i-{number}", number % 20 / 2) for number in range(len(scores))]
    responses = [
        response(f"r-{number}", item_reference=f"i-{number}", score=score, max_score=1)
        for number, score in enumerate(scores)
    ]
    return entry(session_id, items=items, responses=responses, **changes)


async def set_reported(house: House, *entries: dict[str, Any]) -> None:
    """Set sessions, and report those that are adaptive, in order."""
    await set_sessions(house, *entries)
    for each in entries:
        if each.get("items"):
            await report(house, each["session_id"])
            await house.carry()
    await settle(house)


def ids_of(records: list[Any]) -> list[str]:
    """The sessions of some records."""
    return [record["session_id"] for record in records]


async def test_a_record_has_the_report_and_the_custom_state(house: House) -> None:
    await set_reported(house, adaptive("s-1", 1, 0, custom_state={"engine": {"seed": 1.50}}), adaptive("s-2", 1))

    first, second = await read(house, ENDPOINT)

    assert {name: first[name] for name in ("user_id", "activity_id", "session_id", "status", "method", "skipped")} == {
        "user_id": "u-1",
        "activity_id": "a-1",
        "session_id": "s-1",
        "status": "Completed",
        "method": "eap",
        "skipped": [],
    }
    assert [(step["item_reference"], step["correct"]) for step in first["steps"]] == [("i-0", True), ("i-1", False)]
    assert set(first["steps"][0]["ml"]) == {"ability_estimate", "standard_error", "at_bound"}
    assert first["final"] == first["steps"][1]["eap"]
    assert set(first["final"]) == {"ability_estimate", "standard_error"}
    assert first["custom_state"] == {"engine": {"seed": 1.5}}
    assert second["custom_state"] is None


async def test_plain_sessions_and_those_without_a_report_have_no_record(house: House) -> None:
    await set_reported(house, entry("plain"), adaptive("s-1", 1))
    await set_sessions(house, adaptive("unreported", 1))

    assert ids_of(await read(house, ENDPOINT)) == ["s-1"]
    assert ids_of(await read(house, ENDPOINT, sort="desc")) == ["s-1"]
    assert await read(house, ENDPOINT, session_id=["plain", "unreported"]) == []


async def test_a_report_is_gone_with_what_it_was_about(house: House) -> None:
    await set_reported(house, adaptive("s-1", 1), adaptive("s-2", 1))

    await set_sessions(house, adaptive("s-1", 0), entry("s-2"))
    gone = await read(house, ENDPOINT)
    await report(house, "s-1")
    await house.carry()
    await settle(house)
    (record,) = await read(house, ENDPOINT)

    assert gone == []
    assert (record["session_id"], record["steps"][0]["correct"]) == ("s-1", False)


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"user_id": ["u-1"]},
        {"activity_id": ["a-1"]},
        {"session_id": [f"s-{number}" for number in range(12)]},
        {"status": ["Completed"], "mintime": 0},
    ],
    ids=str,
)
async def test_plain_sessions_leave_no_gap_in_a_page(house: House, filters: dict[str, Any], sort: str) -> None:
    """However many there are between two reports: every page but the last is full."""
    await set_reported(house, *(adaptive(f"s-{n}", 1) if n % 4 == 3 else entry(f"s-{n}") for n in range(12)))
    request = filters | {"sort": sort, "limit": 2}

    first = await house.call(ENDPOINT, "get", request)
    second = await house.call(ENDPOINT, "get", request | {"next": first.meta["next"]})

    walked = ["s-3", "s-7", "s-11"] if sort == "asc" else ["s-11", "s-7", "s-3"]
    assert (ids_of(first.data), ids_of(second.data)) == (walked[:2], walked[2:])
    assert (first.meta["records"], second.meta["records"]) == (2, 1)
    if sort == "asc":
        end = await house.call(ENDPOINT, "get", request | {"next": second.meta["next"]})
        assert (end.data, end.meta["next"]) == ([], second.meta["next"])
    else:
        assert "next" not in second.meta


async def test_a_report_that_comes_later_is_found_with_an_old_token(house: House) -> None:
    await set_sessions(house, adaptive("s-1", 1))
    token = (await house.call(ENDPOINT, "get", {})).meta["next"]

    await report(house, "s-1")
    await house.carry()
    await settle(house)

    assert ids_of(await read(house, ENDPOINT, next=token)) == ["s-1"]


async def test_filters_choose_among_reports(house: House) -> None:
    await set_reported(
        house, adaptive("s-1", 1), adaptive("s-2", 1, user_id="u-2"), adaptive("s-3", 1, activity_id="b")
    )

    assert ids_of(await read(house, ENDPOINT, user_id=["u-2"])) == ["s-2"]
    assert ids_of(await read(house, ENDPOINT, activity_id=["b"])) == ["s-3"]
    assert ids_of(await read(house, ENDPOINT, session_id=["s-1"], user_id=["u-1"])) == ["s-1"]
    assert await read(house, ENDPOINT, status=["Discarded"]) == []
    assert await read(house, ENDPOINT, maxtime="2020-01-01") == []


async def test_what_no_answer_can_carry_is_refused(make_house: MakeHouse) -> None:
    async with make_house(max_answer=20_000) as house:
        await set_reported(house, *(adaptive(f"s-{number}", *[1] * 45) for number in range(2)))

        both = await house.call(ENDPOINT, "get")

        assert (both.status, both.code) == (400, 20027)
        assert len(await read(house, ENDPOINT, limit=1)) == 1


async def test_another_organisation_sees_none(house: House) -> None:
    await set_reported(house, adaptive("s-1", 1))

    assert (await house.call(ENDPOINT, "get", {"session_id": ["s-1"]}, as_=house.stranger)).data == []
