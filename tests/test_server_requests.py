"""Requests that the server layer refuses: methods, framing, sizes and bodies (abuse rows A1, A2, A3, A5)."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from jobgate.protocol import PIPELINE_MAX
from tests.raw_gateway import CHUNKED, HEAD, SMUGGLED, gateway, post

# -- A1: methods -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [b"BREW /", b"post /", b"DESCRIBE /", b"X-Y /", b"POSTS /", b"CONNECT gate:1"])
async def test_a1_an_unknown_method_is_405_with_allow(start: bytes) -> None:
    async with gateway() as gate:
        refusal = await gate.refused(post().replace(b"POST /v1/jobs", start) + SMUGGLED)

    assert refusal.code == (405, 40001)
    assert refusal.headers["allow"] == "POST"
    assert gate.app.seen == []


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "OPTIONS", "TRACE"])
async def test_a1_a_known_method_is_left_to_the_app(method: str) -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(b"%s / HTTP/1.1\r\nHost: gate\r\nConnection: close\r\n\r\n" % method.encode())
        answer = await peer.reader.read()

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert [scope["method"] for scope in gate.app.seen] == [method]


# -- A2: requests that cannot be told from the next one ----------------------------------------------------------------

MALFORMED = {
    "both lengths": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both lengths, the other way": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two equal lengths": HEAD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths in one": HEAD + b"Content-Length: 3, 3\r\n\r\nabc",
    "plus": HEAD + b"Content-Length: +3\r\n\r\nabc",
    "minus": HEAD + b"Content-Length: -1\r\n\r\nabc",
    "hex": HEAD + b"Content-Length: 0x3\r\n\r\nabc",
    "full-width digit": HEAD + "Content-Length: \uff13\r\n\r\nabc".encode(),
    "overflow": HEAD + b"Content-Length: 99999999999999999999\r\n\r\nabc",
    "empty length": HEAD + b"Content-Length:\r\n\r\nabc",
    "unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding before chunked": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    "chunk size with sign": CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n",
    "chunk size overflow": CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "chunk longer than said": CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n",
    "chunk ends with LF": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "length in trailer": CHUNKED + b"0\r\nContent-Length: 3\r\n\r\n",
    "space before colon": HEAD + b"X : 1\r\n\r\n",
    "bare LF": HEAD.replace(b"\r\n", b"\n") + b"\n",
    "bare LF after a header": HEAD + b"X: 1\n\r\n",
    "bare CR": HEAD + b"X: 1\rY: 2\r\n\r\n",
    "folded header": HEAD + b"X: 1\r\n 2\r\n\r\n",
    "NUL in a value": HEAD + b"X: a\0b\r\n\r\n",
    "NUL in a name": HEAD + b"X\0: a\r\n\r\n",
    "NUL in the path": post(path=b"/\0"),
    "no Host": b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "two Hosts": post(headers=b"Host: gate\r\n"),
    "HTTP/0.9": b"POST /\r\n\r\n",
    "HTTP/0.9 said aloud": post().replace(b"/1.1", b"/0.9"),
    "HTTP/1.2": post().replace(b"/1.1", b"/1.2"),
    "HTTP/2": post().replace(b"/1.1", b"/2.0"),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no path": post(path=b"http://gate"),
    "raw UTF-8 in the path": post(path="/é".encode()),
}


@pytest.mark.parametrize("request_bytes", MALFORMED.values(), ids=MALFORMED)
async def test_a2_a_malformed_request_is_400_and_a_smuggled_one_is_never_served(request_bytes: bytes) -> None:
    async with gateway() as gate:
        refusal = await gate.refused(request_bytes + SMUGGLED)

    assert refusal.code == (400, 41000)
    assert "/smuggled" not in gate.app.paths()


async def test_a_refusal_waits_for_the_answers_before_it() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold") + post(path=b"/2") + MALFORMED["both lengths"] + SMUGGLED)
        await gate.app.held.acquire()
        gate.app.release.set()
        answers = [await peer.answer(), await peer.answer()]
        refusal = await peer.refusal()

    assert [answer.body["path"] for answer in answers] == ["/hold", "/2"]
    assert refusal.code == (400, 41000)
    assert gate.app.paths() == ["/hold", "/2"]


async def test_a_queued_request_with_a_bad_body_is_refused_in_its_turn() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold") + MALFORMED["chunk size with sign"] + SMUGGLED)
        await gate.app.held.acquire()
        gate.app.release.set()
        answer, refusal = await peer.answer(), await peer.refusal()

    assert (answer.body["path"], refusal.code) == ("/hold", (400, 41000))
    assert gate.app.paths() == ["/hold"]


async def test_more_requests_ahead_of_their_answers_than_allowed_are_refused_in_their_turn() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold") + post() * (PIPELINE_MAX + 1))
        await gate.app.held.acquire()
        gate.app.release.set()
        answers = [await peer.answer() for _ in range(1 + PIPELINE_MAX)]
        refusal = await peer.refusal()

    assert {answer.status for answer in answers} == {200}
    assert refusal.code == (400, 20002)


# -- A3: sizes ---------------------------------------------------------------------------------------------------------


def line_of(size: int) -> bytes:
    return post().replace(b"/v1/jobs", b"/" * (size - len("POST  HTTP/1.1")), 1)


def headers_of(size: int) -> bytes:
    frame = b"POST / HTTP/1.1\r\nHost: gate\r\nX: %s\r\n\r\n"
    return frame % (b"x" * (size - len("Host: gate\r\nX: \r\n")))


def headers_counting(count: int) -> bytes:
    return HEAD + b"".join(b"X-%d: 1\r\n" % index for index in range(count - 1)) + b"\r\n"


def chunks_of(size: int) -> bytes:
    return CHUNKED + b"%x\r\n%s\r\n" % (size - 1, b"x" * (size - 1)) + b"1\r\nx\r\n0\r\n\r\n"


LIMITS = [
    ("max_request_line", 100, line_of, (414, 20002)),
    ("max_header_bytes", 200, headers_of, (431, 20002)),
    ("max_headers", 5, headers_counting, (431, 20002)),
    ("max_body", 1000, lambda size: post(b"x" * size), (400, 20002)),
    ("max_body", 1000, chunks_of, (400, 20002)),
    (
        "max_upload",
        1000,
        lambda size: post(b"x" * size).replace(b"POST /v1/jobs", b"PUT /uploads/abc/1"),
        (400, 20002),
    ),
]


@pytest.mark.parametrize(("setting", "limit", "make", "code"), LIMITS, ids=[f"{x[0]}-{x[2].__name__}" for x in LIMITS])
async def test_a3_a_limit_holds_to_the_byte(
    setting: str, limit: int, make: Callable[[int], bytes], code: tuple[int, int]
) -> None:
    limits: dict[str, Any] = {"max_body": 500, setting: limit}
    async with gateway(**limits) as gate:
        answer = await gate.ask(make(limit))
        refusal = await gate.refused(make(limit + 1))

    assert answer.status == 200
    assert refusal.code == code
    assert [error.code.status for error in gate.refusals] == [code[0]]


async def test_a3_a_path_like_an_upload_gets_no_more_by_another_method() -> None:
    async with gateway(max_body=10) as gate:
        refusal = await gate.refused(post(b"x" * 11, b"/uploads/abc/1"))

    assert refusal.code == (400, 20002)


FLOODS = {
    "20 MB header": (HEAD + b"X: ", b"x" * 65536, 320, (431, 20002)),
    "10,000 headers": (HEAD, b"X: 1\r\n" * 100, 100, (431, 20002)),
    "1 MB URL": (b"POST /", b"x" * 65536, 16, (414, 20002)),
    "1 MB chunk extension": (CHUNKED + b"3;", b"x" * 65536, 16, (400, 41000)),
    "1 MB of trailers": (CHUNKED + b"0\r\n", b"X: 1\r\n" * 10000, 16, (400, 41000)),
    "1 MB chunk size": (CHUNKED, b"0" * 65536, 16, (400, 41000)),
    "20 MB body without length": (CHUNKED, b"10000\r\n%s\r\n" % (b"x" * 65536), 320, (400, 20002)),
}


@pytest.mark.parametrize(("head", "piece", "count", "code"), FLOODS.values(), ids=FLOODS)
async def test_a3_a_flood_is_refused_in_flat_memory(
    head: bytes, piece: bytes, count: int, code: tuple[int, int]
) -> None:
    async with gateway(max_body=100_000) as gate:
        tracemalloc.start()
        try:
            refusal = await gate.refused(head, *[piece] * count)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert refusal.code == code
    assert peak < 3_000_000


async def test_a3_trailers_never_appear_as_headers() -> None:
    async with gateway() as gate:
        await gate.ask(CHUNKED + b"3\r\nabc\r\n0\r\nX-Trailer: 1\r\nHost: evil\r\n\r\n")

    assert [name for name, _ in gate.app.seen[0]["headers"]] == [b"host", b"transfer-encoding"]


# -- A5: bodies --------------------------------------------------------------------------------------------------------


async def test_a5_a_body_above_the_limit_is_refused_before_it_is_read() -> None:
    async with gateway(max_body=1000) as gate:
        announced = await gate.refused(HEAD + b"Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n")
        seen_before = list(gate.app.seen)
        unannounced = await gate.refused(CHUNKED + b"400\r\n" + b"x" * 1001)

    assert announced.code == unannounced.code == (400, 20002)
    assert seen_before == []


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"identity, gzip"])
async def test_a5_a_compressed_body_is_refused(coding: bytes) -> None:
    async with gateway() as gate:
        refusal = await gate.refused(post(b"abc", headers=b"Content-Encoding: %s\r\n" % coding))

    assert refusal.code == (400, 41000)
    assert gate.app.seen == []


async def test_a5_identity_is_no_compression() -> None:
    async with gateway() as gate:
        answer = await gate.ask(post(b"abc", headers=b"Content-Encoding: Identity\r\n"))

    assert answer.status == 200
