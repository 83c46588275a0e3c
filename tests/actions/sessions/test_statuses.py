"""`sessions/statuses` get: its records, its filters, and what it includes. (Filters are those of every read.)"""

from __future__ import annotations

from typing import Any

from jobgate.testing import House
from tests.session_calls import entry, ids, read, response, set_sessions
from tests.stored_sessions import read as read_row

ENDPOINT = "sessions/statuses"


async def test_a_record_has_the_documented_fields(house: House) -> None:
    times: dict[str, Any] = {"dt_saved": 1_571_701_711, "dt_started": "2019-10-21 23:00:00", "dt_completed": None}
    responses = [response("r-1"), {"response_id": "r-2"}]
    await set_sessions(
        house, entry(status="Incomplete", session_duration=42, responses=responses, metadata={"a": 1}, **times)
    )

    (record,) = await read(house, ENDPOINT)

    assert record == {
        "user_id": "u-1",
        "activity_id": "a-1",
        "session_id": "s-1",
        "num_attempted": 1,
        "num_questions": 2,
        "session_duration": 42,
        "status": "Incomplete",
        "dt_saved": "2019-10-21T23:48:31Z",
        "dt_started": "2019-10-21T23:00:00Z",
        "dt_completed": None,
    }


async def test_included_metadata_has_the_named_attributes_that_exist(house: House) -> None:
    await set_sessions(house, entry(metadata={"a": {"deep": [1]}, "b": 2, "c": None}), entry("s-2"))

    include = {"sessions.session_metadata": ["a", "c", "unknown"], "other": ["x"]}
    first, second = await read(house, ENDPOINT, include=include)

    assert first["metadata"] == {"a": {"deep": [1]}, "c": None}
    assert second["metadata"] == {}
    nothings: list[Any] = [{}, [], None, {"other": ["x"]}]
    for nothing in nothings:
        assert "metadata" not in (await read(house, ENDPOINT, include=nothing))[0]


async def fill(house: House) -> None:
    """Six sessions: two activities, three users, four statuses, started and completed on different days."""
    days = {"dt_started": "2020-01-0{0}T00:00:00Z", "dt_completed": "2020-02-0{0}T00:00:00Z"}
    plan = [
        ("s-1", "u-1", "a-1", "Completed"),
        ("s-2", "u-2", "a-1", "Completed"),
        ("s-3", "u-1", "a-2", "Incomplete"),
        ("s-4", "u-2", "a-2", "Discarded"),
        ("s-5", "u-1", "a-1", "Pending Scoring"),
        ("s-6", "u-3", "a-3", "Completed"),
    ]
    entries = [
        entry(session_id, user_id=user_id, activity_id=activity_id, status=status)
        | {name: form.format(day) for name, form in days.items() if name == "dt_started" or status == "Completed"}
        for day, (session_id, user_id, activity_id, status) in enumerate(plan, 1)
    ]
    await set_sessions(house, *entries)


async def test_every_filter_narrows_and_filters_add_up(house: House) -> None:
    await fill(house)
    third = (await read_row(house, "s-3"))["updated_at"].isoformat()
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["s-1", "s-2", "s-3", "s-4", "s-5", "s-6"]),
        ({"session_id": ["s-4", "s-2", "unknown", "s-2"]}, ["s-2", "s-4"]),
        ({"user_id": ["u-1", "u-3", "u-1"]}, ["s-1", "s-3", "s-5", "s-6"]),
        ({"activity_id": ["a-2", "a-3", "a-2"]}, ["s-3", "s-4", "s-6"]),
        ({"activity_id": ["unknown"]}, []),
        ({"user_id": ["u-1"], "activity_id": ["a-1"]}, ["s-1", "s-5"]),
        ({"session_id": ["s-1", "s-2", "s-3"], "user_id": ["u-1"]}, ["s-1", "s-3"]),
        ({"session_id": ["s-1", "s-2", "s-3"], "user_id": ["u-1"], "activity_id": ["a-2"]}, ["s-3"]),
        ({"status": ["completed"]}, ["s-1", "s-2", "s-6"]),
        ({"status": ["DISCARDED", "pending scoring"]}, ["s-4", "s-5"]),
        ({"status": ["Incomplete"], "user_id": ["u-1"]}, ["s-3"]),
        ({"status": ["Completed"], "activity_id": ["a-1"]}, ["s-1", "s-2"]),
        ({"status": ["Completed"], "session_id": ["s-1", "s-3"]}, ["s-1"]),
        ({"mintime": third}, ["s-3", "s-4", "s-5", "s-6"]),
        ({"maxtime": third}, ["s-1", "s-2", "s-3"]),
        ({"mintime": third, "maxtime": third}, ["s-3"]),
        ({"mintime": third, "maxtime": "2020-01-01"}, []),
        ({"maxtime": "9999-12-31T23:59:59.999999Z", "mintime": "0001-01-01", "limit": 1}, ["s-1"]),
        ({"mintime": 4_000_000_000}, []),
        ({"mintime_started": "2020-01-03T00:00:00Z"}, ["s-3", "s-4", "s-5", "s-6"]),
        ({"maxtime_started": 1_577_923_200}, ["s-1", "s-2"]),
        ({"maxtime_started": "1577923200"}, ["s-1", "s-2"]),
        ({"mintime_started": "2020-01-02", "maxtime_started": "2020-01-03"}, ["s-2", "s-3"]),
        ({"mintime_completed": "2020-02-02"}, ["s-2", "s-6"]),
        ({"maxtime_completed": "2020-02-02T01:00:00+01:00"}, ["s-1", "s-2"]),
        ({"mintime_completed": "2020-02-02", "user_id": ["u-2", "u-3"]}, ["s-2", "s-6"]),
        ({"maxtime_completed": "2020-02-02", "activity_id": ["a-1"]}, ["s-1", "s-2"]),
        ({"mintime_started": "2020-01-04", "session_id": ["s-1", "s-4", "s-5"]}, ["s-4", "s-5"]),
    ]
    for filters, expected in cases:
        assert (filters, await ids(house, **filters)) == (filters, expected)
        if "limit" not in filters:
            assert (filters, await ids(house, **filters, sort="desc")) == (filters, expected[::-1])


async def test_a_string_stands_for_a_list(house: House) -> None:
    await fill(house)

    assert await ids(house, session_id="s-1", status="completed") == ["s-1"]
    assert await ids(house, user_id='["u-2","u-3"]', limit="2") == ["s-2", "s-4"]


async def test_more_than_fifty_is_taken_for_fifty(house: House) -> None:
    for start in (0, 50):
        await set_sessions(house, *(entry(f"s-{number:03}") for number in range(start, start + 50)))

    reply = await house.call(ENDPOINT, "get", {"limit": 1000})

    assert [record["session_id"] for record in reply.data] == [f"s-{number:03}" for number in range(50)]
    assert reply.meta["records"] == 50
    assert await ids(house) == await ids(house, limit=50)


async def test_a_stranger_sees_nothing(house: House) -> None:
    await set_sessions(house, entry())

    for request in ({}, {"session_id": ["s-1"]}, {"user_id": ["u-1"]}, {"activity_id": ["a-1"]}, {"sort": "desc"}):
        assert (await house.call(ENDPOINT, "get", request, as_=house.stranger)).data == []
        assert len((await house.call(ENDPOINT, "get", request, as_=house.other)).data) == 1
    assert (await house.call(ENDPOINT, "get", {"organisation_id": 1}, as_=house.stranger)).code == 40003


async def test_wrong_input_is_refused(house: House) -> None:
    expected: dict[int, list[dict[str, Any]]] = {
        20001: [{"session_id": []}, {"user_id": []}, {"activity_id": []}, {"status": []}, {"user_id": ["u" * 51]}],
        20002: [{"session_id": ["s"] * 1001}, {"user_id": ["u"] * 1001}, {"activity_id": ["a"] * 1001}],
        20003: [
            {"session_id": [5]},
            {"limit": 0},
            {"limit": "many"},
            {"mintime": "yesterday"},
            {"maxtime": []},
            {"mintime_started": "x"},
            {"maxtime_started": "2020-13-01"},
            {"mintime_completed": 1e300},
            {"maxtime_completed": "x"},
            {"include": "x"},
            {"include": {"sessions.session_metadata": 5}},
        ],
        20004: [{"status": ["Lost"]}, {"sort": "up"}, {"next": "x"}],
    }
    for code, mistakes in expected.items():
        for mistake in mistakes:
            reply = await house.call(ENDPOINT, "get", mistake)
            assert (reply.code, str(mistake)[:80]) == (code, str(mistake)[:80])
