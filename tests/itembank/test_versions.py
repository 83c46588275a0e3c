"""What a session takes from the item bank when it is stored, and keeps whatever happens there later."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate import wire
from jobgate.sessions import import_sessions
from jobgate.testing import House
from tests.bank_calls import mcq, question, set_entries
from tests.session_calls import entry, response, set_sessions
from tests.stored_sessions import read

ITEM = {
    "reference": "i-1",
    "metadata": {"scoring_type": "dependent"},
    "tags": {"skill": ["reading", "writing"]},
    "irt": {"a": 1.5, "b": -0.25, "c": 0.2},
}
TAGS = [{"type": "skill", "name": "reading"}, {"type": "skill", "name": "writing"}]
TAKEN = {
    "reference": "i-1",
    "version": 1,
    "scoring": {"type": "dependent"},
    "tags": TAGS,
    "irt": ITEM["irt"],
}


async def questions(house: House, session_id: str) -> list[Any]:
    """Type, version and question of a session's responses."""
    row = await read(house, session_id)
    async with house.db.reading(1) as db:
        rows = await db.connection.fetch(
            "select question_type, question_version, question from response where session_no = $1 order by position",
            row["id"],
        )
    return [(type, version, wire.decode(found, Any) if found else None) for type, version, found in rows]


async def test_an_edited_question_changes_no_old_session_and_a_new_session_uses_the_new_version(house: House) -> None:
    await set_entries(house, "questions", question("q-1", "1"))
    await set_sessions(house, entry("old", responses=[response("r-1", question_reference="q-1")]))
    await set_entries(house, "questions", question("q-1", "2"))
    await set_sessions(house, entry("new", responses=[response("r-1", question_reference="q-1")]))

    assert await questions(house, "old") == [("mcq", 1, mcq("1"))]
    assert await questions(house, "new") == [("mcq", 2, mcq("2"))]


async def test_a_session_is_scored_by_the_version_that_it_was_taken_with_whenever_it_is_completed(house: House) -> None:
    taken = response("r-1", question_reference="q-1", response={"value": ["1"], "type": "array"})
    for name, right in (("old", "1"), ("new", "2")):
        await set_entries(house, "questions", question("q-1", right))
        await set_sessions(house, entry(name, status="Incomplete", responses=[taken]))

    statuses = [{"session_id": name, "user_id": "u-1", "status": "Completed"} for name in ("old", "new")]
    await house.call("jobs/sessions/statuses", "update", {"statuses": statuses})
    await house.carry()

    scores = [(row["score"], row["max_score"]) for row in (await read(house, "old"), await read(house, "new"))]
    assert scores == [(2, 2), (0, 2)]


async def test_an_edited_item_changes_no_old_session_and_a_new_session_uses_the_new_version(house: House) -> None:
    await set_entries(house, "items", ITEM)
    await set_sessions(house, entry("old", items=[{"reference": "i-1"}]))
    await set_entries(house, "items", {"reference": "i-1", "tags": {"skill": ["maths"]}})
    await set_sessions(house, entry("new", items=[{"reference": "i-1"}]))

    old, new = await read(house, "old"), await read(house, "new")
    assert (old["items"], old["is_adaptive"]) == ([TAKEN], True)
    assert new["items"] == [{"reference": "i-1", "version": 2, "tags": [{"type": "skill", "name": "maths"}]}]
    assert new["is_adaptive"] is False


async def test_an_edited_activity_changes_no_old_session_and_a_new_session_uses_the_new_version(house: House) -> None:
    first, second = ([{"id": id, "title": "T", "items": ["i-1"]}] for id in ("s-1", "s-2"))
    await set_entries(house, "activities", {"reference": "a-1", "data": {"subscores": first}})
    await set_sessions(house, entry("old"))
    await set_entries(house, "activities", {"reference": "a-1", "data": {"subscores": second}})
    await set_sessions(house, entry("new"), entry("elsewhere", activity_id="a-2"))

    old, new, elsewhere = [await read(house, name) for name in ("old", "new", "elsewhere")]
    assert (old["subscore_definitions"], old["activity_version"]) == (first, 1)
    assert (new["subscore_definitions"], new["activity_version"]) == (second, 2)
    assert (elsewhere["subscore_definitions"], elsewhere["activity_version"]) == ([], None)


async def test_what_a_session_says_itself_goes_before_the_bank(house: House) -> None:
    await set_entries(house, "questions", question("q-1"))
    await set_entries(house, "items", ITEM)
    await set_entries(house, "activities", {"reference": "a-1", "data": {"subscores": [{"id": "bank"}]}})
    own = {
        "reference": "i-1",
        "scoring": {"type": "per-question", "score": 1},
        "tags": [{"type": "own", "name": "tag"}],
        "irt": {"a": 1.0, "b": 3.0, "c": 0.0},
    }
    scored = {"reference": "i-1", "time": 7, "scoring": {"score": 1.5, "max_score": 2}}

    await set_sessions(
        house,
        entry(
            items=[own, scored],
            responses=[response("r-1", question_reference="q-1", question=mcq("0"), question_type="own")],
            subscores=[{"id": "own", "title": "", "items": ["i-1"]}],
        ),
    )

    row = await read(house, "s-1")
    assert row["items"] == [
        own | {"version": 1},
        TAKEN | scored | {"scoring": {"type": "dependent", "score": 1.5, "max_score": 2}},
    ]
    assert [definition["id"] for definition in row["subscore_definitions"]] == ["own"]
    assert await questions(house, "s-1") == [("own", None, mcq("0"))]


async def test_a_session_may_name_the_versions_that_it_was_taken_with(house: House) -> None:
    for right in ("1", "2", "0"):
        await set_entries(house, "questions", question("q-1", right))
    for title in ("old", "new"):
        await set_entries(house, "items", {"reference": "i-1", "tags": {"title": [title]}})

    await set_sessions(
        house,
        entry(
            items=[{"reference": "i-1", "version": 1}, {"reference": "i-1", "version": 9}, {"reference": "i-1"}],
            responses=[
                response("r-1", question_reference="q-1", question_version=2),
                response("r-2", question_reference="q-1", question_version=9),
                response("r-3", question_reference="q-1"),
            ],
        ),
    )

    items = (await read(house, "s-1"))["items"]
    assert items == [
        {"reference": "i-1", "version": 1, "tags": [{"type": "title", "name": "old"}]},
        {"reference": "i-1", "version": 9},
        {"reference": "i-1", "version": 2, "tags": [{"type": "title", "name": "new"}]},
    ]
    assert await questions(house, "s-1") == [("mcq", 2, mcq("2")), ("", 9, None), ("mcq", 3, mcq("0"))]


async def test_what_the_bank_does_not_have_is_no_error(house: House) -> None:
    await set_entries(house, "questions", question("q-1"))
    await set_entries(house, "questions", question("theirs"), as_=house.stranger)

    (result,) = await set_sessions(
        house,
        entry(
            items=[{"reference": "unknown"}],
            responses=[response("r-1", question_reference="theirs"), response("r-2"), response("r-3")],
        ),
    )

    assert result["status"] == "ok"
    assert await questions(house, "s-1") == [("", None, None)] * 3
    assert (await read(house, "s-1"))["items"] == [{"reference": "unknown"}]


async def test_setting_a_session_anew_takes_the_current_versions(house: House) -> None:
    taken = entry(items=[{"reference": "i-1"}], responses=[response("r-1", question_reference="q-1")])
    await set_sessions(house, taken | {"custom_state": {"theta": 1}})
    await set_entries(house, "questions", question("q-1"))
    await set_entries(house, "items", ITEM)
    await set_entries(house, "activities", {"reference": "a-1"})

    await set_sessions(house, taken)

    row = await read(house, "s-1")
    assert (row["items"], row["is_adaptive"], row["activity_version"], row["custom_state"]) == ([TAKEN], True, 1, None)
    assert await questions(house, "s-1") == [("mcq", 1, mcq())]


async def test_an_imported_session_takes_from_the_bank_too(house: House) -> None:
    await set_entries(house, "questions", question("q-1"))
    await set_entries(house, "items", ITEM)
    taken = entry(items=[{"reference": "i-1"}], responses=[response("r-1", question_reference="q-1")])

    report = await import_sessions(house.db, 1, [wire.encode(taken)])

    assert report.stored == 1
    assert (await read(house, "s-1"))["items"] == [TAKEN]
    assert await questions(house, "s-1") == [("mcq", 1, mcq())]


async def test_parameters_of_its_own_make_a_session_adaptive_and_its_state_is_kept(house: House) -> None:
    state = {"engine": {"theta": -0.5, "asked": ["i-1", None]}}

    await set_sessions(house, entry(items=[{"reference": "i-1", "irt": {"b": 1}}], custom_state=state), entry("s-2"))

    row = await read(house, "s-1")
    assert (row["is_adaptive"], row["custom_state"]) == (True, state)
    assert row["items"] == [{"reference": "i-1", "irt": {"a": 1.0, "b": 1.0, "c": 0.0}}]
    plain = await read(house, "s-2")
    assert (plain["is_adaptive"], plain["custom_state"]) == (False, None)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"items": [{"reference": "i", "irt": {"a": 0, "b": 1}}]}, 20003),
        ({"items": [{"reference": "i", "irt": {"b": -10.1}}]}, 20003),
        ({"items": [{"reference": "i", "irt": {"b": 0, "c": 1}}]}, 20003),
        ({"items": [{"reference": "i", "irt": {}}]}, 20000),
        ({"items": [{"reference": "i", "version": 0}]}, 20003),
        ({"responses": [response("r", question_version=2**31)]}, 20003),
        ({"custom_state": [1]}, 20003),
    ],
)
async def test_impossible_versions_and_parameters_are_refused(house: House, changes: Any, code: int) -> None:
    request = {"data_format": "from_template", "data": [entry(**changes)]}

    assert (await house.call("sessions", "set", request)).code == code
