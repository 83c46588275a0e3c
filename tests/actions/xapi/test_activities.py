"""xapi/activities: what statements said of activities, merged, and found again."""

from __future__ import annotations

from typing import Any

from jobgate.stores.catalogue import PROFILE_TYPE
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.stored_statements import look, make, record

QUIZ = "https://school.example/quiz"
TYPE = "https://school.example/types/quiz"


async def read(house: House, **request: Any) -> Any:
    """Activities of the store `main` that fit."""
    return (await house.call("xapi/activities", "get", {"store": "main"} | request)).data


async def test_what_statements_said_is_merged(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    first = {"name": {"en": "Quiz"}, "type": TYPE, "extensions": {"a:b": 1}}
    then = {"name": {"de": "Prüfung"}, "extensions": {"a:c": None}}
    category = {"contextActivities": {"category": [{"id": "https://school.example/profile"}]}}
    profile = {"id": "https://school.example/profile", "definition": {"type": PROFILE_TYPE}}
    await record(house, [make(1, object={"id": QUIZ, "definition": first})])
    await record(house, [make(2, object={"id": QUIZ, "definition": then}, context=category), make(3, object=profile)])

    about_profile, quiz = await read(house)

    assert quiz["activity"] == {
        "objectType": "Activity",
        "id": QUIZ,
        "definition": {
            "name": {"en": "Quiz", "de": "Prüfung"},
            "type": TYPE,
            "extensions": {"a:b": 1, "a:c": None},
        },
    }
    assert (quiz["type"], quiz["is_category"], quiz["is_profile"]) == (TYPE, False, False)
    assert (about_profile["is_category"], about_profile["is_profile"]) == (True, True)


async def test_activities_are_found_by_id_and_type_page_by_page(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    kinds: list[dict[str, Any]] = [{}, {"definition": {"type": TYPE}}]
    await record(house, [make(number, object={"id": f"{QUIZ}/{number}"} | kinds[number % 2]) for number in range(5)])
    everything = await read(house)
    iris = [each["activity"]["id"] for each in everything]

    assert len(set(iris)) == 5
    assert "definition" not in everything[iris.index(f"{QUIZ}/0")]["activity"]
    assert {each["activity"]["id"] for each in await read(house, type=TYPE)} == {f"{QUIZ}/1", f"{QUIZ}/3"}
    named = {"activity_id": [f"{QUIZ}/1", f"{QUIZ}/2", "a:unknown"]}
    assert sorted(each["activity"]["id"] for each in await read(house, **named)) == [f"{QUIZ}/1", f"{QUIZ}/2"]
    assert [each["activity"]["id"] for each in await read(house, type=TYPE, **named)] == [f"{QUIZ}/1"]
    assert await read(house, id=[everything[0]["id"]]) == everything[:1]
    assert await read(house, id=[everything[0]["id"]], activity_id=[iris[1]]) == []
    assert await read(house, store="nowhere") == []
    seen, token = [], None
    for _ in range(3):
        reply = await house.call("xapi/activities", "get", {"store": "main", "limit": 2, "next": token})
        token = reply.meta.get("next")
        seen += reply.data
    assert (seen, token) == (everything, None)


async def test_a_page_of_long_definitions_ends_early(make_house: MakeHouse) -> None:
    async with make_house(max_answer=40_000) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        await record(house, [make(number, object={"id": f"{QUIZ}/{number}"}) for number in range(3)])
        await look(house, "update xapi_activity set definition = json_build_object('moreInfo', repeat('ü', 2000))")

        first = await house.call("xapi/activities", "get", {"store": "main"})
        rest = await house.call("xapi/activities", "get", {"store": "main", "next": first.meta["next"]})

    assert (len(first.data), len(rest.data)) == (2, 1)
