"""Files of JSON lines: read by byte offset in batches, written so that a kill never doubles a line.

Everything here blocks and belongs into a thread (`asyncio.to_thread`). A run that is cancelled leaves its thread
behind, so closing waits for what is under way: a descriptor is never closed, and given to somebody else, in use.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, Self

from jobgate.remotes.endings import Broken, Busy, Refused
from jobgate.remotes.folders import explaining

MAX_LINE = 1024 * 1024 + 64 * 1024
"""A statement may have 1 MiB; the record around it takes some more."""

MAX_BATCH = 4 * 1024 * 1024
_MARK = 4096
_FILE_MODE = 0o640
_LOCKED_WAIT_S = 5.0
_BLANK = b" \t\r"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Spot(NamedTuple):
    """Where to go on in a file."""

    offset: int = 0
    is_inside: bool = False
    """Inside a line that is too long: what comes before its end is passed over."""


class Line(NamedTuple):
    """A line, without its end."""

    text: bytes | None
    """None: it is longer than `MAX_LINE`."""
    end: int
    """The offset behind it."""
    is_whole: bool = True
    """Its end has been written. Otherwise it is the last: somebody may still be writing it."""


class Batch(NamedTuple):
    """Some lines of a file; those that are blank are left out."""

    lines: list[Line]
    spot: Spot
    """Where to go on: behind the last whole line."""
    is_last: bool


class _File:
    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, when nothing is under way any more."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    @contextmanager
    def _using(self) -> Iterator[int]:
        with self._lock, explaining("the file"):
            if self._fd < 0:
                raise Broken("the file was closed")
            yield self._fd


class Reader(_File):
    """A file that is read."""

    @classmethod
    def open(cls, folder: int, name: str) -> Self | None:
        """The file of this name, None if there is none; raises `Refused` or `Broken`."""
        with explaining("the file"):
            try:
                return cls(_open(folder, name, os.O_RDONLY))
            except FileNotFoundError:
                return None

    def read(self, spot: Spot, max_lines: int) -> Batch:
        """The next lines, so many and `MAX_BATCH` bytes at most."""
        with self._using() as fd:
            data = os.pread(fd, MAX_BATCH, spot.offset)
            is_last = len(data) < MAX_BATCH and spot.offset + len(data) >= os.fstat(fd).st_size
        return _split(data, spot, max_lines, is_last=is_last)

    def mark(self, offset: int) -> str:
        """What stands before an offset, as a digest: whether the file is still the one that was read up to there."""
        with self._using() as fd:
            start = max(0, offset - _MARK)
            data = os.pread(fd, offset - start, start)
        return hashlib.sha256(data).hexdigest() if len(data) == offset - start else ""


class Writer(_File):
    """A file that lines are appended to. While it is open, no other writer of ours gets it."""

    @classmethod
    def open(cls, folder: int, name: str, length: int | None) -> Self:
        """The file, made if it is missing, cut to `length` where it is longer: what was written after that had not
        counted. None takes it as it is. Raises `Refused`, `Broken`, or `Busy` while another writes.
        """
        with explaining("the file"):
            fd = _open(folder, name, os.O_RDWR | os.O_CREAT)
            try:
                _lock(fd)
                size = os.fstat(fd).st_size
                if length is not None and size > length:
                    os.ftruncate(fd, length)
                    size = length
                os.fsync(fd)
                os.fsync(folder)
                is_in_line = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
            except BaseException:
                os.close(fd)
                raise
        return cls(fd, size, is_in_line=is_in_line)

    def __init__(self, fd: int, length: int, *, is_in_line: bool) -> None:
        super().__init__(fd)
        self.length = length
        """Bytes that are safely there."""
        self._is_in_line = is_in_line
        """The file ends within a line that somebody else wrote: ours begin on the next."""

    def append(self, data: bytes) -> int:
        """Write lines and make them durable; the new length. They count once that is committed elsewhere."""
        with self._using() as fd:
            view = memoryview(b"\n" * self._is_in_line + data)
            offset = self.length
            while view:
                written = os.pwrite(fd, view, offset)
                view, offset = view[written:], offset + written
            os.fsync(fd)
            self.length, self._is_in_line = offset, False
        return self.length


def _open(folder: int, name: str, flags: int) -> int:
    # Not to wait for the other end of a pipe.
    fd = os.open(name, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, _FILE_MODE, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Refused("the file is no ordinary one")
    return fd


def _lock(fd: int) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Busy("another job writes to the file", _LOCKED_WAIT_S) from None


def _split(data: bytes, spot: Spot, max_lines: int, *, is_last: bool) -> Batch:
    lines: list[Line] = []
    base, is_inside = spot.offset, spot.is_inside
    start = len(_BYTE_ORDER_MARK) if base == 0 and data.startswith(_BYTE_ORDER_MARK) else 0
    while len(lines) < max_lines:
        end = data.find(b"\n", start)
        if end == -1:
            break
        text = data[start:end].strip(_BLANK)
        if is_inside or end - start > MAX_LINE:
            lines.append(Line(None, base + end + 1))
        elif text:
            lines.append(Line(text, base + end + 1))
        start, is_inside = end + 1, False
    else:
        return Batch(lines, Spot(base + start), is_last=False)
    rest = len(data) - start
    if is_inside or rest > MAX_LINE:
        if is_last:
            lines.append(Line(None, base + len(data), is_whole=False))
            return Batch(lines, Spot(base + start, is_inside), is_last=True)
        return Batch(lines, Spot(base + len(data), is_inside=True), is_last=False)
    if is_last and (text := data[start:].strip(_BLANK)):
        lines.append(Line(text, base + len(data), is_whole=False))
    return Batch(lines, Spot(base + start), is_last)
