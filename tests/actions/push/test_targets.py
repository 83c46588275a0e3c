"""The targets of an organisation: kept by its consumers, their secrets shown once."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest

from jobgate.outbox.targets import MAX_TARGETS
from jobgate.testing import House
from tests.push.sending import add_target, fetch, read_target

URL = "https://lms.example/hooks"


async def test_a_target_is_set_and_read_without_its_secret(house: House) -> None:
    target = await add_target(house, URL, kinds=["session.score", "session.score"])

    secret = target.pop("secret")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    assert target["created_at"].endswith("Z")
    assert target == {
        "id": target["id"],
        "url": URL,
        "kinds": ["session.score"],
        "paused": False,
        "disabled_reason": None,
        "created_at": target["created_at"],
        "last_success_at": None,
        "last_failure_at": None,
        "last_failure": None,
    }
    assert await read_target(house, target["id"]) == target


async def test_the_secret_is_stored_wrapped_and_never_in_an_answer_kept_for_retries(house: House) -> None:
    target = await add_target(house, URL)

    (row,) = await fetch(house, "select secret from push_target")
    (replay,) = await fetch(house, "select answer from replay")
    core = target["secret"].removeprefix("whsec_").encode()
    assert core not in row["secret"]
    assert core not in replay["answer"]


async def test_a_retry_gets_the_same_target_without_its_secret(house: House) -> None:
    first = await house.call("push/targets", "set", {"url": URL}, distinct=False)
    again = await house.call("push/targets", "set", {"url": URL}, distinct=False)

    assert again.meta["replayed"] is True
    assert first.data == again.data | {"secret": first.data["secret"]}
    assert len((await house.call("push/targets", "get")).data) == 1


async def test_targets_are_read_newest_first(house: House) -> None:
    ids = [(await add_target(house, URL))["id"] for _ in range(3)]

    assert [each["id"] for each in (await house.call("push/targets", "get")).data] == ids[::-1]


async def test_only_what_is_given_changes(house: House) -> None:
    target = await add_target(house, URL)
    del target["secret"]
    id = target["id"]

    changed = await house.call("push/targets", "update", {"id": id, "paused": True})
    assert changed.data == target | {"paused": True}
    changed = await house.call("push/targets", "update", {"id": id, "url": URL + "/2", "kinds": ["session.status"]})
    assert changed.data == target | {"paused": True, "url": URL + "/2", "kinds": ["session.status"]}


async def test_a_rotated_secret_is_another_one(house: House) -> None:
    target = await add_target(house, URL)

    turned = (await house.call("push/targets", "update", {"id": target["id"], "rotate_secret": True})).data

    assert turned["secret"].startswith("whsec_")
    assert turned["secret"] != target["secret"]
    assert "secret" not in await read_target(house, target["id"])


async def test_a_target_is_deleted_by_its_id_and_all_of_them_when_that_is_said(house: House) -> None:
    first, *_ = [await add_target(house, URL) for _ in range(3)]
    await add_target(house, URL, as_=house.stranger)

    assert (await house.call("push/targets", "delete", {"id": first["id"]})).data == {"deleted": 1}
    assert (await house.call("push/targets", "delete", {"id": first["id"]})).data == {"deleted": 0}
    assert (await house.call("push/targets", "delete", {"all": True})).data == {"deleted": 2}
    assert len((await house.call("push/targets", "get", as_=house.stranger)).data) == 1


@pytest.mark.parametrize(("request_", "code"), [({}, 20000), ({"all": True, "id": str(uuid.UUID(int=1))}, 20004)])
async def test_deleting_says_what(house: House, request_: Any, code: int) -> None:
    await add_target(house, URL)

    reply = await house.call("push/targets", "delete", request_)

    assert (reply.status, reply.code) == (400, code)
    assert len((await house.call("push/targets", "get")).data) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.2/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://2130706433/",
        "https://user@lms.example/",
        "https://lms.example:22/",
        "ftp://lms.example/",
    ],
)
async def test_a_forbidden_url_is_refused_when_it_is_set_and_when_it_is_changed(house: House, url: str) -> None:
    target = await add_target(house, URL)

    for action, request in (("set", {"url": url}), ("update", {"id": target["id"], "url": url})):
        reply = await house.call("push/targets", action, request)
        assert (reply.status, reply.code) == (400, 20004)
        assert reply.meta["message"].startswith("`url` cannot be pushed to: ")
    assert (await read_target(house, target["id"]))["url"] == URL


async def test_plain_http_needs_the_operators_word(make_house: Any) -> None:
    async with make_house() as house:
        reply = await house.call("push/targets", "set", {"url": "http://lms.example/"})

    assert (reply.status, reply.code) == (400, 20004)


@pytest.mark.parametrize(
    "request_", [{"url": URL, "kinds": []}, {"url": URL, "kinds": ["session.other"]}, {"url": ""}, {}, {"url": 1}]
)
async def test_an_odd_target_is_refused(house: House, request_: Any) -> None:
    assert (await house.call("push/targets", "set", request_)).status == 400


async def test_an_organisation_has_so_many_targets_and_no_more(house: House) -> None:
    for _ in range(MAX_TARGETS):
        await add_target(house, URL)

    reply = await house.call("push/targets", "set", {"url": URL})

    assert (reply.status, reply.code) == (409, 20011)


async def test_targets_of_others_are_unknown(house: House) -> None:
    target = await add_target(house, URL)

    assert (await house.call("push/targets", "get", {"id": [target["id"]]}, as_=house.stranger)).data == []
    assert (await house.call("push/targets", "delete", {"id": target["id"]}, as_=house.stranger)).data == {"deleted": 0}
    for endpoint, action, request in (
        ("push/targets", "update", {"id": target["id"], "paused": True}),
        ("push/tests", "set", {"target_id": target["id"]}),
    ):
        reply = await house.call(endpoint, action, request, as_=house.stranger)
        assert (reply.status, reply.code, reply.meta["message"]) == (400, 20004, "the target is not known")


async def test_consumers_of_one_organisation_share_its_targets(house: House) -> None:
    target = await add_target(house, URL)

    (seen,) = (await house.call("push/targets", "get", as_=house.other)).data
    assert seen["id"] == target["id"]


async def test_what_is_done_to_targets_is_audited(house: House) -> None:
    target = await add_target(house, URL)
    await house.call("push/targets", "update", {"id": target["id"], "rotate_secret": True})
    await house.call("push/targets", "delete", {"id": target["id"]})

    rows = await fetch(house, "select act, detail::text from audit order by id")
    assert [row["act"] for row in rows] == ["push.targets.set", "push.targets.update", "push.targets.delete"]
    assert not any("whsec_" in row["detail"] for row in rows)
