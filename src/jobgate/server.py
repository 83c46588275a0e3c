"""The HTTP server: uvicorn's protocol under our limits, one timer over all connections, and a stop that loses nothing.

A stop: `on_drain` is told (readiness turns false) and every answer asks its client to reconnect elsewhere; after
`stop_delay_s` only those who wait already are let in, and what was sent by then is read; what runs gets `stop_grace_s`;
what still runs is answered 503; the app shuts down.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.lifespan.on import LifespanOn

from jobgate.errors import ApiError
from jobgate.protocol import FIRST_REQUEST_S, GatewayProtocol, GatewayState
from jobgate.settings import Settings
from jobgate.source import read_proxies

SWEEP_S: Final = 0.5
"""Seconds between looks at the open connections; shorter where a timeout is, so that it is kept within a quarter."""

BACKLOG: Final = 2048

_POLLS: Final = 3
"""Turns of the loop within which it reads what the kernel has: one accepts, one asks to read, one reads."""

_FLUSH_S: Final = 1.0  # for the last answers to leave, once nothing is waited for any more


class AppNotStarted(RuntimeError):
    """The start of the app failed."""


def build_server(
    app: ASGIApp,
    settings: Settings,
    *,
    host: str,
    port: int,
    uds: str | None = None,
    sockets: Sequence[socket.socket] | None = None,
    on_drain: Callable[[], None] | None = None,
    on_refusal: Callable[[ApiError], None] | None = None,
) -> GatewayServer:
    """A server for `app` on bound `sockets`, or else the Unix socket `uds`, or else `host` and `port` (0: any).

    `on_drain` is called once when the stop begins, `on_refusal` for every answer that the app did not give. Raises
    `SettingsError` if the trusted proxies are not addresses.
    """
    return GatewayServer(app, settings, host, port, uds, sockets, on_drain, on_refusal)


class GatewayServer:
    """Serves until it is stopped. `started` is set while it listens; `port` is then the real one."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        host: str,
        port: int,
        uds: str | None,
        sockets: Sequence[socket.socket] | None,
        on_drain: Callable[[], None] | None,
        on_refusal: Callable[[ApiError], None] | None,
    ) -> None:
        self.started = asyncio.Event()
        self.port = port
        self._settings = settings
        self._host, self._uds, self._sockets = host, uds, sockets
        self._on_drain = on_drain
        self._config = uvicorn.Config(
            app,
            http=GatewayProtocol,
            ws="none",
            lifespan="on",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            workers=1,
        )
        self._state = GatewayState(settings, read_proxies(settings.trusted_proxies), on_refusal)
        self._sweep_interval_s = min(
            SWEEP_S, *(t / 4 for t in (settings.header_timeout_s, settings.idle_timeout_s, settings.body_timeout_s))
        )
        self._stop_asked = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ended = asyncio.Event()

    async def serve(self, *, signals: bool = False) -> None:
        """Start the app, listen, and return when stopped. With `signals`, SIGTERM and SIGINT begin the stop."""
        self._config.load()
        lifespan = LifespanOn(self._config)
        try:
            await lifespan.startup()
            if lifespan.should_exit:
                raise AppNotStarted("the app did not start; the log says why")
            try:
                with contextlib.ExitStack() as exits:
                    if signals:
                        exits.enter_context(self._signals_taken())
                    exits.callback(self._abort_connections)  # those of a `serve` that is cancelled, too
                    loop = asyncio.get_running_loop()
                    accept = partial(GatewayProtocol, self._config, self._state, lifespan.state, loop)
                    listeners = await self._listen(accept)
                    exits.callback(self._close, listeners)
                    exits.enter_context(self._timer())
                    self.started.set()
                    await self._stop_asked.wait()
                    await self._drain(listeners, accept)
            finally:
                await lifespan.shutdown()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Stop as the module says, and return when that is done. `hurry` skips the waits."""
        self._stop_asked.set()
        await self._ended.wait()

    def hurry(self) -> None:
        """Stop without waiting for anybody."""
        self._hurry.set()
        self._stop_asked.set()

    def sweep(self, now: float) -> None:
        """Close what has taken too long at `now`, in the time of the loop."""
        for connection in list(self._state.connections):
            connection.judge_time(now, self._sweep_interval_s)

    async def _listen(self, accept: Callable[[], GatewayProtocol]) -> list[asyncio.Server]:
        loop = asyncio.get_running_loop()
        if self._sockets is not None:
            listeners = [await loop.create_server(accept, sock=each, backlog=BACKLOG) for each in self._sockets]
        elif self._uds is not None:
            listeners = [await loop.create_unix_server(accept, self._uds, backlog=BACKLOG)]
            os.chmod(self._uds, 0o666)  # noqa: PTH101  # whoever may enter its folder may connect, as with uvicorn
        else:
            listeners = [await loop.create_server(accept, self._host, self.port, backlog=BACKLOG)]
        address = listeners[0].sockets[0].getsockname()
        if isinstance(address, tuple):
            self.port = address[1]
        return listeners

    async def _drain(self, listeners: list[asyncio.Server], accept: Callable[[], GatewayProtocol]) -> None:
        state = self._state
        state.is_draining = True
        for connection in list(state.connections):
            connection.ask_to_leave()
        if self._on_drain is not None:
            self._on_drain()
        await self._unless_hurried(asyncio.sleep(self._settings.stop_delay_s), self._settings.stop_delay_s)
        await self._let_in_the_last(listeners, accept)
        for _ in range(_POLLS):
            await asyncio.sleep(0)
        self._close_idle()
        later = asyncio.get_running_loop().call_later(FIRST_REQUEST_S, self._close_idle)
        await self._unless_hurried(self._quiet(), self._settings.stop_grace_s)
        later.cancel()
        for connection in list(state.connections):
            connection.give_up()
        for task in list(state.tasks):
            task.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._quiet(), _FLUSH_S)

    async def _let_in_the_last(self, listeners: list[asyncio.Server], accept: Callable[[], GatewayProtocol]) -> None:
        # A client is connected, and has maybe sent its request, as soon as the kernel has queued it. Closing the
        # listener resets the queue; so the queue outlives it here, and is emptied.
        queues = [socket.socket(fileno=os.dup(each.fileno())) for server in listeners for each in server.sockets]
        self._close(listeners)
        for queue in queues:
            queue.setblocking(False)
            with queue, contextlib.suppress(BlockingIOError):
                for _ in range(BACKLOG):
                    connection, _address = queue.accept()
                    await asyncio.get_running_loop().connect_accepted_socket(accept, connection)

    def _close_idle(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in list(self._state.connections):
            connection.close_if_idle(now)

    async def _quiet(self) -> None:
        state = self._state
        while state.connections:
            state.emptied.clear()
            await state.emptied.wait()
        if state.tasks:
            await asyncio.wait(list(state.tasks))

    async def _unless_hurried(self, event: Coroutine[None, None, None], at_most_s: float) -> None:
        tasks = [asyncio.ensure_future(event), asyncio.ensure_future(self._hurry.wait())]
        await asyncio.wait(tasks, timeout=at_most_s, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()

    def _close(self, listeners: list[asyncio.Server]) -> None:
        for listener in listeners:
            listener.close()
        if self._uds is not None:
            Path(self._uds).unlink(missing_ok=True)

    def _abort_connections(self) -> None:
        for connection in list(self._state.connections):
            connection.transport.abort()

    @contextlib.contextmanager
    def _timer(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handle: asyncio.TimerHandle
        due_at = loop.time()

        def tick() -> None:
            nonlocal handle, due_at
            now = loop.time()
            late_s, due_at = now - due_at, now + self._sweep_interval_s
            handle = loop.call_at(due_at, tick)  # first: whatever fails below, time goes on
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            # After a stall, what clients sent meanwhile has not been read yet: they are not the late ones.
            if late_s < self._sweep_interval_s:
                self.sweep(now)

        tick()
        try:
            yield
        finally:
            handle.cancel()

    @contextlib.contextmanager
    def _signals_taken(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()

        def take() -> None:
            if self._stop_asked.is_set():
                self._hurry.set()
            self._stop_asked.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, take)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
