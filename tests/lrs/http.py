"""HTTP/1.1 as far as an LRS needs it: requests with bodies, answers with lengths, connections that stay open."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def params(self) -> dict[str, str]:
        """The query; of a name that stands twice the last."""
        return dict(self.query)


@dataclass(slots=True)
class Response:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def write(self, *, with_body: bool = True) -> bytes:
        """As it goes over the wire."""
        lines = [f"HTTP/1.1 {self.status} Said", f"content-length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (self.body if with_body else b"")


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[Response | None]]
"""Answers a request, or writes something else itself: then the connection is closed."""


@asynccontextmanager
async def listening(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on 127.0.0.1 while the block runs; the port."""
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(_serve(reader, writer, answer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        try:
            while True:
                request = await _read(reader)
                response = await answer(request, writer)
                if response is None:
                    break
                writer.write(response.write(with_body=request.method != "HEAD"))
                await writer.drain()
                if request.headers.get("connection", "").lower() == "close":
                    break
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Request:
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
    method, target, _ = line.split(" ")
    pairs = (each.split(":", 1) for each in rest)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    parts = urlsplit(target)
    return Request(method, unquote(parts.path), parse_qsl(parts.query, keep_blank_values=True), headers, body)
