"""Listeners for tests of push: small real HTTP servers that take what comes, and answer well or badly."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from jobgate import wire

WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Post:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """What is the same at every try."""
        return self.headers["webhook-id"]

    @property
    def record(self) -> Any:
        """The body, read."""
        return wire.decode(self.body, Any)


Answer = Callable[[Post, asyncio.StreamWriter], Awaitable[None]]


def answering(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer every request alike."""
    lines = [f"HTTP/1.1 {status} Said", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"

    async def answer(post: Post, writer: asyncio.StreamWriter) -> None:
        writer.write(head + body)

    return answer


@dataclass(slots=True)
class Listener:
    """A server on 127.0.0.1; `answer` may be replaced at any time."""

    port: int = 0
    scheme: str = "http"
    answer: Answer = field(default_factory=lambda: answering(204))
    keeps: bool = False
    """Connections stay open after an answer."""
    posts: list[Post] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    _open: int = 0
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """The ids of all that came, in order."""
        return [post.id for post in self.posts]

    async def until(self, count: int) -> list[Post]:
        """Wait until so many requests came; all of them."""
        async with asyncio.timeout(WITHIN_S), self._came:
            await self._came.wait_for(lambda: len(self.posts) >= count)
        return self.posts

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; one request, unless it keeps."""
        self.connections += 1
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        with suppress(OSError, asyncio.IncompleteReadError):
            try:
                await self._answer_one(reader, writer)
                while self.keeps:
                    await self._answer_one(reader, writer)
            finally:
                self._open -= 1
                writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        post = await _read(reader)
        self.posts.append(post)
        async with self._came:
            self._came.notify_all()
        await self.answer(post, writer)
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Post:
    line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in rest)}
    return Post(line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


@asynccontextmanager
async def listening(
    answer: Answer | None = None, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Listener]:
    """A listener while the block runs; connections that are still open then are cut."""
    listener = Listener(scheme="https" if tls else "http")
    if answer is not None:
        listener.answer = answer
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(listener.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, host, port, ssl=tls)
    listener.port = server.sockets[0].getsockname()[1]
    try:
        yield listener
    finally:
        server.close()
        for task in serving:
            task.cancel()
        if serving:
            await asyncio.wait(serving)


# -- traps ---------------------------------------------------------------------------------------------------------


async def hang(post: Post, writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await asyncio.Event().wait()


async def trickle_head(post: Post, writer: asyncio.StreamWriter) -> None:
    """A header that never ends, a byte now and then."""
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.05)


async def trickle_body(post: Post, writer: asyncio.StreamWriter) -> None:
    """A body that would take days."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b"y")
        await writer.drain()
        await asyncio.sleep(0.05)


async def break_off(post: Post, writer: asyncio.StreamWriter) -> None:
    """Half an answer."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")


async def talk_nonsense(post: Post, writer: asyncio.StreamWriter) -> None:
    """No HTTP."""
    writer.write(b"+PONG\r\n" * 10)


async def pour_headers(post: Post, writer: asyncio.StreamWriter) -> None:
    """Headers without end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x: " + b"y" * 10_000 + b"\r\n")
        await writer.drain()


async def pour_body(post: Post, writer: asyncio.StreamWriter) -> None:
    """A body without end."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"y" * 65536)
        await writer.drain()


# -- TLS -----------------------------------------------------------------------------------------------------------


def make_tls(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for `name`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / f"{name}.pem"
    file.write_bytes(secret + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())
