"""Documents of a store: written, merged, read page by page."""

from __future__ import annotations

import base64
import json
from typing import Any

from jobgate.testing import House
from tests.stored_statements import look

QUIZ = "https://school.example/quiz/1"
EDITH = {"mbox": "mailto:edith@school.example"}
REGISTRATION = "ec531277-b57b-4c15-8d91-d292c5b2b8f7"
STATE = {"store": "main", "service": "states", "activity_id": QUIZ, "agent": EDITH, "state_id": "bookmark"}
OWNERS: dict[str, dict[str, Any]] = {
    "states": {"activity_id": QUIZ, "agent": EDITH, "state_id": "bookmark", "registration": REGISTRATION},
    "activity-profiles": {"activity_id": QUIZ, "profile_id": "settings"},
    "agent-profiles": {"agent": EDITH, "profile_id": "settings"},
}


async def put(house: House, **request: Any) -> Any:
    """Write a document of the store `main`; the data of the answer."""
    return (await house.call("xapi/documents", "set", {"store": "main"} | request)).data


async def read(house: House, **request: Any) -> Any:
    """Read documents of the store `main`."""
    return (await house.call("xapi/documents", "get", {"store": "main"} | request)).data


async def test_every_kind_is_kept_under_its_ids(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    for service, owner in OWNERS.items():
        written = await put(house, service=service, **owner, content={"page": 7, "über": None})
        (found,) = await read(house, service=service)

        assert found == written | {"content": {"page": 7, "über": None}}
        assert {name: found[name] for name in owner} == owner
        assert (found["service"], found["content_type"]) == (service, "application/json")
        text = {name: json.dumps(value) if name == "agent" else value for name, value in owner.items()}
        assert await read(house, service=service, **text) == [found]


async def test_a_document_replaces_the_one_before_and_what_is_equal_changes_nothing(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    for content in ({"a": 1}, {"b": 2}, {"b": 2}):
        await put(house, **STATE, content=content)
    with_registration = await put(house, **STATE, registration=REGISTRATION, content=1)

    own = await look(house, "select content, stored, updated, number from xapi_document order by number")
    assert [row["content"] for row in own] == [b'{"b":2}', b"1"]
    assert own[0]["stored"] < own[0]["updated"] < own[1]["stored"]
    assert with_registration["registration"] == REGISTRATION


async def test_merging_keeps_what_is_not_given_anew(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    for content in ({"a": 1, "b": {"c": 1}}, {"b": {"d": 2.50}, "e": []}):
        await put(house, **STATE, content=content, merge=True)

    (found,) = await read(house, service="states")
    assert found["content"] == {"a": 1, "b": {"d": 2.5}, "e": []}
    for unfit in ({"content": [1]}, {"content": "text", "content_type": "text/plain"}):
        reply = await house.call("xapi/documents", "set", STATE | unfit | {"merge": True})
        assert (reply.status, reply.code) == (400, 20004)
    await put(house, **STATE, content=[1])
    refused = await house.call("xapi/documents", "set", STATE | {"content": {}, "merge": True})
    assert (refused.status, refused.code) == (400, 20004)


async def test_texts_and_other_bytes_come_back_as_they_were(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    image, text = bytes(range(256)), "Zeile ä\n"

    await put(house, **STATE, content=text, content_type="text/plain; charset=utf-8")
    (plain,) = await read(house, service="states")
    await put(house, **STATE, content_base64=base64.b64encode(image).decode(), content_type="image/png")
    (binary,) = await read(house, service="states")
    (row,) = await look(house, "select content from xapi_document")

    assert (plain["content"], plain["content_type"]) == (text, "text/plain; charset=utf-8")
    assert "content_base64" not in plain
    assert base64.b64decode(binary["content_base64"]) == image == row["content"]
    assert "content" not in binary


PROFILE: dict[str, Any] = {"state_id": None, "profile_id": "p"}
UNFIT: list[tuple[dict[str, Any], str]] = [
    ({"activity_id": None}, "`activity_id`"),
    ({"activity_id": "no iri"}, "`activity_id`"),
    ({"agent": None}, "`agent`"),
    ({"agent": {"name": "nobody"}}, "`agent`"),
    ({"state_id": None}, "`state_id`"),
    ({"profile_id": "p"}, "`profile_id`"),
    ({"content_base64": "e30="}, "`content_base64`"),
    ({"content_type": "text", "content": "x"}, "`content_type`"),
    ({"content_type": "text/plain"}, "`content`"),
    (PROFILE | {"service": "activity-profiles"}, "`agent`"),
    (PROFILE | {"service": "agent-profiles"}, "`activity_id`"),
    (PROFILE | {"service": "agent-profiles", "activity_id": None, "registration": REGISTRATION}, "`registration`"),
    ({"store": "other"}, "`store`"),
]
"""What does not fit together, and what the message names."""


async def test_what_does_not_fit_together_is_refused(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    for wrong, named in UNFIT:
        reply = await house.call("xapi/documents", "set", STATE | {"content": {}} | wrong)

        assert reply.status == 400, wrong
        assert named in reply.meta["message"]
    assert await look(house, "select from xapi_document") == []


async def test_json_that_is_none_is_refused(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    for content in (b"{", b"\xff", b""):
        encoded = base64.b64encode(content).decode()
        reply = await house.call("xapi/documents", "set", STATE | {"content_base64": encoded})
        assert (reply.status, reply.code) == (400, 20004)


async def test_pages_lead_from_the_newest_to_the_oldest(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    for number in range(5):
        await put(house, **STATE | {"state_id": f"s-{number}"}, content="x" * 100)
    seen: list[str] = []
    token = None
    for count in (2, 2, 1):
        request = {"store": "main", "service": "states", "limit": 2, "next": token}
        reply = await house.call("xapi/documents", "get", request | ({"agent": EDITH} if seen else {}))
        token = reply.meta.get("next")
        assert reply.meta["records"] == count
        seen += [document["state_id"] for document in reply.data]

    assert (seen, token) == ([f"s-{number}" for number in (4, 3, 2, 1, 0)], None)
    assert await read(house, service="states", activity_id=QUIZ, limit=1) == await read(
        house, service="states", limit=1
    )
    wrong = await house.call("xapi/documents", "get", {"store": "main", "service": "states", "next": "7"})
    assert (wrong.status, wrong.code) == (400, 20004)


async def test_a_page_of_long_documents_ends_early(make_house: Any) -> None:
    async with make_house(max_answer=40_000) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        for number in range(3):
            await put(house, **STATE | {"state_id": f"s-{number}"}, content="ü" * 2000)

        pages = [await house.call("xapi/documents", "get", {"store": "main", "service": "states"})]
        while "next" in pages[-1].meta:
            request = {"store": "main", "service": "states", "next": pages[-1].meta["next"]}
            pages.append(await house.call("xapi/documents", "get", request))

    assert [[each["state_id"] for each in page.data] for page in pages] == [["s-2", "s-1"], ["s-0"]]
