"""One event is one line of JSON, whatever is in it, and no line knows a secret."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from jobgate import log
from jobgate.testing import HOME, House


@pytest.fixture
def sink() -> Iterator[io.BytesIO]:
    """Everything that is logged meanwhile."""
    root, own = logging.getLogger(), logging.getLogger("jobgate")
    before, levels = list(root.handlers), (root.level, own.level)
    sink = io.BytesIO()
    handler = log.configure("debug", sink)
    yield sink
    root.removeHandler(handler)
    handler.close()
    root.handlers[:] = before
    root.setLevel(levels[0])
    own.setLevel(levels[1])


def lines(sink: io.BytesIO) -> list[dict[str, Any]]:
    """What was logged, decoded."""
    for handler in logging.getLogger().handlers:
        handler.flush()
    return [json.loads(line) for line in sink.getvalue().splitlines()]


@pytest.mark.parametrize(
    "text",
    ["two\r\nlines", "\x1b[31mred", "left \u202e right", "\ud800 alone", "x" * 1_000_000, '"quoted"', "nul \x00"],
    ids=["line breaks", "escape sequence", "bidi control", "lone surrogate", "a megabyte", "quotes", "nul"],
)
def test_hostile_text_is_one_short_line(sink: io.BytesIO, text: str) -> None:
    log.event(logging.getLogger("jobgate"), "request", endpoint=text)

    (line,) = lines(sink)
    assert line["event"] == "request"
    assert len(line["endpoint"]) <= log.FIELD_SHOWN_CHARS + 1
    assert len(sink.getvalue()) < 10 * log.FIELD_SHOWN_CHARS
    assert b"\x1b" not in sink.getvalue()


def test_lines_of_a_request_carry_its_id(sink: io.BytesIO) -> None:
    token = log.scope.set({"request_id": "r-1"})
    log.event(logging.getLogger("jobgate"), "something")
    log.scope.reset(token)
    log.event(logging.getLogger("jobgate"), "something")

    assert [line.get("request_id") for line in lines(sink)] == ["r-1", None]


def test_a_slow_sink_loses_lines_and_counts_them() -> None:
    handler = log.BackgroundHandler(io.BytesIO())
    handler.setFormatter(log.JsonFormatter())
    handler.close()  # nobody writes any more
    record = logging.LogRecord("jobgate", logging.INFO, "", 0, "x", None, None)

    for _ in range(log.BACKLOG_LINES + 3):
        handler.emit(record)

    assert handler.dropped == 3


async def test_the_log_of_a_call_has_no_secret_signature_or_body(sink: io.BytesIO, house: House) -> None:
    statuses = {"statuses": [{"session_id": "private-session", "user_id": "private-user", "status": "Completed"}]}
    answer = await house.call("jobs/sessions/statuses", "update", statuses)
    await house.call("jobs", "get", {"x": "private-parameter"}, as_=HOME._replace(secret="a-wrong-secret"))
    await house.carry()

    text = "\n".join(map(json.dumps, lines(sink)))
    requests = [line for line in lines(sink) if line["event"] == "request"]
    assert [(line["status"], line["action"], line["code"]) for line in requests] == [
        (200, "update", None),
        (403, "none", "signature_mismatch"),
    ]
    assert answer.status == 200
    for private in (HOME.secret, "a-wrong-secret", "$02$", "private", house.settings.secret_key):
        assert private not in text
