"""A request while it arrives: what is known of it so far, and the limit that it meets."""

from __future__ import annotations

from itertools import chain
from typing import Final

from jobgate.errors import ApiError, Code
from jobgate.refusals import headers_too_large, malformed, url_too_long
from jobgate.settings import Settings

_JUDGED: Final = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-encoding", b"x-forwarded-for"})

RATE_AFTER_S: Final = 5.0
"""From here on the average speed of a body counts."""

CHUNK_FRAME_BYTES: Final = 16
"""What a chunk may cost beside its data: its size and its line ends."""


class Arrival:
    """One request against the limits. What judges or weighs raises `ApiError` once a limit is passed."""

    __slots__ = ("body_bytes", "body_limit", "body_timeout_s", "chunks", "forwarded", "limits", "wire_bytes")

    def __init__(self, limits: Settings) -> None:
        self.limits = limits
        self.wire_bytes = 0
        self.body_bytes = 0
        self.chunks = 0

    def judge_head(
        self, method: bytes, url: bytes, version: str, headers: list[tuple[bytes, bytes]], at_most_bytes: int
    ) -> None:
        """Judge the complete head, which is no longer than `at_most_bytes`."""
        limits = self.limits
        if at_most_bytes > limits.max_request_line or at_most_bytes > limits.max_header_bytes:
            self._judge_size(len(method) + len(url) + len("  HTTP/1.1"), headers)
        if len(headers) > limits.max_headers:
            raise headers_too_large(limits)
        if version not in ("1.1", "1.0"):
            raise malformed("HTTP/1.1 is the version to use")
        self.wire_bytes = 0
        self.body_limit = limits.max_body
        self.body_timeout_s = limits.body_timeout_s
        if method == b"PUT" and url.startswith(b"/uploads/"):
            # As many bytes get as much time as they would get in bodies of the usual size.
            self.body_limit = limits.max_upload
            self.body_timeout_s *= max(1.0, limits.max_upload / limits.max_body)
        self.forwarded = b""
        hosts = 0
        for name, value in headers:
            if name in _JUDGED:
                if name == b"host":
                    hosts += 1
                elif name == b"content-length":
                    if int(value) > self.body_limit:
                        raise self.body_too_large()
                else:
                    self._judge_header(name, value, version)
        if hosts != 1 and (hosts or version == "1.1"):
            raise malformed("exactly one `Host` is required")

    def _judge_size(self, line_bytes: int, headers: list[tuple[bytes, bytes]]) -> None:
        if line_bytes > self.limits.max_request_line:
            raise url_too_long(self.limits)
        if sum(map(len, chain.from_iterable(headers))) + len(": \r\n") * len(headers) > self.limits.max_header_bytes:
            raise headers_too_large(self.limits)

    def _judge_header(self, name: bytes, value: bytes, version: str) -> None:
        if name == b"transfer-encoding":
            # The parser takes any list that ends in `chunked`, and takes it in HTTP/1.0, where proxies ignore it.
            if version == "1.0" or value.strip().lower() != b"chunked":
                raise malformed("`Transfer-Encoding` must be `chunked`, in HTTP/1.1")
        elif name == b"content-encoding":
            if value.strip().lower() not in (b"", b"identity"):
                raise ApiError(Code.security_missing, "`Content-Encoding` is not supported; send the body as it is")
        else:
            self.forwarded = self.forwarded + b"," + value if self.forwarded else value

    def weigh_head(self, size: int, url: bytes) -> None:
        """Count `size` more bytes of an unfinished head; its unfinished line shows up in no callback."""
        limits = self.limits
        self.wire_bytes += size
        if len(url) > limits.max_request_line:
            raise url_too_long(limits)
        if self.wire_bytes > limits.max_request_line + limits.max_header_bytes:
            raise headers_too_large(limits)

    def weigh_body(self, size: int) -> None:
        """Count `size` more bytes of the body as it is sent: extensions, trailers and padding are part of no chunk."""
        self.wire_bytes += size
        if self.wire_bytes - self.body_bytes - CHUNK_FRAME_BYTES * self.chunks > self.limits.max_header_bytes:
            raise malformed("chunk extensions and trailers are too long")

    def judge_head_time(self, waited_s: float) -> None:
        """Judge a head that is unfinished after `waited_s`."""
        if waited_s > self.limits.header_timeout_s:
            raise ApiError(Code.body_timeout, "the headers were not received in time")

    def judge_body_time(self, waited_s: float) -> None:
        """Judge a body that is unfinished after `waited_s`."""
        if waited_s > self.body_timeout_s or (
            waited_s > RATE_AFTER_S and self.body_bytes < self.limits.min_body_rate * waited_s
        ):
            raise ApiError(Code.body_timeout, "the body was not received in time")

    def body_too_large(self) -> ApiError:
        """The body is over its limit."""
        return ApiError(Code.too_much, f"the body must not be longer than {self.body_limit} bytes")
