"""xapi/clients: LRSs under test, whose passwords nobody sees again."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.testing import House
from tests.stored_statements import look

CLIENT: dict[str, Any] = {
    "slug": "lrs",
    "store": "main",
    "endpoint": "https://lrs.example/xapi",
    "username": "tester",
    "password": "a secret",
}
JOB: dict[str, Any] = {"repeat": "on", "date": "2999-01-01", "store": "main", "client": "lrs", "version": "1.0.3"}


async def add(house: House, **changes: Any) -> Any:
    """A client of the store `main`, which is there."""
    await house.call("xapi/stores", "set", {"slug": "main"})
    return await house.call("xapi/clients", "set", CLIENT | changes)


async def test_a_client_is_added_read_changed_and_deleted(house: House) -> None:
    added = (await add(house)).data
    await house.call("xapi/stores", "set", {"slug": "other"})
    changes = {"slug": "lrs", "name": "The LRS", "store": "other", "username": "someone"}

    changed = (await house.call("xapi/clients", "update", changes)).data
    (read,) = (await house.call("xapi/clients", "get", {"slug": ["lrs"]})).data
    deleted = (await house.call("xapi/clients", "delete", {"slug": "lrs"})).data

    assert (added["slug"], added["name"], added["store"]) == ("lrs", "lrs", "main")
    assert read == changed
    assert (read["name"], read["store"], read["username"]) == ("The LRS", "other", "someone")
    assert read["endpoint"] == CLIENT["endpoint"]
    assert deleted == {"deleted": 1}
    assert (await house.call("xapi/clients", "get")).data == []


async def test_a_password_is_kept_wrapped_and_shown_to_nobody(house: House) -> None:
    answers = [(await add(house)).body]
    answers += [(await house.call("xapi/clients", "update", {"slug": "lrs", "password": "a secret too"})).body]
    answers += [(await house.call("xapi/clients", "get")).body]

    rows = await look(house, "select password::text as kept, detail::text as told from xapi_client, audit")

    assert "secret" not in str(answers)
    assert b"a secret".hex() not in str(rows)
    assert "a secret" not in str(rows)


async def test_what_is_changed_of_a_client_is_audited_without_its_password(house: House) -> None:
    await add(house)
    await house.call("xapi/clients", "update", {"slug": "lrs", "password": "another"})
    await house.call("xapi/clients", "delete", {"all": True})

    rows = await look(house, "select act, detail from audit where act like 'xapi.clients.%' order by id")

    assert [row["act"] for row in rows] == ["xapi.clients.set", "xapi.clients.update", "xapi.clients.delete"]
    assert b'"changed":["password"]' in rows[1]["detail"]
    assert b"another" not in rows[1]["detail"]


async def test_a_password_goes_nowhere_else_than_it_was_given_for(house: House) -> None:
    await add(house)
    elsewhere = {"slug": "lrs", "endpoint": "https://elsewhere.example/xapi"}

    refused = await house.call("xapi/clients", "update", elsewhere)
    same = await house.call("xapi/clients", "update", {"slug": "lrs", "endpoint": CLIENT["endpoint"]})
    given = await house.call("xapi/clients", "update", elsewhere | {"password": "another"})

    assert (refused.status, refused.code) == (400, 20000)
    assert refused.meta["message"] == "`password` must have a non-null value where `endpoint` changes"
    assert (same.status, given.data["endpoint"]) == (200, elsewhere["endpoint"])


async def test_a_form_that_is_not_met_is_described(house: House) -> None:
    for changes, message in (
        ({"slug": "The LRS"}, "`slug` has an unknown form (Small letters, digits, - and _; 36 at most)"),
        (
            {"username": "a:b"},
            "`username` has an unknown form (For Basic authentication: no colons, no control characters)",
        ),
    ):
        assert (await add(house, **changes)).meta["message"] == message


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"store": "other"}, 400, 20004),
        ({"endpoint": "http://lrs.example/xapi"}, 400, 20004),
        ({"endpoint": "https://127.0.0.1/xapi"}, 400, 20004),
        ({"endpoint": "https://lrs.example/xapi?a=b"}, 400, 20004),
        ({"slug": "The LRS"}, 400, 20004),
        ({"username": "a:b"}, 400, 20004),
        ({"username": ""}, 400, None),
        ({"password": "a\nb"}, 400, 20004),
    ],
)
async def test_a_client_that_could_not_be_asked_is_refused(
    house: House, changes: dict[str, Any], status: int, code: int | None
) -> None:
    refused = await add(house, **changes)

    assert refused.status == status
    assert code is None or refused.code == code
    assert (await house.call("xapi/clients", "get")).data == []


async def test_a_slug_is_taken_once_in_an_organisation(house: House) -> None:
    await add(house)

    taken = await add(house)
    await house.call("xapi/stores", "set", {"slug": "main"}, as_=house.stranger)
    theirs = await house.call("xapi/clients", "set", CLIENT, as_=house.stranger)

    assert (taken.status, taken.code) == (409, 20011)
    assert theirs.status == 200


async def test_a_client_that_a_job_names_stays(house: House) -> None:
    await add(house)
    (job,) = (await house.call("jobs/testsuite", "set", JOB)).data
    await house.call("xapi/stores", "set", {"slug": "other"})

    one = await house.call("xapi/clients", "delete", {"slug": "lrs"})
    every = await house.call("xapi/clients", "delete", {"all": True})
    moved = await house.call("xapi/clients", "update", {"slug": "lrs", "store": "other"})
    await house.call("jobs/testsuite", "delete", {"id": job["id"]})
    freed = await house.call("xapi/clients", "delete", {"slug": "lrs"})

    assert [(each.status, each.code) for each in (one, every, moved)] == [(409, 20011)] * 3
    assert freed.data == {"deleted": 1}


async def test_an_unknown_client_is_refused(house: House) -> None:
    await add(house)

    changed = await house.call("xapi/clients", "update", {"slug": "other", "name": "n"})
    neither = await house.call("xapi/clients", "delete")
    deleted = await house.call("xapi/clients", "delete", {"slug": "other"})

    assert (changed.status, changed.code) == (400, 20004)
    assert (neither.status, neither.code) == (400, 20000)
    assert deleted.data == {"deleted": 0}


async def test_clients_are_read_page_by_page(house: House) -> None:
    await add(house, slug="one")
    await add(house, slug="two")
    await add(house, slug="three")

    first = await house.call("xapi/clients", "get", {"limit": 2, "store": "main"})
    second = await house.call("xapi/clients", "get", {"limit": 2, "store": "main", "next": first.meta["next"]})

    assert [each["slug"] for each in first.data + second.data] == ["three", "two", "one"]
    assert "next" not in second.meta
