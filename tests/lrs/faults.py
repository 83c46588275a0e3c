"""Faults to order: instead of an answer, something that a client has to survive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.lrs.http import Request, Response

Fault = Callable[[Response, asyncio.StreamWriter], Awaitable[Response | None]]
"""Gets what would be answered; gives what is answered instead, or writes itself, and the connection is closed."""


@dataclass(slots=True)
class Order:
    """A fault, and the requests that get it."""

    fault: Fault
    when: str
    first: int
    count: int
    seen: int = 0

    def fits(self, request: Request, resource: str) -> bool:
        """Whether it is this request's turn."""
        if self.when not in (f"{request.method} {resource}", request.method, "any"):
            return False
        self.seen += 1
        return self.first <= self.seen < self.first + self.count


@dataclass(slots=True)
class Orders:
    """All orders; the first that fits is taken."""

    orders: list[Order] = field(default_factory=list)

    def order(self, fault: Fault, *, when: str = "any", number: int = 1, count: int = 1) -> None:
        """Let so many of such requests fail, from this number on, counted from now: `GET statements`, `POST`, `any`."""
        self.orders.append(Order(fault, when, number, count))

    def find(self, request: Request, resource: str) -> Fault | None:
        """What happens to a request."""
        fitting = [order.fault for order in self.orders if order.fits(request, resource)]
        return fitting[0] if fitting else None


class Instead:
    """Another answer, and nothing was done."""

    def __init__(self, response: Response) -> None:
        self.response = response

    async def __call__(self, _: Response, __: asyncio.StreamWriter) -> Response:
        """The answer."""
        return self.response


def answer(status: int, body: bytes = b"", **headers: str) -> Fault:
    """Another answer, and nothing was done: `answer(429, retry_after="5")`."""
    return Instead(Response(status, body, {name.replace("_", "-"): value for name, value in headers.items()}))


async def truncate(response: Response, writer: asyncio.StreamWriter) -> None:
    """Half of it, then the connection is closed."""
    text = response.write()
    writer.write(text[: len(text) - len(response.body) // 2 - 1])


async def cut_silently(response: Response, writer: asyncio.StreamWriter) -> Response:
    """Half of it, and a length that says it is whole."""
    return Response(response.status, response.body[: len(response.body) // 2], response.headers)


async def promise_more(response: Response, writer: asyncio.StreamWriter) -> None:
    """A length that is larger than what comes."""
    head, _, body = response.write().partition(b"\r\n\r\n")
    longer = head.replace(f"content-length: {len(body)}".encode(), f"content-length: {len(body) + 10}".encode())
    writer.write(longer + b"\r\n\r\n" + body)


async def lose(response: Response, writer: asyncio.StreamWriter) -> None:
    """It was done, and nobody is told."""


async def hang(response: Response, writer: asyncio.StreamWriter) -> None:
    """Nothing, for ever."""
    await asyncio.Event().wait()


async def trickle(response: Response, writer: asyncio.StreamWriter) -> None:
    """Byte by byte, so slowly that it never ends."""
    for byte in response.write():
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.1)


async def pour(response: Response, writer: asyncio.StreamWriter) -> None:
    """A page that does not end."""
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"statements": [')
    while True:
        writer.write(b"0," * 32768)
        await writer.drain()
