"""Logs: one JSON object a line, written by a thread of its own so that a slow sink never holds up the loop.

`event(logger, "request", status=200)` names what happened; the fields carry the rest. Names and fields are listed in
`docs/operating.md`. The request id and job id of the running code join every line through a context variable.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO

import msgspec

FIELD_SHOWN_CHARS = 1024
"""No field of a log line is longer; what a caller sent may be a megabyte."""

_FLUSH_S = 0.1
BACKLOG_LINES = 50_000

scope: ContextVar[dict[str, Any]] = ContextVar("scope", default={})  # noqa: B039  # never mutated, only replaced
"""Fields that every line of the running request or job carries."""

_encoder = msgspec.json.Encoder(enc_hook=repr)


def event(logger: logging.Logger, name: str, /, level: int = logging.INFO, **fields: Any) -> None:
    """Log that `name` happened."""
    if logger.isEnabledFor(level):
        now = time.time()
        for handler in logging.root.handlers:
            if type(handler) is BackgroundHandler:
                # The line of a request: making and handling a record for it would cost twice as much again.
                handler.add(_write_line(now, level, name, {**scope.get(), **fields}, logger.name))
            else:
                record = logging.LogRecord(logger.name, level, "", 0, name, None, None)
                record.fields = fields
                handler.handle(record)


def failure(logger: logging.Logger, name: str, error: BaseException, /, **fields: Any) -> None:
    """Log an error with its traceback."""
    record = logging.LogRecord(logger.name, logging.ERROR, "", 0, name, None, (type(error), error, error.__traceback__))
    record.fields = fields
    logger.handle(record)


class JsonFormatter(logging.Formatter):
    """Turns a record into one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, level, event name, scope and fields; long text is cut."""
        fields = {**scope.get(), **getattr(record, "fields", {})}
        if record.exc_info:
            # The end of a traceback names the place; the beginning is the event loop.
            fields["traceback"] = self.formatException(record.exc_info)[-4 * FIELD_SHOWN_CHARS :]
        return _write_line(record.created, record.levelno, record.getMessage(), fields, record.name)


def _write_line(now: float, level: int, name: str, fields: dict[str, Any], logger: str) -> str:
    milliseconds = int(now * 1000)
    line = {
        "at": f"{_show_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z",
        "level": _LEVELS.get(level) or logging.getLevelName(level).lower(),
        "event": name,
        **fields,
    }
    if logger != "jobgate":
        line["logger"] = logger
    try:
        text = _encoder.encode(line)
        if len(text) <= FIELD_SHOWN_CHARS:  # then no field is longer, and most lines are done
            return text.decode()
    except UnicodeEncodeError:
        pass
    for field, value in line.items():
        if isinstance(value, str):
            line[field] = _cut(value, FIELD_SHOWN_CHARS if field != "traceback" else len(value))
    return _encoder.encode(line).decode()


_LEVELS = {level: logging.getLevelName(level).lower() for level in (logging.DEBUG, logging.INFO, logging.WARNING)}


@lru_cache(maxsize=2)
def _show_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _cut(text: str, most: int) -> str:
    if len(text) > most:
        text = text[:most] + "…"
    return text.encode(errors="backslashreplace").decode()  # a lone surrogate must not break the line


class BackgroundHandler(logging.Handler):
    """Formats at once, writes later. Lines beyond the backlog are dropped and counted, never waited for."""

    def __init__(self, sink: BinaryIO) -> None:
        super().__init__()
        self.sink = sink
        self.dropped = 0
        self._lines: deque[str] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._write_forever, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line of a record."""
        self.add(self.format(record))

    def add(self, line: str) -> None:
        """Queue a line."""
        if len(self._lines) >= BACKLOG_LINES:
            self.dropped += 1
        else:
            self._lines.append(line)

    def flush(self) -> None:
        """Write what is queued, now."""
        lines = self._lines
        count = len(lines)
        if count:
            text = "\n".join(lines.popleft() for _ in range(count)) + "\n"
            try:
                self.sink.write(text.encode())
                self.sink.flush()
            except (OSError, ValueError):  # the sink is gone: there is nowhere left to say so
                self.dropped += count

    def close(self) -> None:
        """Write the rest and stop."""
        self._closing = True
        self._wake.set()
        self._thread.join(timeout=1)
        super().close()

    def _write_forever(self) -> None:
        while not self._closing:
            self._wake.wait(_FLUSH_S)
            self.flush()
        self.flush()


def configure(level: str, sink: BinaryIO | None = None) -> BackgroundHandler:
    """Send every logger of this process to `sink` (default: standard error) as JSON lines."""
    handler = BackgroundHandler(sink or sys.stderr.buffer)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)  # libraries: only what matters
    logging.getLogger("jobgate").setLevel(level.upper())
    return handler


def dropped_lines() -> int:
    """How many lines this process dropped because its sink was slow."""
    return sum(handler.dropped for handler in logging.getLogger().handlers if isinstance(handler, BackgroundHandler))
