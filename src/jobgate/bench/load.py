"""A load generator: a few connections that always have one request under way.

It must cost less than what it measures, so a request is prepared bytes and an answer is read no further than its
length and its status.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

CONNECTIONS = 16
LAST_ANSWERS_S = 30.0
"""How long the end waits for answers that are due."""


class UnexpectedAnswer(Exception):
    """A server answered otherwise than the bench is about; the text has the answer."""


@dataclass(frozen=True, slots=True)
class Load:
    """What was answered, and how long that took."""

    answers: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def build_post(path: str, body: bytes, content_type: str) -> bytes:
    """One request, as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def put_load(
    port: int, requests: Iterator[bytes], *, status: int, seconds: float = float("inf"), awake: bool = False
) -> Load:
    """Send `requests` until they or `seconds` run out. Raises `UnexpectedAnswer` for any other status than `status`.

    `awake`: never sleep. The wake-up of a client is charged to the server's write, and the slower the server, the more
    of them; but without a second core to itself, a client that never sleeps takes time away from what is measured.
    """
    loop = asyncio.get_running_loop()
    lines = [_Line(requests, b" %d " % status, time.perf_counter() + seconds) for _ in range(CONNECTIONS)]
    started = time.perf_counter()
    for line in lines:
        await loop.create_connection(partial(_itself, line), "127.0.0.1", port)
    all_ended = asyncio.gather(*(line.ended for line in lines))
    async with asyncio.timeout(min(seconds, 3600) + LAST_ANSWERS_S):
        while awake and not all_ended.done():  # noqa: ASYNC110  # an event would let the loop sleep
            await asyncio.sleep(0)
        await all_ended
    return Load(sum(line.answers for line in lines), time.perf_counter() - started)


def _itself(line: _Line) -> _Line:
    return line


class _Line(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, requests: Iterator[bytes], status: bytes, until: float) -> None:
        self.requests = requests
        self.status = status
        self.until = until
        self.answers = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._received = b""
        self._expected = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # what a stream gets
        self._transport = transport
        self._send()

    def _send(self) -> None:
        request = next(self.requests, None) if time.perf_counter() < self.until else None
        if request is None:
            self.ended.set_result(None)
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        if not self._expected:
            head = received.find(b"\r\n\r\n")
            if head < 0:
                return
            if received[8:13] != self.status:
                self._fail(received)
                return
            place = received.find(b"content-length: ", 0, head) + 16
            self._expected = head + 4 + int(received[place : received.find(b"\r\n", place)])
        if len(received) >= self._expected:
            self.answers += 1
            self._received = b""
            self._expected = 0
            self._send()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.ended.done():
            self._fail(self._received)

    def _fail(self, received: bytes) -> None:
        self._transport.close()
        if not self.ended.done():
            self.ended.set_exception(UnexpectedAnswer(received.decode(errors="replace") or "the connection was closed"))
