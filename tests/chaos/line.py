"""A line to Postgres that breaks at the worst moment: a commit was sent, and its answer never arrives."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

COMMIT = b"Q\x00\x00\x00\x0bcommit\x00"
PREPARES = re.compile(rb"P....(\w+)\x00[^\x00]*insert into replay", re.DOTALL)


class Line:
    """Forwards connections to Postgres."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.wanted = 0
        self.cuts = 0
        self.frozen = False
        self.open: set[_Near] = set()

    def cut_next(self) -> None:
        """Break the next connection that commits: Postgres hears of it, and the client never hears from Postgres."""
        self.wanted += 1

    def cut_all(self) -> None:
        """Break every connection now."""
        for near in list(self.open):
            near.break_off()

    def freeze(self, frozen: bool) -> None:
        """Carry nothing, and break nothing, until thawed: packets that are dropped without a word."""
        self.frozen = frozen
        for near in list(self.open):
            near.hold(frozen)


class _Near(asyncio.Protocol):
    """The client's end."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.accepts: set[bytes] = set()
        self.waiting: list[bytes] = []
        self.far: asyncio.Transport | None = None
        self.is_doomed = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream it is
        self.transport = transport
        self.line.open.add(self)
        self.connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            far, _ = await loop.create_unix_connection(lambda: _Far(self), str(self.line.target))
        except OSError:
            self.break_off()
            return
        self.far = far
        for data in self.waiting:
            far.write(data)
        if self.line.frozen:
            self.hold(True)

    def data_received(self, data: bytes) -> None:
        if b"insert into replay" in data:
            self.accepts |= {match[1] for match in PREPARES.finditer(data)}
        if self.line.wanted and (
            data == COMMIT or (data[:1] == b"B" and any(name + b"\x00" in data for name in self.accepts))
        ):
            self.line.wanted -= 1
            self.is_doomed = True
        if self.far is None:
            self.waiting.append(data)
        elif not self.far.is_closing():
            self.far.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self.line.open.discard(self)
        if self.far is not None:
            self.far.abort()

    def answer(self, data: bytes) -> None:
        """What Postgres says."""
        if self.is_doomed:
            self.line.cuts += 1
            self.break_off()
        elif not self.transport.is_closing():
            self.transport.write(data)

    def hold(self, frozen: bool) -> None:
        """Stop or resume reading at both ends."""
        for end in (self.transport, self.far):
            if end is not None and not end.is_closing():
                if frozen:
                    end.pause_reading()
                else:
                    end.resume_reading()

    def break_off(self) -> None:
        """Both ends, at once."""
        self.transport.abort()
        if self.far is not None:
            self.far.abort()


class _Far(asyncio.Protocol):
    """The end towards Postgres."""

    def __init__(self, near: _Near) -> None:
        self.near = near

    def data_received(self, data: bytes) -> None:
        self.near.answer(data)

    def connection_lost(self, _: Exception | None) -> None:
        self.near.transport.abort()


@asynccontextmanager
async def open_line(target: Path, folder: Path) -> AsyncIterator[Line]:
    """A line that listens in `folder`, under the name that clients of Postgres look for."""
    line = Line(target)
    server = await asyncio.get_running_loop().create_unix_server(lambda: _Near(line), str(folder / target.name))
    try:
        yield line
    finally:
        server.close()
        line.cut_all()
