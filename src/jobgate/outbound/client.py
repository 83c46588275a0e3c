"""The one HTTP client that calls what users name.

A name is resolved once; every address that it has is judged, and one of those is connected to, with the name in SNI and
Host: a name that answers differently the next time changes nothing. One connection per call. No redirects, proxies,
cookies, compression; an answer is read up to a limit, and everything together has to be over in time.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpcore2

from jobgate import __version__
from jobgate.outbound.addresses import Address, Rules, read_address
from jobgate.outbound.urls import Place, read_url

CONNECT_S = 5.0
MAX_ANSWER = 64 * 1024
"""Bytes of an answer that are read; what comes after them is cut off."""

_MAX_ADDRESSES = 4
_RESOLVERS = 32
"""Threads that may wait for name servers at once: one that does not answer holds its thread for seconds."""

_OWN_KEPT_S = 60.0

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]


class Unreachable(Exception):
    """There was no whole answer; the text says why in words fit for whoever named the place."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said."""

    status: int
    body: bytes
    retry_after_s: float | None


class Client:
    """Posts to places that the rules allow. `tls` and `resolve` replace the system's trust and name service."""

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
        """Post `body` as JSON. Raises `Forbidden`, or `Unreachable` when there was no whole answer in time."""
        place = read_url(url, self.rules)
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._post(place, await self.find_addresses(place), body, headers)
        except TimeoutError:
            raise Unreachable(f"no answer within {self.timeout_s:g} s") from None

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

    async def _post(
        self, place: Place, addresses: Sequence[Address], body: bytes, headers: Mapping[str, str]
    ) -> Answer:
        failure: Exception = Unreachable("the name has no address")
        for address in addresses[:_MAX_ADDRESSES]:
            try:
                return await self._call(place, address, body, headers)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = Unreachable(_explain(error))  # nothing was sent: the next address may do
            except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
                raise Unreachable(_explain(error)) from None
        raise failure

    async def _call(self, place: Place, address: Address, body: bytes, headers: Mapping[str, str]) -> Answer:
        own = {
            "Host": place.authority,
            "User-Agent": f"jobgate/{__version__}",
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }
        request = httpcore2.Request(
            "POST",
            httpcore2.URL(scheme=place.scheme, host=str(address), port=place.port, target=place.target),
            headers=list((own | dict(headers)).items()),
            content=body,
            extensions={"timeout": {"connect": CONNECT_S}, "sni_hostname": place.host},
        )
        network = _Network()
        connecting = httpcore2.AsyncHTTPConnection(request.url.origin, ssl_context=self._tls, network_backend=network)
        try:
            async with connecting as connection:
                response = await connection.handle_async_request(request)
                try:
                    return Answer(response.status, await _read(response), _read_retry_after(response))
                finally:
                    await response.aclose()
        finally:
            await network.close()

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


class _Network(httpcore2.AnyIOBackend):
    """Opens the one connection of a call, and closes it whatever happened: httpcore forgets one whose TLS failed."""

    _stream: httpcore2.AsyncNetworkStream | None = None

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
        self._stream = await super().connect_tcp(*args, **options)
        return self._stream

    async def close(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()


async def _read(response: httpcore2.Response) -> bytes:
    """The body, up to the limit."""
    body = b""
    async with aclosing(cast(AsyncGenerator[bytes], aiter(cast(AsyncIterable[bytes], response.stream)))) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) >= MAX_ANSWER:
                break
    return body[:MAX_ANSWER]


_SECONDS = re.compile(rb"[0-9]{1,9}")


def _read_retry_after(response: httpcore2.Response) -> float | None:
    """What `Retry-After` asks for, in seconds from now; None where it says nothing usable."""
    values = [value for name, value in response.headers if name.lower() == b"retry-after"]
    if not values:
        return None
    if _SECONDS.fullmatch(values[0].strip()):
        return float(values[0])
    try:
        moment = parsedate_to_datetime(values[0].decode("latin-1"))
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _explain(error: Exception) -> str:
    """Why there was no answer, in words of ours: what libraries say may name addresses."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not valid: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "the TLS handshake failed"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore2.TimeoutException):
        return f"no connection within {CONNECT_S:g} s"
    if isinstance(error, httpcore2.ConnectError):
        return "the connection failed"
    if isinstance(error, httpcore2.ProtocolError):
        return "the answer is no HTTP"
    return "the connection broke"
