"""multipart/mixed, as statements travel with their attachments: built and taken apart within bounds."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from email.message import Message
from typing import NamedTuple

MAX_PARTS = 2001
MAX_HEAD_BYTES = 8 * 1024
MAX_HEADERS = 16

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]", re.ASCII)
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):([^\x00\r\n]*)")
_PADDING = b" \t"


class Malformed(Exception):
    """What came is no multipart/mixed; the text says why."""


class Part(NamedTuple):
    """One part: its headers by names in lower case, and its data as they are."""

    headers: Mapping[str, str]
    data: bytes


def read_media_type(content_type: str) -> tuple[str, str | None]:
    """A Content-Type: the media type in lower case, and the boundary if it has one."""
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_param("boundary")
    return message.get_content_type(), boundary if isinstance(boundary, str) else None


def build(parts: Iterable[Part]) -> tuple[bytes, str]:
    """A body of these parts, and its Content-Type."""
    parts = list(parts)
    boundary = secrets.token_hex(16)
    while any(boundary.encode() in part.data for part in parts):
        boundary = secrets.token_hex(16)
    pieces: list[bytes] = []
    for part in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in part.headers.items())
        pieces += [b"--", boundary.encode(), b"\r\n", head.encode("latin-1"), b"\r\n", part.data, b"\r\n"]
    pieces += [b"--", boundary.encode(), b"--\r\n"]
    return b"".join(pieces), f"multipart/mixed; boundary={boundary}"


def parse(body: bytes, boundary: str | None) -> list[Part]:
    """The parts of a body; raises `Malformed`, also where the last boundary is missing: something was cut off."""
    if boundary is None or _BOUNDARY.fullmatch(boundary) is None:
        raise Malformed("there is no usable boundary")
    delimiter = b"\r\n--" + boundary.encode()
    found: list[Part] = []
    # Where a part begins, once one has: behind the line of its boundary.
    start: int | None = None
    near_misses = 0
    at = -2 if body.startswith(delimiter[2:]) else body.find(delimiter)
    while at != -1:
        after = at + len(delimiter)
        is_last = body.startswith(b"--", after)
        line_end = body.find(b"\r\n", after)
        if not is_last and (line_end == -1 or body[after:line_end].strip(_PADDING)):
            near_misses += 1  # a longer word that begins like the boundary
            if near_misses > MAX_PARTS:
                raise Malformed("the boundary stands in the data too often")
            at = body.find(delimiter, after)
            continue
        if start is not None:
            found.append(_read_part(body, start, at))
        if is_last:
            return found
        if len(found) >= MAX_PARTS:
            raise Malformed(f"there are more than {MAX_PARTS} parts")
        start = line_end + 2
        at = body.find(delimiter, line_end)
    raise Malformed("the last boundary is missing")


def _read_part(body: bytes, start: int, end: int) -> Part:
    if body.startswith(b"\r\n", start):
        return Part({}, body[start + 2 : end])
    head_end = body.find(b"\r\n\r\n", start, min(end, start + MAX_HEAD_BYTES))
    if head_end == -1:
        raise Malformed("a part has no end of headers")
    lines = body[start:head_end].split(b"\r\n")
    if len(lines) > MAX_HEADERS:
        raise Malformed(f"a part has more than {MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise Malformed("a header of a part is malformed")
        name = header[1].decode("ascii").lower()
        if name in headers:
            raise Malformed("a header of a part stands twice")
        headers[name] = header[2].strip(_PADDING).decode("latin-1")
    return Part(headers, body[head_end + 4 : end])
