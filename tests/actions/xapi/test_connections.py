"""Connections of an organisation: kept by its consumers, their passwords told to nobody."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from jobgate.keys import OuterKey
from jobgate.stores import connections
from jobgate.stores.connections import open_connection
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.connections import FILE, LRS, URL, connect
from tests.stored_statements import look

Json = dict[str, Any]


@pytest.fixture
async def house(make_house: MakeHouse, tmp_path: Path) -> AsyncIterator[House]:
    """A house with a root for files."""
    async with make_house(files_root=str(tmp_path)) as house:
        yield house


async def read(house: House) -> list[Json]:
    """All connections, as consumers see them."""
    found: list[Json] = (await house.call("xapi/connections", "get")).data
    return found


async def test_connections_are_set_and_read_newest_first_without_passwords(house: House) -> None:
    lrs = (await house.call("xapi/connections", "set", LRS)).data
    file = (await house.call("xapi/connections", "set", FILE)).data

    shown = {"created_at", "updated_at", "id"}
    assert {name: value for name, value in lrs.items() if name not in shown} == {
        "name": "Moodle",
        "kind": "lrs",
        "endpoint": URL,
        "username": "jobgate",
        "version": "1.0.3",
        "folder": None,
        "prefix": None,
    }
    assert (file["folder"], file["prefix"], file["endpoint"], file["version"]) == ("exports/nightly", "a", None, None)
    assert await read(house) == [file, lrs]
    assert (await house.call("xapi/connections", "get", {"id": [lrs["id"]]})).data == [lrs]


async def test_a_password_is_kept_wrapped_and_nowhere_else(house: House) -> None:
    id = await connect(house, **LRS)
    await house.call("xapi/connections", "update", {"id": id, "password": "another secret"})

    tables = await look(house, "select password from xapi_connection")
    assert not any(b"secret" in row["password"] for row in tables)
    for table, column in (("replay", "answer::text"), ("audit", "convert_from(detail::text::bytea, 'UTF8')")):
        rows = await look(house, f"select {column} as text from {table}")
        assert rows
        assert not any("secret" in row["text"] for row in rows)
    async with house.db.reading(1) as db:
        opened = await open_connection(db, 1, OuterKey(house.settings.secret_key), uuid.UUID(id))
    assert opened is not None
    assert (opened.endpoint, opened.username, opened.password) == (URL, "jobgate", "another secret")
    assert "secret" not in repr(opened)


async def test_only_what_is_given_changes(house: House) -> None:
    lrs, file = await connect(house, **LRS), await connect(house, **FILE)

    changed = (await house.call("xapi/connections", "update", {"id": lrs, "name": "M", "version": "2.0.0"})).data
    assert (changed["name"], changed["version"], changed["username"]) == ("M", "2.0.0", "jobgate")
    changed = (await house.call("xapi/connections", "update", {"id": file, "prefix": ""})).data
    assert (changed["folder"], changed["prefix"]) == ("exports/nightly", "")


async def test_who_sends_a_password_elsewhere_must_know_it(house: House) -> None:
    id = await connect(house, **LRS)

    same = await house.call("xapi/connections", "update", {"id": id, "endpoint": URL})
    refused = await house.call("xapi/connections", "update", {"id": id, "endpoint": "https://thief.example/"})
    assert (same.status, refused.status, refused.code) == (200, 400, 20000)
    moved = {"id": id, "endpoint": "https://other.example/", "password": "new"}
    assert (await house.call("xapi/connections", "update", moved)).status == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "db"}, 20004),
        ({"kind": None}, 20000),
        ({"name": ""}, 20001),
        ({"endpoint": None}, 20000),
        ({"username": None}, 20000),
        ({"password": None}, 20000),
        ({"version": "1.0.2"}, 20004),
        ({"folder": "x"}, 20004),
        ({"prefix": ""}, 20004),
        ({"username": "a:b"}, 20004),
        ({"username": "a\nb"}, 20004),
        ({"endpoint": "http://lrs.example/"}, 20004),
        ({"endpoint": "https://127.0.0.1/xapi"}, 20004),
        ({"endpoint": "https://localhost/"}, 20004),
        ({"endpoint": "https://lrs.example:6379/"}, 20004),
        ({"endpoint": "https://u:p@lrs.example/"}, 20004),
        ({"endpoint": "https://lrs.example/xapi?a=b"}, 20004),
        ({"endpoint": "file:///etc/passwd"}, 20004),
    ],
)
async def test_an_odd_lrs_is_refused(house: House, change: Json, code: int) -> None:
    reply = await house.call("xapi/connections", "set", LRS | change)

    assert (reply.status, reply.code) == (400, code)
    assert await read(house) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"folder": None}, 20000),
        ({"folder": "/etc"}, 20004),
        ({"folder": "../2/exports"}, 20004),
        ({"folder": "a/./b"}, 20004),
        ({"folder": "a b"}, 20004),
        ({"prefix": "a/b"}, 20004),
        ({"prefix": ".."}, 20004),
        ({"password": "x"}, 20004),
        ({"endpoint": URL}, 20004),
    ],
)
async def test_odd_files_are_refused(house: House, change: Json, code: int) -> None:
    reply = await house.call("xapi/connections", "set", FILE | change)

    assert (reply.status, reply.code) == (400, code)


async def test_without_a_root_there_are_no_files(make_house: MakeHouse) -> None:
    async with make_house() as house:
        reply = await house.call("xapi/connections", "set", FILE)

    assert (reply.status, reply.code) == (400, 20004)
    assert "JOBGATE_FILES_ROOT" in reply.meta["message"]


async def test_a_connection_that_a_saved_job_uses_stays(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    used, unused = await connect(house, **LRS), await connect(house, **LRS)
    job = {"repeat": "on", "date": "2999-01-01", "until": "now", "store": "main", "service": "statements"}
    ((pull,), (push,)) = [
        (await house.call(f"jobs/{type}", "set", job | {"connection": used, "name": "Night"})).data
        for type in ("pull", "push")
    ]

    for request in ({"id": used}, {"all": True}):
        reply = await house.call("xapi/connections", "delete", request)
        assert (reply.status, reply.code) == (409, 20011)
        assert "Night" in reply.meta["message"]
    assert (await house.call("xapi/connections", "delete", {"id": unused})).data == {"deleted": 1}
    for type, id in (("pull", pull["id"]), ("push", push["id"])):
        await house.call(f"jobs/{type}", "delete", {"id": id})
    assert (await house.call("xapi/connections", "delete", {"all": True})).data == {"deleted": 1}


@pytest.mark.parametrize(("request_", "code"), [({}, 20000), ({"all": True, "id": str(uuid.UUID(int=1))}, 20004)])
async def test_deleting_says_what(house: House, request_: Json, code: int) -> None:
    await connect(house, **LRS)

    reply = await house.call("xapi/connections", "delete", request_)

    assert (reply.status, reply.code, len(await read(house))) == (400, code, 1)


async def test_connections_of_others_are_unknown(house: House) -> None:
    id = await connect(house, **LRS)

    def call(action: str, request: Json) -> Any:
        return house.call("xapi/connections", action, request, as_=house.stranger)

    assert (await call("get", {"id": [id]})).data == []
    assert (await call("delete", {"id": id})).data == {"deleted": 0}
    reply = await call("update", {"id": id, "name": "stolen"})
    assert (reply.status, reply.code) == (400, 20004)
    assert [each["name"] for each in await read(house)] == ["Moodle"]


async def test_an_organisation_has_so_many_and_no_more(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    for _ in range(2):
        await connect(house, **LRS)

    reply = await house.call("xapi/connections", "set", LRS)

    assert (reply.status, reply.code) == (409, 20011)


async def test_what_is_done_is_audited(house: House) -> None:
    id = await connect(house, **LRS)
    await house.call("xapi/connections", "update", {"id": id, "password": "x"})
    await house.call("xapi/connections", "delete", {"id": id})

    rows = await look(house, "select act, detail from audit where act like 'xapi.connections.%' order by id")
    assert [row["act"].rpartition(".")[2] for row in rows] == ["set", "update", "delete"]
    assert b'"password":true' in rows[1]["detail"]
