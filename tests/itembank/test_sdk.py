"""The official Python SDK pages through the item bank as its own integration tests do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from jobgate.embedded import Servers
from jobgate.testing import open_server
from tests.bank_calls import question
from tests.official_sdk import Sdk

QUESTIONS = [question("q-1"), question("q-2"), question("q-3")]
ITEMS = [
    {"reference": "item_2", "questions": ["q-1", "q-2"]},
    {"reference": "item_3", "questions": ["q-3"]},
    {"reference": "тест", "questions": ["q-1"]},
]


@pytest.fixture
async def sdk(servers: Servers) -> AsyncIterator[Sdk]:
    async with open_server(servers) as server:
        sdk = Sdk(server, "v1")
        await sdk.request("itembank/questions", {"questions": QUESTIONS}, "set")
        await sdk.request("itembank/items", {"items": ITEMS}, "set")
        yield sdk


async def test_items_come_one_record_a_page(sdk: Sdk) -> None:
    request = {"references": ["item_2", "item_3"], "limit": 1}
    one = await sdk.request("itembank/items", request)
    pages = await sdk.pages("itembank/items", request)

    assert one["data"][0]["reference"] in ("item_2", "item_3")
    assert [[item["reference"] for item in page] for page in pages] == [["item_3"], ["item_2"]]
    assert [item["reference"] for item in await sdk.results("itembank/items", request)] == ["item_3", "item_2"]


async def test_a_reference_may_have_any_letters(sdk: Sdk) -> None:
    (page,) = await sdk.pages("itembank/items", {"references": ["тест"], "limit": 1})

    assert [item["reference"] for item in page] == ["тест"]


async def test_questions_of_items_come_as_an_object_by_item(sdk: Sdk) -> None:
    request = {"item_references": ["item_2", "item_3"], "limit": 3}
    whole = await sdk.request("itembank/questions", request)

    assert "next" not in whole["meta"]
    assert {item: [each["reference"] for each in found] for item, found in whole["data"].items()} == {
        "item_2": ["q-1", "q-2"],
        "item_3": ["q-3"],
    }
    assert whole["data"]["item_3"][0]["data"] == QUESTIONS[2]["data"]


async def test_questions_of_items_are_paged_too(sdk: Sdk) -> None:
    pages = await sdk.pages("itembank/questions", {"item_references": ["item_2", "item_3"], "limit": 1})

    assert [[(item, each["reference"]) for item, found in page.items() for each in found] for page in pages] == [
        [("item_2", "q-1")],
        [("item_2", "q-2")],
        [("item_3", "q-3")],
    ]
