"""`itembank/questions`: questions are kept with all their versions, and unusable ones refused one by one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from jobgate.testing import House
from tests.bank_calls import mcq, question, read, set_entries, walk


async def test_a_question_is_kept_as_it_was_sent(house: House) -> None:
    data = mcq() | {"ü": "\u2028", "metadata": {"deep": [1, 2.5, None]}}

    (result,) = await set_entries(house, "questions", {"reference": "q-1", "type": "mcq", "data": data})

    assert result == {"reference": "q-1", "status": "ok", "version": 1}
    (record,) = await read(house, "questions", references=["q-1", "unknown"])
    assert record.pop("dt_updated").endswith("Z")
    assert record == {"reference": "q-1", "version": 1, "type": "mcq", "data": data}


async def test_the_type_may_stand_in_either_place(house: House) -> None:
    inside = {"reference": "inside", "data": mcq()}
    outside = {"reference": "outside", "type": "mcq", "data": {"validation": mcq()["validation"]}}

    results = await set_entries(house, "questions", inside, outside)

    assert [result["status"] for result in results] == ["ok", "ok"]
    records = await read(house, "questions")
    assert [(record["type"], record["data"]["type"]) for record in records] == [("mcq", "mcq"), ("mcq", "mcq")]


async def test_every_change_is_a_version_and_what_says_the_same_again_is_none(house: House) -> None:
    versions = []
    for right in ("1", "2", "2", "1"):
        (result,) = await set_entries(house, "questions", question("q-1", right))
        versions.append(result["version"])

    assert versions == [1, 2, 2, 3]
    for version, right in ((1, "1"), (2, "2"), (3, "1"), (None, "1")):
        (record,) = await read(house, "questions", references=["q-1"], **({"version": version} if version else {}))
        assert (record["version"], record["data"]) == (version or 3, mcq(right))
    assert await read(house, "questions", references=["q-1"], version=4) == []


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"data": {}}, "type"),
        ({"data": {"type": 7}}, "type"),
        ({"data": {"type": "telepathy"}}, "telepathy"),
        ({"type": "clozetext", "data": mcq()}, "data.type"),
        ({"data": {"type": "mcq", "validation": {"penalty": 1}}}, "valid_response"),
        ({"data": mcq(validation=7)}, "validation"),
        ({"data": mcq(validation={"valid_response": {"score": "lots", "value": ["1"]}})}, "score"),
    ],
)
async def test_an_unusable_question_is_refused_and_its_neighbours_are_kept(
    house: House, entry: dict[str, Any], reason: str
) -> None:
    before, refused, after = await set_entries(
        house, "questions", question("q-1"), {"reference": "bad"} | entry, question("q-3")
    )

    assert (before["status"], after["status"]) == ("ok", "ok")
    assert (refused["reference"], refused["status"], refused["code"]) == ("bad", "error", 20004)
    assert reason in refused["message"]
    assert [record["reference"] for record in await read(house, "questions")] == ["q-3", "q-1"]


async def test_a_question_that_is_too_large_to_be_copied_is_refused(house: House) -> None:
    (refused,) = await set_entries(house, "questions", {"reference": "q-1", "data": mcq(stimulus="x" * 256 * 1024)})

    assert (refused["status"], refused["code"]) == ("error", 20001)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, 20000),
        ({"questions": []}, 20001),
        ({"questions": [question("q")] * 2}, 20004),
        ({"questions": [question(str(number)) for number in range(51)]}, 20002),
        ({"questions": [{"data": mcq()}]}, 20000),
        ({"questions": [{"reference": "", "data": mcq()}]}, 20001),
        ({"questions": [{"reference": "q", "data": "text"}]}, 20003),
    ],
)
async def test_a_malformed_call_keeps_nothing(house: House, request_: dict[str, Any], code: int) -> None:
    assert (await house.call("itembank/questions", "set", request_)).code == code
    assert await read(house, "questions") == []


async def test_pages_show_the_newest_reference_first_and_next_is_absent_at_the_end(house: House) -> None:
    await set_entries(house, "questions", *(question(f"q-{number}") for number in range(5)))
    await set_entries(house, "questions", question("q-1", "2"))

    pages = await walk(house, "questions", limit=2)

    assert [[record["reference"] for record in page] for page in pages] == [["q-4", "q-3"], ["q-2", "q-1"], ["q-0"]]
    assert [record["version"] for page in pages for record in page] == [1, 1, 1, 2, 1]


async def test_a_limit_above_the_maximum_is_the_maximum(house: House) -> None:
    for start in (0, 40):
        await set_entries(house, "questions", *(question(f"q-{number}") for number in range(start, start + 40)))

    assert [len(page) for page in await walk(house, "questions", limit=1000)] == [50, 30]


async def test_what_is_edited_while_somebody_pages_is_still_shown_once(house: House) -> None:
    await set_entries(house, "questions", *(question(f"q-{number}") for number in range(4)))
    first = await house.call("itembank/questions", "get", {"limit": 2})
    await set_entries(house, "questions", question("q-0", "2"), question("q-3", "2"), question("new"))
    second = await house.call("itembank/questions", "get", {"limit": 2, "next": first.meta["next"]})

    shown = [(record["reference"], record["version"]) for record in first.data + second.data]
    assert shown == [("q-3", 1), ("q-2", 1), ("q-1", 1), ("q-0", 2)]


@pytest.mark.parametrize("request_", [{"next": "x"}, {"next": "1.1"}, {"next": "1", "item_references": ["i"]}])
async def test_a_token_must_come_from_a_page(house: House, request_: dict[str, Any]) -> None:
    assert (await house.call("itembank/questions", "get", request_)).code == 20004


@pytest.mark.parametrize("more", [{"references": ["q-1"]}, {"version": 1}])
async def test_questions_of_items_are_the_current_ones_only(house: House, more: dict[str, Any]) -> None:
    assert (await house.call("itembank/questions", "get", {"item_references": ["i-1"]} | more)).code == 20004


async def test_questions_of_items_come_by_item_in_the_order_of_the_item(house: House) -> None:
    await set_entries(house, "questions", question("q-1"), question("q-2"), question("q-3"))
    await set_entries(house, "questions", question("q-2", "2"))
    links = {"i-1": ["q-3", "not there yet", "q-1"], "i-2": ["q-2", "q-1"], "i-3": ["q-1"]}
    await set_entries(house, "items", *({"reference": item, "questions": names} for item, names in links.items()))

    wanted = ["i-2", "unknown", "i-1", "i-2"]
    pages = await walk(house, "questions", item_references=wanted, limit=3)

    shown = [{item: [record["reference"] for record in records] for item, records in page.items()} for page in pages]
    assert shown == [{"i-2": ["q-2", "q-1"], "i-1": ["q-3"]}, {"i-1": ["q-1"]}]
    assert pages[0]["i-2"][0]["data"] == mcq("2")
    assert await walk(house, "questions", item_references=["unknown"]) == [{}]


async def test_an_equal_packet_is_a_retry_and_makes_no_version(house: House) -> None:
    request = {"questions": [question("q-1")]}
    first = await house.call("itembank/questions", "set", request, distinct=False)
    again = await house.call("itembank/questions", "set", request, distinct=False)

    assert again.data == first.data
    assert again.meta["replayed"] is True


async def test_versions_are_counted_one_by_one_when_many_set_at_once(house: House) -> None:
    answers = await asyncio.gather(*(set_entries(house, "questions", question("q-1", str(n))) for n in range(4)))

    assert sorted(answer[0]["version"] for answer in answers) == [1, 2, 3, 4]


async def test_an_answer_that_nobody_could_be_told_is_refused(make_house: Any) -> None:
    async with make_house(max_answer=5000) as house:
        for number in range(3):
            await set_entries(house, "questions", {"reference": f"q-{number}", "data": mcq(stimulus="x" * 2000)})

        assert (await house.call("itembank/questions", "get", {})).code == 20027
        assert len(await walk(house, "questions", limit=1)) == 3


async def test_a_stranger_sees_a_bank_of_its_own(house: House) -> None:
    await set_entries(house, "questions", question("q-1"))
    (theirs,) = await set_entries(house, "questions", question("q-1", "2"), as_=house.stranger)

    assert theirs["version"] == 1
    (mine,) = await read(house, "questions")
    assert mine["data"] == mcq("1")
