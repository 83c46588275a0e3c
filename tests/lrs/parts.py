"""multipart/mixed, read by another parser than the one of jobgate."""

from __future__ import annotations

from email.message import Message
from typing import Any

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from tests.lrs.refusals import Refusal

BOUNDARY = "lrs-boundary-5f0c1b"


def read_type(content_type: str) -> tuple[str, str | None]:
    """A Content-Type: the media type, and the boundary."""
    message = Message()
    message["content-type"] = content_type
    boundary = message.get_param("boundary")
    return message.get_content_type(), boundary if isinstance(boundary, str) else None


def read_parts(body: bytes, boundary: str | None) -> list[tuple[dict[str, str], bytes]]:
    """Headers and data of every part; refused where there is no end."""
    parts: list[tuple[dict[str, str], bytes]] = []
    name, value, data = b"", b"", b""
    headers: dict[str, str] = {}
    ended = False

    def begin() -> None:
        nonlocal headers, data
        headers, data = {}, b""

    def add_name(chunk: bytes, start: int, end: int) -> None:
        nonlocal name
        name += chunk[start:end]

    def add_value(chunk: bytes, start: int, end: int) -> None:
        nonlocal value
        value += chunk[start:end]

    def end_header() -> None:
        nonlocal name, value
        headers[name.decode("latin-1").lower()] = value.decode("latin-1")
        name, value = b"", b""

    def add_data(chunk: bytes, start: int, end: int) -> None:
        nonlocal data
        data += chunk[start:end]

    def end_part() -> None:
        parts.append((headers, data))

    def end() -> None:
        nonlocal ended
        ended = True

    callbacks: Any = {
        "on_part_begin": begin,
        "on_header_field": add_name,
        "on_header_value": add_value,
        "on_header_end": end_header,
        "on_part_data": add_data,
        "on_part_end": end_part,
        "on_end": end,
    }
    if not boundary:
        raise Refusal(400, "no boundary")
    try:
        parser = MultipartParser(boundary.encode("latin-1"), callbacks)
        parser.write(body)
        parser.finalize()
    except MultipartParseError as error:
        raise Refusal(400, str(error)) from None
    if not ended:
        raise Refusal(400, "no last boundary")
    return parts


def write_parts(parts: list[tuple[dict[str, str], bytes]]) -> tuple[bytes, str]:
    """A body, and its Content-Type."""
    body = b""
    for headers, data in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body += f"--{BOUNDARY}\r\n{head}\r\n".encode("latin-1") + data + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode(), f'multipart/mixed; boundary="{BOUNDARY}"'
