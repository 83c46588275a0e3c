"""cmi5/tokens: told once, known again, for one agent and one activity."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

from jobgate.testing import House
from tests.stored_statements import look

LESSON = "https://school.example/lesson/1"
EDITH = {"objectType": "Agent", "account": {"homePage": "https://school.example", "name": "edith"}}
BEN = {"mbox": "mailto:ben@school.example"}


async def make_token(house: House, **request: Any) -> Any:
    """A token of the store `main`; the data of the answer."""
    given = {"store": "main", "activity_id": LESSON, "agent": EDITH} | request
    return (await house.call("cmi5/tokens", "set", given)).data


async def read(house: House, **request: Any) -> Any:
    """Tokens of the store `main` that fit."""
    return (await house.call("cmi5/tokens", "get", {"store": "main"} | request)).data


async def test_a_token_is_told_once_and_kept_as_a_digest(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    made = await make_token(house, agent=json.dumps(EDITH), origin="https://content.example:8443")

    user, _, password = base64.b64decode(made["token"]).decode().partition(":")
    assert (len(user), len(password) > 40) == (32, True)
    assert made["endpoint"] == "http://127.0.0.1:8080/xapi/main"
    (found,) = await read(house)
    assert found == {name: made[name] for name in ("id", "activity_id", "agent", "origin", "created_at")}
    assert (found["agent"], found["origin"]) == (EDITH, "https://content.example:8443")
    (row,) = await look(house, "select token::text from xapi_token as token")
    assert made["token"] not in row["token"]
    assert password not in row["token"]


async def test_a_token_that_is_shown_is_known_until_it_is_gone(house: House) -> None:
    for slug in ("main", "other"):
        await house.call("xapi/stores", "set", {"slug": slug})
    made = await make_token(house)
    token = made["token"]
    forged = base64.b64encode(base64.b64decode(token)[:-1] + b"x").decode()

    assert [each["id"] for each in await read(house, token=token)] == [made["id"]]
    assert [each["id"] for each in await read(house, token=token, agent=EDITH, activity_id=LESSON)] == [made["id"]]
    assert await read(house, token=token, agent=BEN) == []
    assert await read(house, token=token, activity_id=f"{LESSON}/2") == []
    assert await read(house, token=token, store="other") == []
    for wrong in (forged, made["id"], "Basic", token[:-4], "é"):
        assert await read(house, token=wrong) == []
    await look(house, "delete from xapi_token")
    assert await read(house, token=token) == []
    logged = await look(house, "select description, level from xapi_log where type = 'auth' order by number")
    assert [tuple(row) for row in logged] == [("Made a token", 1), *[("A token was refused", 2)] * 9]


async def test_a_packet_that_is_sent_again_gets_the_answer_without_the_token(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    request = {"store": "main", "activity_id": LESSON, "agent": EDITH}
    moment = datetime.now(UTC)

    first, again = [await house.call("cmi5/tokens", "set", request, now=moment, distinct=False) for _ in range(2)]

    assert again.data == {name: value for name, value in first.data.items() if name != "token"}
    kept = [row["answer"] for row in await look(house, "select answer from replay")]
    assert any(b"endpoint" in answer for answer in kept)
    assert not any(first.data["token"].encode() in answer for answer in kept)


async def test_tokens_are_found_by_whom_and_what_they_are_for(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    ids = [(await make_token(house, agent=agent))["id"] for agent in (EDITH, BEN, EDITH)]
    other = (await make_token(house, activity_id=f"{LESSON}/2"))["id"]

    assert [each["id"] for each in await read(house)] == [other, *reversed(ids)]
    assert [each["id"] for each in await read(house, agent=EDITH, activity_id=LESSON)] == [ids[2], ids[0]]
    assert [each["id"] for each in await read(house, activity_id=f"{LESSON}/2")] == [other]
    first = await house.call("cmi5/tokens", "get", {"store": "main", "limit": 3})
    rest = await read(house, limit=3, next=first.meta["next"])
    assert [each["id"] for each in [*first.data, *rest]] == [other, *reversed(ids)]
    assert await read(house, store="nowhere") == []


async def test_the_endpoint_may_be_that_of_a_client(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    await look(
        house,
        "insert into xapi_client (organisation_id, id, slug, name, store_id, endpoint, username, password)"
        " select 1, gen_random_uuid(), 'lrs', 'The LRS', id, 'https://lrs.example/xapi', 'user', 'x' from xapi_store",
    )

    made = await make_token(house, client="lrs")
    unknown = await house.call(
        "cmi5/tokens", "set", {"store": "main", "activity_id": LESSON, "agent": EDITH, "client": "other"}
    )

    assert made["endpoint"] == "https://lrs.example/xapi"
    assert (unknown.status, unknown.code) == (400, 20004)
    assert len(await read(house)) == 1


async def test_what_names_nobody_or_nothing_is_refused(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    launched = {"store": "main", "activity_id": LESSON, "agent": EDITH}

    for wrong in (
        {"activity_id": "no iri"},
        {"agent": {"name": "nobody"}},
        {"agent": None},
        {"origin": "https://content.example/path"},
        {"origin": "content.example"},
        {"store": "other"},
    ):
        reply = await house.call("cmi5/tokens", "set", launched | wrong)
        assert reply.status == 400, wrong
    assert await look(house, "select from xapi_token") == []
