"""Calls of any method, whole answers, and lines: several calls over one connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from jobgate.outbound import Client, Forbidden, Rules, TooLarge, Unreachable
from tests.listeners import Answer, Post, answering, break_off, hang, listening, make_tls, pour_body, trickle_body
from tests.outbound.names import resolving

MAX = 1000


@asynccontextmanager
async def opened(**options: object) -> AsyncIterator[Client]:
    """A client that may call 127.0.0.1."""
    rules = Rules(http=True, networks=(ip_network("127.0.0.1/32"),), names=frozenset({"lrs.example"}))
    client = Client(rules, timeout_s=5, **options)  # type: ignore[arg-type]  # what a test gives, a client takes
    try:
        yield client
    finally:
        client.close()


async def test_any_method_is_asked_and_answered_with_status_headers_and_body() -> None:
    async with listening(answering(404, b"none", x_said="a", etag='"b"')) as listener, opened() as client:
        answer = await client.call("DELETE", listener.url + "?a=b", headers={"If-Match": '"b"'}, max_answer=MAX)

    (post,) = listener.posts
    assert (answer.status, answer.body, answer.headers["x-said"], answer.headers["etag"]) == (404, b"none", "a", '"b"')
    assert (post.line, post.body, post.headers["if-match"]) == ("DELETE /hook?a=b HTTP/1.1", b"", '"b"')
    assert "content-length" not in post.headers
    assert "content-type" not in post.headers


async def test_a_body_goes_with_its_length_and_headers_of_ours_cannot_be_replaced() -> None:
    async with listening() as listener, opened() as client:
        headers = {"Content-Type": "text/plain", "Host": "other.example", "Content-Length": "3", "Connection": "x"}
        await client.call("PUT", listener.url, b"five!", headers, max_answer=MAX)

    (post,) = listener.posts
    assert (post.body, post.headers["content-type"], post.headers["content-length"]) == (b"five!", "text/plain", "5")
    assert (post.headers["host"], post.headers["connection"]) == (f"127.0.0.1:{listener.port}", "close")


async def test_a_header_that_came_twice_has_both_values() -> None:
    async def answer(post: Post, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2\r\ncontent-length: 0\r\n\r\n")

    async with listening(answer) as listener, opened() as client:
        assert (await client.call("GET", listener.url, max_answer=MAX)).headers["x-a"] == "1, 2"


async def test_an_answer_may_have_as_many_bytes_as_were_asked_for_and_no_more() -> None:
    async with listening(answering(200, b"x" * MAX)) as listener, opened() as client:
        assert len((await client.call("GET", listener.url, max_answer=MAX)).body) == MAX
        with pytest.raises(TooLarge, match="more than 999 bytes"):
            await client.call("GET", listener.url, max_answer=MAX - 1)
        listener.answer = pour_body
        with pytest.raises(TooLarge):
            await client.call("GET", listener.url, max_answer=MAX)


@pytest.mark.parametrize(("answer", "why"), [(break_off, "no HTTP"), (trickle_body, "0.3 s"), (hang, "0.3 s")])
async def test_half_an_answer_is_none(answer: Answer, why: str) -> None:
    async with listening(answer) as listener, opened() as client:
        with pytest.raises(Unreachable, match=why):
            await client.call("GET", listener.url, max_answer=MAX, timeout_s=0.3)


async def test_calls_of_a_line_share_a_connection(tmp_path: Path) -> None:
    server, trust = make_tls(tmp_path, "lrs.example")
    resolve, asked = resolving(["127.0.0.1"], ["127.0.0.2"])
    async with listening(answering(200, b"x"), tls=server) as listener, opened(tls=trust, resolve=resolve) as client:
        listener.keeps = True
        url = f"https://lrs.example:{listener.port}/"
        async with client.keep(url) as line:
            for place in ("a", "b?c=d", "e"):
                assert (await line.call("GET", url + place, max_answer=MAX)).body == b"x"

    assert (listener.connections, len(listener.posts), asked) == (1, 3, ["lrs.example"])
    assert [post.line for post in listener.posts][1] == "GET /b?c=d HTTP/1.1"


async def test_a_line_opens_another_connection_when_the_first_was_closed() -> None:
    closing = answering(200, b"x", connection="close")
    async with listening(closing) as listener, opened() as client, client.keep(listener.url) as line:
        await line.call("GET", listener.url, max_answer=MAX)
        await line.call("GET", listener.url, max_answer=MAX)

    assert listener.connections == 2


async def test_a_line_judges_the_name_again_for_every_connection() -> None:
    resolve, _ = resolving(["127.0.0.1"], ["10.0.0.1"])
    rules = Rules(http=True, networks=(ip_network("127.0.0.1/32"),))
    client = Client(rules, timeout_s=5, resolve=resolve)
    async with client.keep("http://lrs.example/") as line:
        with pytest.raises(Unreachable):  # nobody listens on port 80
            await line.call("GET", "http://lrs.example/", max_answer=MAX)
        with pytest.raises(Forbidden, match="not public"):
            await line.call("GET", "http://lrs.example/", max_answer=MAX)
    client.close()


@pytest.mark.parametrize("trap", [hang, break_off, trickle_body, pour_body])
async def test_a_line_goes_on_after_a_trap_with_a_connection_that_has_nothing_of_it(trap: Answer) -> None:
    async with listening(trap) as listener, opened() as client:
        listener.keeps = True
        async with client.keep(listener.url) as line:
            with pytest.raises(Unreachable):
                await line.call("GET", listener.url, max_answer=MAX, timeout_s=0.3)
            listener.answer = answering(200, b"x")
            assert (await line.call("GET", listener.url, max_answer=MAX)).body == b"x"

    assert listener.connections == 2


@pytest.mark.parametrize(
    "other", ["http://127.0.0.1:1/hook", "https://127.0.0.1:{port}/", "http://lrs.example:{port}/"]
)
async def test_a_line_leads_to_one_place_only(other: str) -> None:
    async with listening() as listener, opened() as client, client.keep(listener.url) as line:
        with pytest.raises(Forbidden, match="another scheme, host or port"):
            await line.call("GET", other.format(port=listener.port), max_answer=MAX)

    assert listener.connections == 0


async def test_a_head_has_no_body_whatever_its_length_says() -> None:
    async def answer(post: Post, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")

    async with listening(answer) as listener, opened() as client:
        listener.keeps = True
        async with client.keep(listener.url) as line:
            answers = [await line.call("HEAD", listener.url, max_answer=MAX) for _ in range(2)]

    assert ([each.body for each in answers], listener.connections) == ([b"", b""], 1)
