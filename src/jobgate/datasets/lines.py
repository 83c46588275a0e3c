"""The lines of an uploaded file: newline-delimited JSON, read from a stream with bounded memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

from jobgate import complaints
from jobgate.errors import ApiError, Code

MAX_LINE_BYTES = 64 * 1024
MAX_LINES = 200_000
"""In one file: as many as a dataset may have users."""
MAX_SESSIONS = 50
"""Of one user."""

Key = Annotated[str, Meta(min_length=1, max_length=256)]
SessionId = Annotated[str, Meta(min_length=1, max_length=100)]


class Line(msgspec.Struct, frozen=True):
    """Who belongs where, and which of the user's sessions count. Keys besides these are ignored."""

    user_id: Annotated[str, Meta(min_length=1, max_length=50)]
    group_path: Annotated[list[Key], Meta(max_length=16)]
    session_ids: Annotated[list[SessionId], Meta(max_length=MAX_SESSIONS)] | None = None


_decode = msgspec.json.Decoder(Line).decode
_info = msgspec.inspect.type_info(Line)


async def split_lines(stream: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[list[bytes]]:
    """The lines of a body as they arrive, without their ends; the last one needs none.

    Raises `ApiError` for more than `max_bytes`, and for a line that would not fit the memory set aside for it.
    """
    rest, received, count = b"", 0, 0
    async for piece in stream:
        received += len(piece)
        if received > max_bytes:
            raise ApiError(Code.too_much, f"a file must not be longer than {max_bytes} bytes")
        if b"\n" not in piece and len(rest) + len(piece) <= MAX_LINE_BYTES:
            rest += piece
            continue
        *lines, rest = (rest + piece).split(b"\n")
        count += len(lines)
        if len(rest) > MAX_LINE_BYTES:
            raise _too_long(count + 1)
        if lines:
            yield lines
    if rest:
        yield [rest]


def read_line(text: bytes, number: int, *, needs_sessions: bool = False) -> Line | None:
    """The line with this number in its file; None if it is blank. Raises `ApiError` naming the number."""
    if len(text) > MAX_LINE_BYTES:
        raise _too_long(number)
    try:
        line = _decode(text)
    except msgspec.ValidationError as error:
        refusal = complaints.translate(error, _info)
        message = refusal.message.replace("`request`", "the line", 1)
        raise ApiError(refusal.code, f"line {number}: {message}") from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        if not text.strip():
            return None
        raise ApiError(Code.invalid_json, f"line {number}: {_explain(error)}") from None
    if needs_sessions and line.session_ids is None:
        raise ApiError(Code.missing_parameter, f"line {number}: `session_ids` must have a non-null value")
    if b"\\u0000" in text and "\0" in "".join([line.user_id, *line.group_path, *(line.session_ids or [])]):
        raise ApiError(Code.invalid_json, rf"line {number}: must not hold the character \u0000")
    return line


def read_checked(lines: Iterator[bytes]) -> Iterator[tuple[str, list[str], list[str] | None]]:
    """User, group path and session ids of lines that `read_line` has passed."""
    for text in lines:
        line = _decode(text)
        yield line.user_id, line.group_path, line.session_ids


def _too_long(number: int) -> ApiError:
    return ApiError(Code.too_much, f"line {number}: must not be longer than {MAX_LINE_BYTES} bytes")


def _explain(error: Exception) -> str:
    return complaints.malformed(error).message.replace("`request`", "the line", 1)
