"""The one HTTP client that calls what users name.

A name is resolved once a connection; every address that it has is judged, and one of those is connected to: a name that
answers differently the next time changes nothing. `lines` says how calls are made.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import httpcore2

from jobgate.outbound.addresses import Address, Rules, read_address
from jobgate.outbound.answers import Answer
from jobgate.outbound.lines import CONNECT_S, Call, Line, Unreachable
from jobgate.outbound.urls import Place, read_url

MAX_ANSWER = 64 * 1024
"""Bytes of the answer to a push that are read; what comes after them is cut off."""

_RESOLVERS = 32
"""Threads that may wait for name servers at once: one that does not answer holds its thread for seconds."""

_OWN_KEPT_S = 60.0

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class Client:
    """Calls places that the rules allow. `tls` and `resolve` replace the system's trust and name service."""

    def __init__(
        self,
        rules: Rules,
        *,
        timeout_s: float,
        tls: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self.rules = rules
        self.timeout_s = timeout_s
        self._tls = tls or httpcore2.default_ssl_context()
        self._threads = ThreadPoolExecutor(_RESOLVERS, "resolve")
        self._resolve = resolve or self._ask_system
        self._own: tuple[float, frozenset[Address]] = (-_OWN_KEPT_S, frozenset())

    def close(self) -> None:
        """Let the threads go; a look-up that is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post `body` as JSON. Raises `Forbidden`, or `Unreachable` when there was no whole answer in time.

        Of a long answer the beginning is read.
        """
        headers = {"content-type": "application/json", **headers}
        return await self._ask_once(url, Call("POST", body, headers, MAX_ANSWER, cuts=True))

    async def call(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        max_answer: int,
        timeout_s: float | None = None,
    ) -> Answer:
        """Ask once, over a connection of its own, and read the whole answer.

        Raises `Forbidden`, or `Unreachable` when there was no whole answer in time, or `TooLarge`.
        """
        return await self._ask_once(url, Call(method, body, headers or {}, max_answer), timeout_s)

    @asynccontextmanager
    async def keep(self, url: str) -> AsyncIterator[Line]:
        """A line to the place of `url` while the block runs: its calls share a connection as long as it holds.

        It must not be shared between organisations. Raises `Forbidden`.
        """
        line = self._make_line(read_url(url, self.rules))
        try:
            yield line
        finally:
            await line.close()

    async def find_addresses(self, place: Place) -> Sequence[Address]:
        """The addresses of a place, every one judged; raises `Forbidden` or `Unreachable`."""
        literal = read_address(place.host)
        if literal is not None:
            return [literal]
        try:
            async with asyncio.timeout(CONNECT_S):
                found = await self._resolve(place.host, place.port)
        except (OSError, UnicodeError):
            raise Unreachable("the name cannot be resolved") from None
        if not self.rules.lists_name(place.host):
            own = await self._own_addresses()
            for address in found:
                self.rules.require_address(address, own)
        return found

    async def _ask_once(self, url: str, call: Call, timeout_s: float | None = None) -> Answer:
        place = read_url(url, self.rules)
        return await self._make_line(place).ask(place, call, timeout_s=timeout_s, keeps=False)

    def _make_line(self, place: Place) -> Line:
        return Line(place, self.rules, self.find_addresses, self._tls, self.timeout_s)

    async def _own_addresses(self) -> frozenset[Address]:
        """Where our own servers' names lead, looked up once in a while."""
        looked_at, own = self._own
        if time.monotonic() - looked_at >= _OWN_KEPT_S:
            names = [name for name in self.rules.own if read_address(name) is None]
            found = await asyncio.gather(*(self._resolve(name, 0) for name in names), return_exceptions=True)
            own = frozenset(address for each in found if not isinstance(each, BaseException) for address in each)
            self._own = time.monotonic(), own
        return own

    async def _ask_system(self, host: str, port: int) -> Sequence[Address]:
        loop = asyncio.get_running_loop()
        rows = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        found = (read_address(str(row[4][0]).partition("%")[0]) for row in rows)
        return [address for address in dict.fromkeys(found) if address is not None]
