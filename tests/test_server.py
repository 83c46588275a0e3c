"""The server layer, over raw sockets: what it lets through, what it refuses, and how it stops."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jobgate.errors import ApiError
from jobgate.protocol import PIPELINE_MAX
from jobgate.server import GatewayServer, build_server
from jobgate.settings import Settings, SettingsError
from jobgate.source import read_proxies, source_of

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

HEAD = b"POST /v1/jobs HTTP/1.1\r\nHost: gate\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"POST /smuggled HTTP/1.1\r\nHost: gate\r\nContent-Length: 0\r\n\r\n"


def post(body: bytes = b"", path: bytes = b"/v1/jobs", headers: bytes = b"") -> bytes:
    return b"POST %s HTTP/1.1\r\nHost: gate\r\n%sContent-Length: %d\r\n\r\n%s" % (path, headers, len(body), body)


class App:
    """Tells what it was asked; some paths do something else."""

    def __init__(self) -> None:
        self.seen: list[Message] = []
        self.body_bytes = 0
        self.progress = asyncio.Condition()
        self.disconnected = asyncio.Event()
        self.held = asyncio.Semaphore(0)
        self.release = asyncio.Event()
        self.has_stopped = False

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self.has_stopped = True
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.seen.append(scope)
        body, more = b"", scope["path"] != "/early"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.disconnected.set()
                return
            body, more = body + message["body"], message["more_body"]
            async with self.progress:
                self.body_bytes = len(body)
                self.progress.notify_all()
        match scope["path"]:
            case "/crash":
                raise ValueError("secret")
            case "/silent":
                return
            case "/broken":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
                await send({"type": "http.response.body", "body": b"half", "more_body": True})
                return
            case "/large":
                await send({"type": "http.response.start", "status": 200})
                gone = asyncio.ensure_future(receive())
                while not gone.done():
                    await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
                    await asyncio.wait([gone], timeout=0)
                self.disconnected.set()
                return
            case "/pieces":
                headers = [(b"content-length", b"300000")]
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"a" * 100_000, "more_body": True})
                await send({"type": "http.response.body", "body": b"b" * 200_000})
                return
            case "/hold":
                self.held.release()
                await self.release.wait()
        text = json.dumps({"path": scope["path"], "length": len(body), "client": scope["client"]}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": text})

    async def received(self, size: int) -> None:
        """Wait until `size` bytes of one body have come."""
        async with asyncio.timeout(5), self.progress:
            await self.progress.wait_for(lambda: self.body_bytes >= size)

    def paths(self) -> list[str]:
        return [scope["path"] for scope in self.seen]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> tuple[int, int]:
        return self.status, self.body["meta"]["code"]


class Peer:
    """One raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()

    async def answer(self) -> Answer:
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:-2])
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(head[0].split(" ")[1]), headers, json.loads(body) if body else None)

    async def is_closed(self) -> bool:
        async with asyncio.timeout(5):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True

    async def refusal(self) -> Answer:
        """The last answer on this connection: an envelope, then the end."""
        answer = await self.answer()
        assert set(answer.body) == {"meta"}
        assert answer.body["meta"]["timestamp"]
        assert answer.body["meta"]["status"] is False
        assert answer.body["meta"]["message"]
        assert answer.body["meta"]["request_uuid"]
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
        assert answer.headers["connection"] == "close"
        assert await self.is_closed()
        return answer


class Gateway:
    """A running server with its app; `connect` opens connections that end with it."""

    def __init__(self, server: GatewayServer, app: App, refusals: list[ApiError], draining: asyncio.Event) -> None:
        self.server = server
        self.app = app
        self.refusals = refusals
        self.draining = draining
        self.peers: list[Peer] = []

    async def connect(self, path: str | None = None, local: str = "127.0.0.1") -> Peer:
        if path is None:
            streams = await asyncio.open_connection("127.0.0.1", self.server.port, local_addr=(local, 0))
        else:
            streams = await asyncio.open_unix_connection(path)
        self.peers.append(Peer(*streams))
        return self.peers[-1]

    async def connect_until_admitted(self) -> Answer:
        """The server hears of an ended connection a moment after its client."""
        async with asyncio.timeout(5):
            while (answer := await self.ask(post())).status == 503:
                pass
        return answer

    async def connect_until_refused(self) -> None:
        async with asyncio.timeout(5):
            while True:
                try:
                    (await self.connect()).writer.close()
                except ConnectionError:
                    return

    async def drain_began(self) -> None:
        async with asyncio.timeout(5):
            await self.draining.wait()

    async def ask(self, *pieces: bytes) -> Answer:
        peer = await self.connect()
        await peer.send(*pieces)
        return await peer.answer()

    async def refused(self, *pieces: bytes) -> Answer:
        peer = await self.connect()
        await peer.send(*pieces)
        return await peer.refusal()


@asynccontextmanager
async def gateway(
    *, uds: str | None = None, sockets: list[socket.socket] | None = None, signals: bool = False, **limits: Any
) -> AsyncIterator[Gateway]:
    app, refusals = App(), list[ApiError]()
    draining = asyncio.Event()
    settings = Settings(**{"stop_delay_s": 0, "stop_grace_s": 5, **limits})
    server = build_server(
        app,
        settings,
        host="127.0.0.1",
        port=0,
        uds=uds,
        sockets=sockets,
        on_drain=draining.set,
        on_refusal=refusals.append,
    )
    serving = asyncio.create_task(server.serve(signals=signals))
    running = Gateway(server, app, refusals, draining)
    async with asyncio.timeout(5):
        await server.started.wait()
    try:
        yield running
    finally:
        app.release.set()
        for peer in running.peers:
            peer.writer.close()
        server.hurry()
        async with asyncio.timeout(5):
            await serving


# -- what is let through -----------------------------------------------------------------------------------------------


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(b"abc"))
        first = await peer.answer()
        await peer.send(post(b"defg"))
        second = await peer.answer()

    assert (first.status, first.body["length"], second.body["length"]) == (200, 3, 4)
    assert "connection" not in first.headers


async def test_answers_carry_the_date_and_no_server_name() -> None:
    async with gateway() as gate:
        answer = await gate.ask(post())
        refusal = await gate.refused(b"nonsense\r\n\r\n")

    assert "date" in answer.headers
    assert "server" not in answer.headers
    assert "date" in refusal.headers
    assert "server" not in refusal.headers


async def test_head_and_body_of_an_answer_leave_together() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post())
        first_segment = await peer.reader.read(65536)

    assert first_segment.endswith(b"}")


async def test_a_large_answer_in_pieces_arrives_whole() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/pieces"))
        head = await peer.reader.readuntil(b"\r\n\r\n")
        body = await peer.reader.readexactly(300_000)

    assert b"content-length: 300000" in head
    assert body == b"a" * 100_000 + b"b" * 200_000


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(b"a", b"/1") + post(b"bc", b"/2") + post(b"def", b"/3"))
        answers = [await peer.answer() for _ in range(3)]

    assert [(answer.body["path"], answer.body["length"]) for answer in answers] == [("/1", 1), ("/2", 2), ("/3", 3)]


async def test_a_request_may_arrive_byte_by_byte() -> None:
    async with gateway() as gate:
        answer = await gate.ask(*[bytes([byte]) for byte in post(b"abc")])

    assert answer.body["length"] == 3


async def test_a_chunked_body_needs_no_length() -> None:
    async with gateway() as gate:
        answer = await gate.ask(CHUNKED, b"3\r\nabc\r\n", b"2;name=value\r\nde\r\n", b"0\r\n\r\n")

    assert answer.body["length"] == 5


async def test_expecting_100_continue_is_told_to_continue() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(HEAD + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        interim = await peer.answer()
        await peer.send(b"abc")
        answer = await peer.answer()

    assert (interim.status, answer.status, answer.body["length"]) == (100, 200, 3)


@pytest.mark.parametrize("wish", [b"h2c", b"websocket"])
async def test_an_upgrade_is_ignored_and_the_body_still_read(wish: bytes) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAMAAABk\r\n" % wish
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(SMUGGLED, headers=upgrade) + post(b"abc"))
        first, second = await peer.answer(), await peer.answer()

    assert (first.status, first.body["length"], second.body["length"]) == (200, len(SMUGGLED), 3)
    assert gate.app.paths() == ["/v1/jobs", "/v1/jobs"]


async def test_an_answer_that_comes_before_the_body_leaves_the_connection_usable() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(HEAD.replace(b"/v1/jobs", b"/early") + b"Content-Length: 6\r\n\r\nabc")
        first = await peer.answer()
        await peer.send(b"def" + post(b"abcd"))
        second = await peer.answer()

    assert (first.body["path"], second.body["length"]) == ("/early", 4)


async def test_http_1_0_needs_no_host_and_is_closed() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
        answer = await peer.answer()

        assert answer.body["length"] == 3
        assert await peer.is_closed()


async def test_a_unix_socket_is_served_and_removed(tmp_path: Path) -> None:
    path = str(tmp_path / "gate.sock")
    async with gateway(uds=path, max_connections_per_source=1) as gate:
        await gate.connect(path)
        peer = await gate.connect(path)
        await peer.send(post())
        answer = await peer.answer()

    assert answer.body["client"] == ["unix", 0]
    assert not Path(path).exists()


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


# -- A4: slowness ------------------------------------------------------------------------------------------------------

SLOW = {
    "slow header": (b"POST / HTTP/1.1\r\nHost: ", 408),
    "half a body": (HEAD + b"Content-Length: 10\r\n\r\nhello", 408),
    "half a chunk": (CHUNKED + b"5\r\nab", 408),
    "silence": (b"", None),
    "silence after an answer": (post(), 200),
    "empty lines": (b"\r\n\r\n", None),
}


@pytest.mark.parametrize(("sent", "status"), SLOW.values(), ids=SLOW)
async def test_a4_a_slow_client_is_closed(sent: bytes, status: int | None) -> None:
    async with gateway(header_timeout_s=0.2, idle_timeout_s=0.2, body_timeout_s=0.2) as gate:
        peer = await gate.connect()
        await peer.send(sent)
        if status == 408:
            refusal = await peer.refusal()
            assert refusal.code == (408, 10000)
        elif status == 200:
            assert (await peer.answer()).status == 200

        assert await peer.is_closed()


async def test_a4_trickling_does_not_prolong_the_time_for_a_header() -> None:
    async with gateway(header_timeout_s=0.2, idle_timeout_s=60) as gate:
        peer = await gate.connect()
        answering = asyncio.create_task(peer.refusal())
        await peer.send(HEAD)
        while not answering.done():
            await peer.send(b"X: 1\r\n")
            await asyncio.wait([answering], timeout=0.05)

    assert answering.result().code == (408, 10000)


async def test_a4_a_body_below_the_rate_is_refused_after_five_seconds() -> None:
    async with gateway(min_body_rate=100, body_timeout_s=60) as gate:
        peer = await gate.connect()
        began_at = asyncio.get_running_loop().time()
        await peer.send(HEAD + b"Content-Length: 1000\r\n\r\n" + b"x" * 550)
        await gate.app.received(550)

        gate.server.sweep(began_at + 5.2)
        assert gate.refusals == []

        gate.server.sweep(began_at + 5.7)
        assert (await peer.refusal()).code == (408, 10000)


async def test_a4_a_large_upload_has_time_in_proportion() -> None:
    async with gateway(max_body=1000, max_upload=2000, body_timeout_s=30, min_body_rate=1) as gate:
        peer = await gate.connect()
        began_at = asyncio.get_running_loop().time()
        await peer.send(b"PUT /uploads/a/1 HTTP/1.1\r\nHost: gate\r\nContent-Length: 2000\r\n\r\n" + b"x" * 1000)
        await gate.app.received(1000)

        gate.server.sweep(began_at + 59)
        assert gate.refusals == []

        gate.server.sweep(began_at + 62)
        assert (await peer.refusal()).code == (408, 10000)


async def test_a4_a_slow_body_is_refused_in_place_of_the_app_and_the_app_is_told() -> None:
    async with gateway(body_timeout_s=0.2) as gate:
        await gate.refused(HEAD + b"Content-Length: 10\r\n\r\nhello")
        async with asyncio.timeout(5):
            await gate.app.disconnected.wait()

    assert [error.code.name for error in gate.refusals] == ["body_timeout"]


async def test_a4_a_client_that_fetches_no_answer_is_closed() -> None:
    async with gateway(idle_timeout_s=0.2) as gate:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", gate.server.port))
            await loop.sock_sendall(client, post(path=b"/large"))
            async with asyncio.timeout(5):
                await gate.app.disconnected.wait()


async def test_a4_many_slow_clients_do_not_hold_up_a_good_one() -> None:
    async with gateway(header_timeout_s=0.3, idle_timeout_s=0.3, body_timeout_s=0.3) as gate:
        slow = [await gate.connect() for _ in range(60)]
        for peer, sent in zip(slow, [b"POST / HT", b"", HEAD + b"Content-Length: 9\r\n\r\nx"] * 20, strict=True):
            await peer.send(sent)
        answer = await gate.ask(post(b"abc"))

        assert answer.status == 200
        for peer in slow:
            await peer.reader.read()
    assert len(gate.refusals) == 40


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


# -- connections -------------------------------------------------------------------------------------------------------


async def test_the_connection_above_the_limit_is_refused_until_another_ends() -> None:
    async with gateway(max_connections=2) as gate:
        first, second = await gate.connect(), await gate.connect()
        await first.send(post())
        await first.answer()
        await second.send(post())
        await second.answer()
        refusal = await gate.refused()
        second.writer.close()
        await second.writer.wait_closed()
        admitted = await gate.connect_until_admitted()

    assert refusal.code == (503, 10000)
    assert refusal.headers["retry-after"] in ("4", "5", "6")
    assert admitted.status == 200


async def test_the_connection_of_one_source_above_the_limit_is_refused() -> None:
    async with gateway(max_connections_per_source=1) as gate:
        peer = await gate.connect()
        await peer.send(post())
        await peer.answer()
        refusal = await gate.refused()
        other = await gate.connect(local="127.0.0.2")
        await other.send(post())
        answer = await other.answer()

    assert refusal.code == (429, 42000)
    assert refusal.headers["retry-after"] in ("4", "5", "6")
    assert answer.status == 200


async def test_connections_through_a_trusted_proxy_are_not_one_source() -> None:
    async with gateway(max_connections_per_source=1, trusted_proxies="127.0.0.1") as gate:
        await gate.connect()
        answer = await gate.ask(post())

    assert answer.status == 200


# -- A27: who is calling -----------------------------------------------------------------------------------------------


async def test_a27_forged_proxy_headers_are_ignored() -> None:
    async with gateway() as gate:
        answer = await gate.ask(post(headers=b"X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n"))

    assert answer.body["client"][0] == "127.0.0.1"


async def test_a27_a_listed_proxy_is_believed_about_the_last_hop_only() -> None:
    async with gateway(trusted_proxies="127.0.0.0/8, 10.0.0.0/8") as gate:
        headers = b"X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\nX-Forwarded-For: 10.1.1.1\r\n"
        answer = await gate.ask(post(headers=headers))

    assert answer.body["client"] == ["203.0.113.9", 0]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "source"),
    [
        ("192.0.2.1", b"203.0.113.9", "", "192.0.2.1"),
        ("192.0.2.1", b"203.0.113.9", "10.0.0.0/8", "192.0.2.1"),
        ("10.0.0.1", b"203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", None, "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", b"1.1.1.1, 203.0.113.9, 10.0.0.2", "10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.1", b"10.0.0.3, 10.0.0.2", "10.0.0.0/8", "10.0.0.3"),
        ("10.0.0.1", b"203.0.113.9, unknown", "10.0.0.0/8", "10.0.0.1"),
        ("10.0.0.1", b"203.0.113.9:4711", "10.0.0.1", "203.0.113.9"),
        ("10.0.0.1", b"[2001:db8::1]:4711", "10.0.0.1", "2001:db8::1"),
        ("::ffff:10.0.0.1", b"203.0.113.9", "10.0.0.0/8", "203.0.113.9"),
        ("fe80::1%eth0", b"2001:DB8:0::1", "fe80::/10", "2001:db8::1"),
        ("10.0.0.1", b"203.0.113.9, " + b"10.0.0.2, " * 5000 + b"10.0.0.2", "10.0.0.0/8", "10.0.0.2"),
        (None, b"203.0.113.9", "", "unix"),
        (None, b"203.0.113.9", "unix", "203.0.113.9"),
        ("", b"203.0.113.9", "10.0.0.0/8", ""),
    ],
)
def test_the_source_is_the_last_address_that_no_trusted_proxy_has(
    peer: str | None, forwarded: bytes | None, trusted: str, source: str
) -> None:
    assert source_of(peer, forwarded, read_proxies(trusted)) == source


def test_a_trusted_proxy_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="JOBGATE_TRUSTED_PROXIES"):
        build_server(App(), Settings(trusted_proxies="10.0.0.0/8, proxy.example"), host="127.0.0.1", port=0)


# -- errors of the app -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [b"/crash", b"/silent"])
async def test_an_app_that_fails_to_answer_is_an_internal_error_in_the_envelope(path: bytes) -> None:
    async with gateway() as gate:
        refusal = await gate.refused(post(path=path))

    assert refusal.code == (500, 10000)
    assert "secret" not in json.dumps(refusal.body)


async def test_an_app_that_breaks_off_its_answer_is_cut_off() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/broken"))

        assert (await peer.reader.read()).endswith(b"half")


# -- stopping ----------------------------------------------------------------------------------------------------------


async def test_a_stop_lets_running_requests_finish() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold"))
        await gate.app.held.acquire()
        stopping = asyncio.create_task(gate.server.stop())
        await gate.connect_until_refused()
        gate.app.release.set()
        answer = await peer.answer()

        assert answer.status == 200
        assert answer.headers["connection"] == "close"
        assert await peer.is_closed()
        async with asyncio.timeout(5):
            await stopping
    assert gate.draining.is_set()
    assert gate.app.has_stopped


async def test_a_stop_keeps_serving_for_the_delay_and_asks_clients_to_leave() -> None:
    async with gateway(stop_delay_s=60) as gate:
        idle = await gate.connect()
        stopping = asyncio.create_task(gate.server.stop())
        await gate.drain_began()
        answer = await gate.ask(post())
        gate.server.hurry()
        async with asyncio.timeout(5):
            await stopping

        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await idle.is_closed()


async def test_a_request_that_outlasts_the_grace_is_answered_503() -> None:
    async with gateway(stop_grace_s=0.2) as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold"))
        await gate.app.held.acquire()
        async with asyncio.timeout(5):
            await gate.server.stop()
        refusal = await peer.refusal()

    assert refusal.code == (503, 10000)
    assert "retry-after" in refusal.headers


async def test_a_head_that_was_begun_before_the_stop_is_still_served() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post()[:10])
        await gate.ask(post())
        stopping = asyncio.create_task(gate.server.stop())
        await gate.drain_began()
        await peer.send(post()[10:])
        answer = await peer.answer()
        async with asyncio.timeout(5):
            await stopping

    assert answer.status == 200


async def test_a_second_signal_skips_the_waits() -> None:
    async with gateway(signals=True, stop_delay_s=60, stop_grace_s=60) as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold"))
        await gate.app.held.acquire()
        os.kill(os.getpid(), signal.SIGTERM)
        await gate.drain_began()
        os.kill(os.getpid(), signal.SIGINT)
        refusal = await peer.refusal()
        async with asyncio.timeout(5):
            await gate.server.stop()

    assert refusal.code == (503, 10000)


async def test_two_servers_run_in_one_loop_and_stop_apart() -> None:
    async with gateway() as one, gateway() as two:
        async with asyncio.timeout(5):
            await one.server.stop()
        answer = await two.ask(post())

    assert answer.status == 200


async def test_an_app_that_does_not_start_stops_the_server() -> None:
    async def broken(scope: Message, receive: Receive, send: Send) -> None:
        raise ValueError("no database")

    server = build_server(broken, Settings(), host="127.0.0.1", port=0)

    with pytest.raises(RuntimeError, match="did not start"):
        await server.serve()


async def test_bound_sockets_may_be_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        async with gateway(sockets=[bound]) as gate:
            answer = await gate.ask(post())

            assert gate.server.port == bound.getsockname()[1]
    assert answer.status == 200
