"""`itembank/items`: items are kept with their questions, tags, rule and parameters."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.testing import House
from tests.bank_calls import read, set_entries

WHOLE = {
    "reference": "i-1",
    "title": "Water",
    "description": "Where it goes",
    "status": "unpublished",
    "metadata": {"scoring_type": "dependent", "acknowledgements": None},
    "questions": [{"reference": "q-1"}, {"reference": "q-2"}],
    "definition": {"template": "dynamic", "widgets": [{"reference": "q-9"}]},
    "tags": {"skill": ["reading", "writing"], "level": ["A"]},
    "irt": {"a": 1.5, "b": -0.25, "c": 0.2},
}


async def test_an_item_reads_as_it_was_set_and_may_be_set_as_it_reads(house: House) -> None:
    (first,) = await set_entries(house, "items", WHOLE)
    (record,) = await read(house, "items")
    (again,) = await set_entries(house, "items", record)

    assert record == WHOLE | {"version": 1, "dt_updated": record["dt_updated"]}
    assert first == again == {"reference": "i-1", "status": "ok", "version": 1}


async def test_what_is_left_out_is_gone(house: House) -> None:
    await set_entries(house, "items", WHOLE)
    await set_entries(house, "items", {"reference": "i-1"})

    (record,) = await read(house, "items", references=["i-1"])
    assert record == {
        "reference": "i-1",
        "title": "",
        "description": "",
        "status": "published",
        "metadata": {},
        "questions": [],
        "definition": {},
        "tags": {},
        "irt": None,
        "version": 2,
        "dt_updated": record["dt_updated"],
    }


@pytest.mark.parametrize(
    "definition",
    [
        {"widgets": [{"reference": "q-1"}, {"reference": "q-2"}, {"reference": "q-1"}]},
        {"regions": [{"widgets": [{"reference": "q-1"}]}, 7, {"widgets": [{"reference": "q-2"}, 7, {}]}]},
    ],
)
async def test_questions_are_those_of_the_layout_unless_they_are_named(
    house: House, definition: dict[str, Any]
) -> None:
    await set_entries(house, "items", {"reference": "i-1", "definition": definition})

    (record,) = await read(house, "items")
    assert record["questions"] == [{"reference": "q-1"}, {"reference": "q-2"}]
    assert record["definition"] == definition


async def test_tags_may_come_one_by_one(house: House) -> None:
    tags = [{"type": "skill", "name": "b"}, {"type": "level", "name": "A"}, {"type": "skill", "name": "a"}]
    await set_entries(house, "items", {"reference": "i-1", "tags": [*tags, tags[0]]})

    (record,) = await read(house, "items")
    assert record["tags"] == {"skill": ["b", "a"], "level": ["A"]}


async def test_parameters_have_defaults(house: House) -> None:
    await set_entries(house, "items", {"reference": "i-1", "irt": {"b": 1}})

    (record,) = await read(house, "items")
    assert record["irt"] == {"a": 1.0, "b": 1.0, "c": 0.0}


async def test_an_item_that_could_not_be_scored_is_refused(house: House) -> None:
    widgets = [{"reference": f"q-{number}"} for number in range(101)]
    results = await set_entries(
        house,
        "items",
        {"reference": "i-1", "metadata": {"scoring_type": ["by mood"]}},
        {"reference": "i-2", "definition": {"widgets": widgets}},
        {"reference": "i-4", "tags": {str(type): [str(name) for name in range(11)] for type in range(10)}},
        {"reference": "i-3"},
    )

    assert [(result["status"], result.get("code")) for result in results] == [
        ("error", 20004),
        ("error", 20002),
        ("error", 20002),
        ("ok", None),
    ]


@pytest.mark.parametrize(
    ("irt", "code"),
    [
        ({"a": 0, "b": 0}, 20003),
        ({"a": 11, "b": 0}, 20003),
        ({"b": 10.5}, 20003),
        ({"b": 0, "c": 1}, 20003),
        ({"a": 1}, 20000),
    ],
)
async def test_impossible_parameters_are_refused(house: House, irt: dict[str, Any], code: int) -> None:
    request = {"items": [{"reference": "i-1", "irt": irt}]}

    assert (await house.call("itembank/items", "set", request)).code == code
