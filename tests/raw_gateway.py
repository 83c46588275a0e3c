"""A server on a raw socket for the tests of the server layer: a small app, peers that say anything, and the limits."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from jobgate.errors import ApiError
from jobgate.server import GatewayServer, build_server
from jobgate.settings import Settings

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
            await asyncio.gather(*(peer.writer.wait_closed() for peer in running.peers), return_exceptions=True)
