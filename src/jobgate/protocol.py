"""One HTTP connection: uvicorn's protocol over httptools, with the limits and the answers that it lacks.

    IDLE --first byte--> HEAD --headers complete--> BODY --message complete--> IDLE
      |                    |                          |
      +--------------------+--------------------------+--refused--> LINGER (answered; what still comes is thrown away)

uvicorn parses, runs the app and writes its answer. Here a request is judged when its head is complete and weighed while
it arrives; `judge_time` is called by the one timer of the process. A refusal waits for the answers that are due before
it, and nothing behind it is ever read as a request.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from jobgate import log
from jobgate.arrival import Arrival
from jobgate.errors import ApiError, Code
from jobgate.outlet import Outlet
from jobgate.refusals import explain, unknown_method, write_refusal
from jobgate.settings import Settings
from jobgate.source import TrustedProxies, source_of

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn._types import ASGI3Application

IDLE: Final = 0
HEAD: Final = 1
BODY: Final = 2
LINGER: Final = 3

FIRST_REQUEST_S: Final = 1.0
"""How long after connecting a client may still bring a first request to a server that has closed its listener."""

LINGER_S: Final = 2.0
"""How long a refused caller may go on sending: closing at once would reset the connection and lose the answer."""

PIPELINE_MAX: Final = 32
"""Requests that one connection may send ahead of the answer to the first."""

_NOWHERE: Any = deque(maxlen=0)

logger = logging.getLogger("jobgate")


class GatewayState(ServerState):
    """What the connections of one server share."""

    connections: set[GatewayProtocol]  # type: ignore[assignment]  # uvicorn lists its own protocols here

    def __init__(
        self, settings: Settings, trusted: TrustedProxies, on_refusal: Callable[[ApiError], None] | None
    ) -> None:
        super().__init__()
        self.settings = settings
        self.trusted = trusted
        self.on_refusal = on_refusal
        self.is_draining = False
        self.emptied = asyncio.Event()
        self._admitted = 0
        self._admitted_of: dict[str | None, int] = {}

    def admit(self, source: str | None) -> None:
        """Count a connection from `source` (None: not limited by source) or raise `ApiError`."""
        if self._admitted >= self.settings.max_connections:
            raise ApiError(Code.unavailable, "too many connections; try again shortly")
        count = self._admitted_of.get(source, 0)
        if count >= self.settings.max_connections_per_source and source is not None:
            raise ApiError(Code.rate_limited, "too many connections from this address")
        self._admitted += 1
        self._admitted_of[source] = count + 1

    def dismiss(self, source: str | None) -> None:
        """Undo one `admit`."""
        self._admitted -= 1
        if count := self._admitted_of.pop(source) - 1:
            self._admitted_of[source] = count


class GatewayProtocol(HttpToolsProtocol):
    """A connection within the limits of the settings; whatever it is told, it is told in the failure envelope."""

    def __init__(
        self,
        config: Config,
        server_state: GatewayState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._state = server_state
        self._phase = IDLE
        self._since = 0.0
        self._arrival = Arrival(server_state.settings)
        self._read_bytes = 0  # in the reads that brought the head, so that a short one need not be measured
        self._outlet: Outlet
        self._running: RequestResponseCycle | None = None
        self._is_deaf = False
        self._held: ApiError | None = None
        self._peer: str | None = None
        self._is_behind_proxy = False
        self._is_admitted = False
        self._admitted_as: str | None = None
        self._unsent_bytes = 0
        self._unsent_since = 0.0

    # -- the connection --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Admit the connection, or say why not."""
        super().connection_made(transport)
        state = self._state
        self._since = self.loop.time()
        # A TCP peer that has already left has no address either; but only a Unix socket has no port of its own.
        is_unix = self.server is not None and self.server[1] is None
        peer = self.client[0] if self.client else None if is_unix else ""
        source = source_of(peer, None, state.trusted)
        self._peer = peer
        self._is_behind_proxy = state.trusted.trust(peer)
        self.client = (source, self.client[1] if self.client else 0)
        if not is_unix and not self._is_behind_proxy:  # a proxy stands for many callers
            self._admitted_as = source
        try:
            state.admit(self._admitted_as)
            self._is_admitted = True
        except ApiError as error:
            self._refuse(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; the app hears of it where it next waits."""
        self._dismiss()
        if self._running is not None and not self._running.response_complete:
            self._disconnect(self._running)
        super().connection_lost(exc)
        if not self.connections:
            self._state.emptied.set()

    def data_received(self, data: bytes) -> None:
        """Parse; whatever the parser or a limit refuses is answered, and nothing after it is read."""
        if self._is_deaf:
            return
        phase, arrival = self._phase, self._arrival
        self._read_bytes = len(data) if phase != HEAD else self._read_bytes + len(data)
        try:
            self.parser.feed_data(data)
            # What can be weighed is a read within one part of one request, and the read that begins a head.
            if self._phase == HEAD and (arrival is self._arrival or phase == IDLE):
                self._arrival.weigh_head(len(data), self.url)
            elif self._phase == phase == BODY and arrival is self._arrival:
                arrival.weigh_body(len(data))
        except httptools.HttpParserUpgrade as upgrade:
            self.data_received(self._write_head_without_upgrade() + data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(explain(error, data))
        except ApiError as error:
            self._refuse(error)

    def judge_time(self, now: float, elapsed_s: float) -> None:
        """Close or answer what has taken too long at `now`; `elapsed_s` is the time since the last look."""
        idle_timeout_s = self._state.settings.idle_timeout_s
        unsent_bytes = self.transport.get_write_buffer_size()
        if unsent_bytes:  # an answer is not fetched: that is the peer's turn, and nothing else is late
            if unsent_bytes != self._unsent_bytes:
                self._unsent_bytes, self._unsent_since = unsent_bytes, now
            elif now - self._unsent_since > idle_timeout_s:
                self.transport.abort()
            return
        self._unsent_bytes = 0
        waited_s = now - self._since
        try:
            if self._phase == HEAD:
                self._arrival.judge_head_time(waited_s)
            elif self._phase == BODY:
                if self.flow.read_paused:
                    self._since += elapsed_s  # we are the slow side
                else:
                    self._arrival.judge_body_time(waited_s)
            elif self._phase == LINGER:
                if waited_s > LINGER_S:
                    self.transport.abort()
            elif waited_s > idle_timeout_s and not self._is_answering():
                self.transport.close()
        except ApiError as error:
            self._refuse(error)

    def ask_to_leave(self) -> None:
        """Let the answer that is due say that it is the last one, as every later one does while the server stops."""
        if self._is_answering() and self._phase != HEAD:
            self.cycle.keep_alive = False

    def close_if_idle(self, now: float) -> None:
        """Close if nothing has begun; but a client that has just connected may still ask once."""
        is_new = self._running is None and now - self._since < FIRST_REQUEST_S
        if self._phase == LINGER or (self._phase == IDLE and not self._is_answering() and not is_new):
            self.transport.close()

    def give_up(self) -> None:
        """Answer the request that still runs with 503, and close."""
        running = self._running
        if running is not None and not running.response_started and not self.transport.is_closing():
            self._disconnect(running)
            error = ApiError(Code.unavailable, "the server is stopping; send the same packet again")
            self.transport.write(self._write_answer(error))
        self.transport.close()

    # -- the request -----------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first byte."""
        super().on_message_begin()
        self._phase = HEAD
        self._since = self.loop.time()
        self._arrival = Arrival(self._state.settings)

    def on_headers_complete(self) -> None:
        """Judge the head; only a good one reaches the app."""
        arrival, parser = self._arrival, self.parser
        method = parser.get_method()
        arrival.judge_head(method, self.url, parser.get_http_version(), self.headers, self._read_bytes)
        if parser.should_upgrade():
            if method == b"CONNECT":
                raise unknown_method()
            return  # the parser stops here, and `data_received` goes on
        if len(self.pipeline) >= PIPELINE_MAX:
            raise ApiError(Code.too_much, f"more than {PIPELINE_MAX} requests were sent ahead of their answers")
        if arrival.forwarded and self._is_behind_proxy:
            self.scope["client"] = (source_of(self._peer, arrival.forwarded, self._state.trusted), 0)
        super().on_headers_complete()
        self.headers = _NOWHERE  # what comes from here on are trailers
        if self._state.is_draining:
            self.cycle.keep_alive = False
        self._phase = BODY
        self._since = self.loop.time()

    def on_chunk_header(self) -> None:
        """The size line of a chunk."""
        self._arrival.chunks += 1

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        arrival = self._arrival
        arrival.body_bytes += len(body)
        if arrival.body_bytes > arrival.body_limit:
            raise arrival.body_too_large()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The last byte."""
        if self._phase == BODY:  # else the parser stopped at an upgrade
            super().on_message_complete()
            self._phase = IDLE
            if not self._is_answering():
                self._since = self.loop.time()
                if self._state.is_draining:
                    self.transport.close()

    def _write_head_without_upgrade(self) -> bytes:
        # RFC 9110 7.8: a server may ignore an upgrade. llhttp cannot: it takes what follows for another protocol. So
        # the head is parsed once more without the wish. Java's client wishes for HTTP/2 with its first request.
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())]
        for name, value in self.headers:
            if name == b"connection":
                lines.append(b"connection: close" if b"close" in value.lower() else b"connection: keep-alive")
            elif name != b"upgrade":
                lines.append(name + b": " + value)
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        self._phase = IDLE
        return b"\r\n".join([*lines, b"\r\n"])

    # -- the answer ------------------------------------------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._running = cycle
        self._outlet = Outlet(self.transport)
        cycle.transport = self._outlet  # type: ignore[assignment]  # it has the methods that a cycle calls
        task = self.loop.create_task(self._answer(cycle, app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _answer(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # In place of uvicorn's `run_asgi`, whose own answers are plain text.
        try:
            await app(cycle.scope, cycle.receive, cycle.send)
        except (Exception, asyncio.CancelledError) as error:
            if not cycle.disconnected:
                log.failure(logger, "request.crashed", error)
        if not cycle.disconnected:
            if not cycle.response_started:
                headers, body = write_refusal(ApiError(Code.internal, "internal error"))
                await cycle.send({"type": "http.response.start", "status": 500, "headers": headers})
                await cycle.send({"type": "http.response.body", "body": body, "more_body": False})
            elif not cycle.response_complete:
                self.transport.close()
        cycle.on_response = lambda: None  # breaks the reference cycle

    def on_response_complete(self) -> None:
        """Go on with the next request, or with the refusal that waited for this answer."""
        self._outlet.flush()
        if self.transport.is_closing():
            return
        if self._phase == IDLE:
            self._since = self.loop.time()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._held is not None:
            self._hang_up(self._held)

    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def _refuse(self, error: ApiError) -> None:
        self._is_deaf = True
        if self._state.on_refusal is not None:
            self._state.on_refusal(error)
        if self._phase == BODY:  # the request at fault is known to the app, or queued for it
            cycle = self.cycle
            if self.pipeline and self.pipeline[0][0] is cycle:
                self.pipeline.popleft()
            elif cycle.response_complete:
                self._linger()
                return
            elif cycle.response_started:
                self.transport.close()
                return
            else:
                self._disconnect(cycle)
                self._running = None
        if self._is_answering():
            self._phase = IDLE
            self._held = error
        else:
            self._hang_up(error)

    def _hang_up(self, error: ApiError) -> None:
        self.transport.write(self._write_answer(error))
        self._linger()

    def _linger(self) -> None:
        self._is_deaf = True
        self._phase = LINGER
        self._since = self.loop.time()
        self._dismiss()
        state = self._state
        if not state.is_draining and len(state.connections) <= 2 * state.settings.max_connections:
            self.flow.resume_reading()
            self.transport.write_eof()
        else:
            self.transport.close()

    def _dismiss(self) -> None:
        if self._is_admitted:
            self._is_admitted = False
            self._state.dismiss(self._admitted_as)

    @staticmethod
    def _disconnect(cycle: RequestResponseCycle) -> None:
        cycle.disconnected = True
        cycle.message_event.set()

    def _write_answer(self, error: ApiError) -> bytes:
        headers, body = write_refusal(error)
        lines = [b"%s: %s\r\n" % header for header in self._state.default_headers + headers]
        return b"".join([STATUS_LINE[error.code.status], *lines, b"\r\n", body])
