"""A conversation with an LRS: what it gives and takes, and every way in which it goes wrong."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest

from jobgate import wire
from jobgate.outbound import Client, Rules
from jobgate.remotes import lrs as remote
from jobgate.remotes.attachments import Content, find_announced
from jobgate.remotes.endings import Broken, Busy, Refused
from jobgate.remotes.lrs import Far, Lrs, speak
from tests.listeners import make_tls
from tests.lrs import faults, serving
from tests.outbound.names import resolving
from tests.remotes.farness import ids, speaking
from tests.stored_statements import make

NOW = datetime(2099, 1, 1, tzinfo=UTC)
DATA = b"\x00\r\n--binary\xff"
SHA2 = hashlib.sha256(DATA).hexdigest()
ATTACHMENT = {
    "usageType": "https://school.example/essay",
    "display": {"en": "Essay"},
    "contentType": "text/plain",
    "length": len(DATA),
    "sha2": SHA2.upper(),
}


async def read_all(lrs: Lrs, since: datetime | None = None, until: datetime = NOW) -> list[str]:
    """The ids of all statements, page after page."""
    page = await lrs.read_first(since, until)
    found = ids(page.statements)
    while page.more is not None:
        page = await lrs.read_more(page.more)
        found += ids(page.statements)
    return found


# -- reading -------------------------------------------------------------------------------------------------------


async def test_pages_are_read_in_the_order_of_stored_over_one_connection() -> None:
    async with serving() as server, speaking(server) as lrs:
        server.statements.max_limit = 3
        expected = server.add(*map(make, range(8)))

        assert await read_all(lrs) == expected

    first, *others = server.requests
    assert first.params.keys() == {"until", "ascending", "attachments", "format", "limit"}
    assert len(others) == 2
    assert {request.headers["x-experience-api-version"] for request in server.requests} == {"1.0.3"}


async def test_since_is_exclusive_and_until_inclusive_to_the_microsecond() -> None:
    async with serving() as server, speaking(server, "2.0.0") as lrs:
        server.add(*map(make, range(5)))
        stored = [kept.stored for kept in server.keeping.statements.values()]

        assert await read_all(lrs, stored[1], stored[3]) == server.ids[2:4]
        before = stored[1] - timedelta(microseconds=1), stored[3] - timedelta(microseconds=1)
        assert await read_all(lrs, *before) == server.ids[1:3]


async def test_a_page_tells_up_to_when_it_is_whole() -> None:
    async with serving(lag_s=100) as server, speaking(server) as lrs:
        page = await lrs.read_first(None, NOW)

    assert page.consistent_through is not None
    assert timedelta(seconds=90) < datetime.now(UTC) - page.consistent_through < timedelta(seconds=110)
    assert (page.statements, page.more) == ([], None)


async def test_contents_come_with_their_statements_and_a_wrong_one_does_not() -> None:
    async with serving() as server, speaking(server) as lrs:
        server.add(make(1, attachments=[ATTACHMENT]), contents=[DATA])
        page = await lrs.read_first(None, NOW)
        assert page.contents == {SHA2: Content("text/plain", DATA)}

        server.keeping.contents[SHA2] = ("text/plain", b"something else")
        page = await lrs.read_first(None, NOW)
        assert (len(page.statements), page.contents) == (1, {})


async def test_a_page_may_be_plain_json() -> None:
    async with serving() as server, speaking(server) as lrs:
        body = b'{"statements": [{"id": 1,  "a": {}}], "more": null}'
        server.faults.order(faults.answer(200, body, content_type="application/json; charset=utf-8"))
        page = await lrs.read_first(None, NOW)

    assert (page.statements, page.more, page.contents) == ([b'{"id": 1,  "a": {}}'], None, {})


@pytest.mark.parametrize(
    ("more", "path", "query"),
    [
        ("/elsewhere/more?a=b%20c", "/elsewhere/more", {"a": ["b c"]}),
        ("?token=1", "/xapi/statements", {"token": ["1"]}),
        ("more/2#x", "/xapi/more/2", {}),
        ("{endpoint}statements/more/3", "/xapi/statements/more/3", {}),
        ("//127.0.0.1:{port}/4", "/4", {}),
    ],
)
async def test_more_is_resolved_as_urls_are(more: str, path: str, query: dict[str, list[str]]) -> None:
    async with serving() as server, speaking(server) as lrs:
        named = more.format(endpoint=server.endpoint, port=server.port)
        server.rewrite_page = lambda page: page | {"more": named}
        url = (await lrs.read_first(None, NOW)).more

    assert url is not None
    parts = urlsplit(url)
    assert (parts.netloc, parts.path, parse_qs(parts.query)) == (f"127.0.0.1:{server.port}", path, query)


@pytest.mark.parametrize(
    "more",
    [
        "http://169.254.169.254/latest",
        "https://127.0.0.1:{port}/xapi/statements",
        "http://127.0.0.1:1/xapi/statements",
        "http://127.0.0.1.nip.example:{port}/",
        "http://user:pw@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "/a b",
        "/\\\\evil",
        "/ä",
        "/" + "x" * 8000,
    ],
)
async def test_more_must_stay_where_the_lrs_is(more: str) -> None:
    async with serving() as server, speaking(server) as lrs:
        with pytest.raises(Refused, match="must not be called"):
            await lrs.read_more(urljoin(server.endpoint + "statements", more.format(port=server.port)))

    assert server.requests == []


BAD_PAGES: dict[str, faults.Fault] = {
    "no JSON": faults.answer(200, b'{"statements": [', content_type="application/json"),
    "no result": faults.answer(200, b"[]", content_type="application/json"),
    "no statements": faults.answer(200, b'{"more": ""}', content_type="application/json"),
    "more is a number": faults.answer(200, b'{"statements": [], "more": 5}', content_type="application/json"),
    "deep": faults.answer(200, b'{"x":' + b"[" * 100_000, content_type="application/json"),
    "no UTF-8": faults.answer(200, b'{"statements": [], "more": "\xff"}', content_type="application/json"),
    "HTML": faults.answer(200, b"<html>", content_type="text/html"),
    "no type": faults.answer(200, b"{}"),
    "cut multipart": faults.cut_silently,
    "no boundary": faults.answer(200, b"--x--", content_type="multipart/mixed"),
    "first part": faults.answer(200, b"--x\r\n\r\n{}\r\n--x--", content_type="multipart/mixed; boundary=x"),
    "no part": faults.answer(200, b"--x--", content_type="multipart/mixed; boundary=x"),
    "truncated": faults.truncate,
    "promises more": faults.promise_more,
    "lost": faults.lose,
    "500": faults.answer(500),
    "408": faults.answer(408),
    "204": faults.answer(204),
}


@pytest.mark.parametrize("fault", BAD_PAGES.values(), ids=BAD_PAGES.keys())
async def test_a_page_that_is_none_is_broken_and_the_next_try_goes_well(fault: faults.Fault) -> None:
    async with serving() as server, speaking(server) as lrs:
        server.add(make(1))
        server.faults.order(fault)
        with pytest.raises(Broken) as broken:
            await lrs.read_first(None, NOW)

        assert len((await lrs.read_first(None, NOW)).statements) == 1
    assert "127.0.0.1" not in str(broken.value)


async def test_a_page_without_end_costs_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_PAGE", 10**6)
    async with serving() as server, speaking(server) as lrs:
        server.faults.order(faults.pour)
        with pytest.raises(Broken, match="more than 1000000 bytes"):
            await lrs.read_first(None, NOW)


@pytest.mark.parametrize("fault", [faults.hang, faults.trickle])
async def test_a_page_that_never_comes_is_given_up(fault: faults.Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "CALL_S", 0.3)
    async with serving() as server, speaking(server) as lrs:
        server.faults.order(fault)
        with pytest.raises(Broken, match=r"0\.3 s"):
            await lrs.read_first(None, NOW)


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"retry_after": "7"}, 7),
        (503, {"retry_after": "100000000"}, 24 * 3600),
        (503, {}, 60),
        (420, {"retry_after": "0"}, 1),
    ],
)
async def test_an_lrs_may_ask_to_wait(status: int, headers: dict[str, str], wait_s: float) -> None:
    async with serving() as server, speaking(server) as lrs:
        server.faults.order(faults.answer(status, b"", **headers), count=2)
        for ask in (lambda: lrs.read_first(None, NOW), lambda: lrs.post([wire.encode(make(1))], {})):
            with pytest.raises(Busy) as busy:
                await ask()
            assert busy.value.wait_s == wait_s


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 404, 410])
async def test_an_lrs_may_refuse_for_good(status: int) -> None:
    async with serving() as other, serving() as server, speaking(server) as lrs:
        server.faults.order(faults.answer(status, location=other.endpoint), count=2)
        for ask in (lambda: lrs.read_first(None, NOW), lambda: lrs.post([wire.encode(make(1))], {})):
            with pytest.raises(Refused, match=str(status)):
                await ask()

    assert other.requests == []


async def test_wrong_credentials_are_refused() -> None:
    async with serving() as server, speaking(server, password="wrong") as lrs:
        with pytest.raises(Refused, match="credentials"):
            await lrs.read_first(None, NOW)


async def test_an_lrs_that_must_not_be_called_is_refused() -> None:
    client = Client(Rules(), timeout_s=5)
    with pytest.raises(Refused, match="must not be called"):
        async with speak(client, Far("http://127.0.0.1:9/", "a", "b", "1.0.3")):
            pass
    client.close()


async def test_tls_is_verified_for_the_name(tmp_path: Path) -> None:
    tls, trust = make_tls(tmp_path, "lrs.example")
    resolve, _ = resolving(["127.0.0.1"])
    client = Client(Rules(names=frozenset({"lrs.example", "b.example"})), timeout_s=5, tls=trust, resolve=resolve)
    async with serving(tls=tls, host="lrs.example") as server:
        far = Far(server.endpoint, server.username, server.password, "1.0.3")
        async with speak(client, far) as lrs:
            assert await read_all(lrs) == []
        async with speak(client, far._replace(endpoint=far.endpoint.replace("lrs.", "b."))) as lrs:
            with pytest.raises(Broken, match="certificate"):
                await lrs.read_first(None, NOW)
    client.close()


# -- writing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
async def test_statements_are_posted_with_what_is_attached_to_them(version: Any) -> None:
    statement = make(1, attachments=[ATTACHMENT])
    (announced,) = find_announced(statement)
    async with serving() as server, speaking(server, version) as lrs:
        told = await lrs.post([wire.encode(statement), wire.encode(make(2))], {SHA2: Content("text/plain", DATA)})
        assert (told, server.ids) == ("stored", [make(1)["id"], make(2)["id"]])
        assert server.keeping.contents == {SHA2: ("text/plain", DATA)}
        assert await lrs.post([wire.encode(make(3))], {}) == "stored"

        assert await lrs.post([wire.encode(make(4, attachments=[ATTACHMENT]))], {}) == "invalid"
    assert announced["sha2"].lower() == SHA2


async def test_what_an_lrs_says_of_a_batch() -> None:
    async with serving(max_body=2000) as server, speaking(server) as lrs:
        assert await lrs.post([wire.encode(make(1))], {}) == "stored"
        assert await lrs.post([wire.encode(make(1))], {}) == "stored"
        assert await lrs.post([wire.encode(make(1, result={"success": True}))], {}) == "conflict"
        assert await lrs.post([wire.encode(make(2, verb={}))], {}) == "invalid"
        assert await lrs.post([wire.encode(make(number)) for number in range(20)], {}) == "too large"


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'["a", "b"]', b"[1]", b"[" * 100_000])
async def test_success_is_told_by_ids(body: bytes) -> None:
    async with serving() as server, speaking(server) as lrs:
        server.faults.order(faults.answer(200, body))
        with pytest.raises(Broken, match="without the ids"):
            await lrs.post([wire.encode(make(1))], {})


async def test_a_statement_is_found_voided_or_not() -> None:
    about = {"objectType": "StatementRef", "id": make(2)["id"]}
    voiding = make(3, verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object=about)
    async with serving() as server, speaking(server) as lrs:
        server.add(make(1), make(2), voiding)
        found = [await lrs.find(make(number)["id"]) for number in range(5)]
        assert [each and each["id"] for each in found] == [None, *(make(number)["id"] for number in (1, 2, 3)), None]

        for fault in (faults.answer(200, b"[]", content_type="application/json"), faults.answer(500)):
            server.faults.order(fault)
            with pytest.raises(Broken):
                await lrs.find(make(1)["id"])
