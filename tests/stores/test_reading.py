"""Statements are read as they were recorded, or in another form, with what is attached to them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jobgate.testing import House, Reply
from tests.stored_statements import look, make, record, void

DEFINITION = {"name": {"en": "Quiz", "de": "Rätsel", "fr-CA": "Jeu"}, "type": "http://x.example/quiz"}
ACTIVITY = {"id": "https://school.example/quiz/1", "objectType": "Activity"}
NAMED = {"name": "Edith", "mbox": "mailto:edith@school.example"}
GROUP = {"objectType": "Group", "name": "Those", "member": [NAMED, {"openid": "https://ben.example", "name": "Ben"}]}


async def read(house: House, **request: Any) -> Any:
    """The statements that a call answers."""
    return (await house.call("xapi/statements", "get", {"store": "main"} | request)).data["statements"]


async def test_what_was_recorded_comes_back_and_is_taken_again(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1), make(2, result={"extensions": {"https://x.example/ü": [1.50, None, "ä\u2028"]}})])

    newest, oldest = await read(house)

    assert [oldest["id"], newest["id"]] == [make(1)["id"], make(2)["id"]]
    assert oldest["stored"] < newest["stored"]
    assert newest["result"]["extensions"] == {"https://x.example/ü": [1.5, None, "ä\u2028"]}
    assert (await record(house, [newest, oldest]))["accepted"] == [newest["id"], oldest["id"]]
    assert [each["id"] for each in await read(house, ascending=True)] == [oldest["id"], newest["id"]]


async def test_pages_follow_each_other(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(number) for number in range(5)])
    request: dict[str, Any] = {"store": "main", "limit": 2, "activity": ACTIVITY["id"]}
    ids, sizes = [], []
    while True:
        reply = await house.call("xapi/statements", "get", request)
        ids += [each["id"] for each in reply.data["statements"]]
        sizes.append(reply.meta["records"])
        if "next" not in reply.meta:
            break
        request["next"] = reply.meta["next"]

    assert ids == [make(number)["id"] for number in (4, 3, 2, 1, 0)]
    assert sizes == [2, 2, 1]


async def test_a_voided_statement_is_read_by_its_id_only(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1), void(2, 1)])
    voided, voiding = make(1)["id"], make(2)["id"]

    assert [each["id"] for each in await read(house)] == [voiding]
    assert [each["id"] for each in await read(house, activity=ACTIVITY["id"])] == [voiding]  # it leads there
    assert await read(house, statement_id=voided) == []
    assert [each["id"] for each in await read(house, voided_statement_id=voided)] == [voided]
    assert await read(house, voided_statement_id=voiding) == []
    assert [each["id"] for each in await read(house, statement_id=voiding)] == [voiding]


NONSENSE: list[dict[str, Any]] = [
    {"statement_id": make(1)["id"], "voided_statement_id": make(1)["id"]},
    {"statement_id": make(1)["id"], "verb": "http://adlnet.gov/expapi/verbs/answered"},
    {"voided_statement_id": make(1)["id"], "since": 0},
    {"statement_id": make(1)["id"], "limit": 1},
    {"agent": {"name": "nobody"}},
    {"next": "7"},
]


async def test_what_cannot_be_asked_is_refused(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    for request in NONSENSE:
        assert (await house.call("xapi/statements", "get", {"store": "main"} | request)).code == 20004, request


async def test_times_are_bounds_without_and_with_their_instant(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await record(house, [make(1), make(2), make(3)])
    first, second, third = [each["stored"] for each in await read(house, ascending=True)]

    assert [each["stored"] for each in await read(house, since=first, until=second)] == [second]
    assert [each["stored"] for each in await read(house, since=first, ascending=True)] == [second, third]


async def test_ids_are_all_that_is_left(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    team = {"objectType": "Group", "mbox": "mailto:team@school.example", "name": "Team", "member": [NAMED]}
    inner = {"objectType": "SubStatement", "actor": NAMED, "verb": make(1)["verb"], "object": ACTIVITY}
    context = {"team": team, "contextActivities": {"parent": [ACTIVITY | {"definition": DEFINITION}]}}
    await record(house, [make(1, actor=GROUP, object=inner | {"verb": {"id": "https://v.example", "display": {}}})])
    await record(house, [make(2, actor=GROUP, context=context)])

    named, nested = await read(house, format="ids")

    assert named["actor"] == {
        "objectType": "Group",
        "member": [{"mbox": NAMED["mbox"]}, {"openid": "https://ben.example"}],
    }
    assert named["context"]["team"] == {"objectType": "Group", "mbox": team["mbox"]}
    assert named["object"] == {"id": ACTIVITY["id"]}
    assert named["context"]["contextActivities"] == {"parent": [ACTIVITY]}
    assert nested["object"]["actor"] == {"mbox": NAMED["mbox"]}
    assert nested["object"]["verb"] == {"id": "https://v.example"}


async def test_canonical_is_what_the_catalogue_says_in_one_language(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    verb = {"id": "https://v.example/did", "display": {"en": "did"}}
    choices = [{"id": "a", "description": {"en": "Yes", "de": "Ja"}}]
    definition = DEFINITION | {"interactionType": "choice", "choices": choices}
    await record(house, [make(1, object=ACTIVITY | {"definition": definition}, verb=verb)])
    await record(house, [make(2, object=ACTIVITY, verb=verb | {"display": {"de": "tat"}})])

    first, second = await read(house, format="canonical", language=["de-AT", "en"], ascending=True)
    (exact,) = await read(house, statement_id=make(2)["id"])

    shown = definition | {"name": {"de": "Rätsel"}, "choices": [{"id": "a", "description": {"de": "Ja"}}]}
    assert first["object"]["definition"] == second["object"]["definition"] == shown
    assert first["verb"] == second["verb"] == {"id": verb["id"], "display": {"de": "tat"}}
    assert "definition" not in exact["object"]


def attach(content: bytes, name: str = "sha256") -> tuple[dict[str, Any], dict[str, Any]]:
    """An attachment as a statement announces it, and its content."""
    sha2 = hashlib.new(name, content).hexdigest()
    announced = {
        "usageType": "https://x.example/notes",
        "display": {"en": "Notes"},
        "contentType": "text/plain",
        "length": len(content),
        "sha2": sha2.upper(),
    }
    shown = {"sha2": sha2, "content_type": "text/plain", "content": base64.b64encode(content).decode()}
    return announced, shown


async def send(house: House, statements: list[Any], contents: list[Any], **options: Any) -> Reply:
    """Record statements with what is attached to them."""
    request = {"store": "main", "statements": statements, "attachments": contents} | options
    return await house.call("xapi/statements", "set", request)


async def test_contents_come_back_once(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    (notes, content), (other, other_content) = attach(b"notes \0\xff"), attach(b"more", "sha512")
    inner = {"objectType": "SubStatement", "actor": NAMED, "verb": make(1)["verb"], "object": ACTIVITY}
    both = make(2, attachments=[notes], object=inner | {"attachments": [other]})

    sent = await send(house, [make(1, attachments=[notes]), both, make(3)], [content, other_content])
    reply = await house.call("xapi/statements", "get", {"store": "main", "attachments": True})
    without = await house.call("xapi/statements", "get", {"store": "main"})

    assert len(sent.data["accepted"]) == 3
    assert reply.data["attachments"] == sorted([content, other_content], key=lambda each: each["sha2"])
    assert without.data["attachments"] == []


async def test_contents_that_do_not_fit_are_refused(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    announced, content = attach(b"notes")
    wrong = content | {"content": base64.b64encode(b"other").decode()}

    digest = await send(house, [make(1, attachments=[announced])], [wrong])
    surplus = await send(house, [make(1)], [content])
    no_base64 = await send(house, [make(1, attachments=[announced])], [content | {"content": "?"}])
    no_type = await send(house, [make(1, attachments=[announced])], [content | {"content_type": "text/\0"}])
    no_name = await send(house, [make(1)], [], authority_name="a\0b")

    assert (digest.code, surplus.code) == (20004, 20004)
    assert (no_base64.status, no_type.status, no_name.code) == (400, 400, 20004)
    assert await look(house, "select from xapi_statement") == []
    await send(house, [make(1, attachments=[announced])], [content], record_attachments=False)
    assert await look(house, "select from xapi_attachment") == []


async def test_a_page_ends_where_its_answer_is_full(make_house: Any) -> None:
    async with make_house(max_answer=10_000) as house:
        await house.call("xapi/stores", "set", {"slug": "main"})
        long = {"response": "ü" * 500}
        await record(house, [make(number, result=long) for number in range(4)])
        announced, content = attach(b"x" * 8_000)
        await send(house, [make(9, attachments=[announced])], [content])

        assert (await house.call("xapi/statements", "get", {"store": "main", "attachments": True})).code == 20027
        sizes, request = list[int](), {"store": "main"}
        while "next" in request or not sizes:
            reply = await house.call("xapi/statements", "get", request)
            sizes.append(len(reply.data["statements"]))
            request = {"store": "main"} | ({"next": reply.meta["next"]} if "next" in reply.meta else {})

    assert sizes == [2, 2, 1]
