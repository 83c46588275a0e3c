"""A line to one place: calls over a connection that stays open between them, or is closed after the first.

Only addresses that were judged are connected to, with the name in SNI and Host. No redirects, proxies, cookies,
compression; an answer is read up to a limit, and everything together has to be over in time.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple, cast

import httpcore2

from jobgate import __version__
from jobgate.outbound.addresses import Address, Forbidden, Rules
from jobgate.outbound.answers import Answer, read_headers, read_retry_after
from jobgate.outbound.urls import Place, read_url

CONNECT_S = 5.0

_MAX_ADDRESSES = 4
_IDLE_S = 15.0
"""How long a connection that nothing was asked on is trusted: many servers close theirs after some seconds more."""

_MAX_URL_CHARS = 8000
"""Of the calls of a line: some servers put all that they know into the URL of the next page."""

_HAVE_BODIES = frozenset({"POST", "PUT", "PATCH"})

Find = Callable[[Place], Awaitable[Sequence[Address]]]
"""Gives the addresses of a place, every one judged; raises `Forbidden` or `Unreachable`."""


class Unreachable(Exception):
    """There was no whole answer; the text says why in words fit for whoever named the place."""


class TooLarge(Unreachable):
    """The answer is larger than what was asked for."""


class Call(NamedTuple):
    """What is asked, and how much of an answer is taken."""

    method: str
    body: bytes
    headers: Mapping[str, str]
    max_answer: int
    cuts: bool = False
    """What is beyond `max_answer` is cut off; otherwise that is an error."""


class Line:
    """One place. For one caller at a time; whoever opened it closes it."""

    def __init__(self, place: Place, rules: Rules, find: Find, tls: ssl.SSLContext, timeout_s: float) -> None:
        self.place = place
        self._rules = rules
        self._find = find
        self._tls = tls
        self._timeout_s = timeout_s
        self._connection: _Connection | None = None

    async def close(self) -> None:
        """Close the connection, if there is one. The next call opens another."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

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
        """Ask, and read the whole answer. `url` must lead to the place of the line.

        Raises `Forbidden`, or `Unreachable` when there was no whole answer in time, or `TooLarge`.
        """
        place = read_url(url, self._rules, max_chars=_MAX_URL_CHARS)
        if place[:3] != self.place[:3]:
            raise Forbidden("the URL leads to another scheme, host or port")
        return await self.ask(place, Call(method, body, headers or {}, max_answer), timeout_s=timeout_s, keeps=True)

    async def ask(self, place: Place, call: Call, *, timeout_s: float | None = None, keeps: bool) -> Answer:
        """Ask at a place of this line; `keeps` leaves the connection open for the next call."""
        limit_s = self._timeout_s if timeout_s is None else timeout_s
        answered = False
        try:
            async with asyncio.timeout(limit_s):
                answer = await self._ask(place, call, keeps)
            answered = True
            return answer
        except TimeoutError:
            raise Unreachable(f"no answer within {limit_s:g} s") from None
        finally:
            if not (answered and keeps):
                await self.close()

    async def _ask(self, place: Place, call: Call, keeps: bool) -> Answer:
        if self._connection is not None and self._connection.is_idle:
            return await self._send(self._connection, place, call, keeps)
        await self.close()
        failure: Exception = Unreachable("the name has no address")
        for address in (await self._find(place))[:_MAX_ADDRESSES]:
            self._connection = _Connection(place, address, self._tls)
            try:
                return await self._send(self._connection, place, call, keeps)
            except _NotConnected as error:
                failure = error  # nothing was sent: the next address may do
                await self.close()
        raise failure

    async def _send(self, connection: _Connection, place: Place, call: Call, keeps: bool) -> Answer:
        own = {
            "host": place.authority,
            "user-agent": f"jobgate/{__version__}",
            "accept-encoding": "identity",
            "connection": "keep-alive" if keeps else "close",
        }
        if call.body or call.method in _HAVE_BODIES:
            own["content-length"] = str(len(call.body))
        headers = {name.lower(): value for name, value in call.headers.items()} | own
        try:
            return await connection.send(place, call, headers)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            raise _NotConnected(_explain(error)) from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as error:
            raise Unreachable(_explain(error)) from None


class _NotConnected(Unreachable):
    """Nothing was sent."""


class _Connection:
    """A connection to one address of a place."""

    def __init__(self, place: Place, address: Address, tls: ssl.SSLContext) -> None:
        self._network = _Network()
        origin = httpcore2.URL(scheme=place.scheme, host=str(address), port=place.port, target="/").origin
        self._http = httpcore2.AsyncHTTPConnection(
            origin, ssl_context=tls, keepalive_expiry=_IDLE_S, network_backend=self._network
        )
        self._host = str(address)

    @property
    def is_idle(self) -> bool:
        """Something may be sent on it: as far as is known, the other side has not closed it."""
        return self._http.is_idle() and not self._http.has_expired()

    async def send(self, place: Place, call: Call, headers: Mapping[str, str]) -> Answer:
        request = httpcore2.Request(
            call.method,
            httpcore2.URL(scheme=place.scheme, host=self._host, port=place.port, target=place.target),
            headers=list(headers.items()),
            content=call.body,
            extensions={"timeout": {"connect": CONNECT_S}, "sni_hostname": place.host},
        )
        response = await self._http.handle_async_request(request)
        try:
            body = await _read(response, call)
        finally:
            await response.aclose()
        found = read_headers(response.headers)
        return Answer(response.status, body, read_retry_after(found.get("retry-after")), found)

    async def close(self) -> None:
        await self._http.aclose()
        await self._network.close()


class _Network(httpcore2.AnyIOBackend):
    """Opens the one connection, and closes it whatever happened: httpcore forgets one whose TLS failed."""

    _stream: httpcore2.AsyncNetworkStream | None = None

    async def connect_tcp(self, *args: Any, **options: Any) -> httpcore2.AsyncNetworkStream:
        self._stream = await super().connect_tcp(*args, **options)
        return self._stream

    async def close(self) -> None:
        if self._stream is not None:
            await self._stream.aclose()


async def _read(response: httpcore2.Response, call: Call) -> bytes:
    """The body, up to the limit."""
    parts: list[bytes] = []
    size = 0
    async with aclosing(cast(AsyncGenerator[bytes], aiter(cast(AsyncIterable[bytes], response.stream)))) as chunks:
        async for chunk in chunks:
            parts.append(chunk)
            size += len(chunk)
            if size > call.max_answer:
                if not call.cuts:
                    raise TooLarge(f"the answer has more than {call.max_answer} bytes")
                break
    return b"".join(parts)[: call.max_answer]


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
