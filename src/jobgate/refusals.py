"""What the server layer says when it answers in the app's place: always the failure envelope, and then it hangs up."""

from __future__ import annotations

import random
import re
import time
from uuid import uuid4

import httptools

from jobgate.errors import ApiError, Code
from jobgate.settings import Settings
from jobgate.wire import failure

_METHOD = re.compile(rb"[\r\n]*[A-Za-z0-9!#$%&'*+.^_`|~-]+(?: |$)")


def write_refusal(error: ApiError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of the answer to a request that the app will not see, or did not answer."""
    body = failure(error, now_s=int(time.time()), request_id=str(uuid4()))
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    if error.code.status == 405:
        headers.append((b"allow", b"POST"))
    elif error.code.status in (429, 503):
        # Five seconds, spread by a fifth so that those who were refused together do not return together.
        headers.append((b"retry-after", str(random.randint(4, 6)).encode()))
    return headers, body


def explain(error: httptools.HttpParserError, data: bytes) -> ApiError:
    """What to answer to `data`, at which the parser stopped."""
    if isinstance(error.__context__, ApiError):
        return error.__context__
    reason = str(error)
    # llhttp knows a closed list of methods. What is not even a word was never a request.
    if "method" in reason.lower() and _METHOD.match(data):
        return unknown_method()
    return malformed("it is not HTTP" if isinstance(error, httptools.HttpParserCallbackError) else reason)


def malformed(reason: str) -> ApiError:
    """The bytes do not make a request that can be told from the next one."""
    return ApiError(Code.security_missing, f"the request is malformed: {reason}")


def unknown_method() -> ApiError:
    """The parser does not know the method, so nobody else will."""
    return ApiError(Code.method_not_allowed, "the method must be POST")


def url_too_long(limits: Settings) -> ApiError:
    """The request line is over its limit."""
    return ApiError(Code.url_too_long, f"the request line must not be longer than {limits.max_request_line} bytes")


def headers_too_large(limits: Settings) -> ApiError:
    """The headers are too many, or too long together."""
    return ApiError(
        Code.headers_too_large,
        f"at most {limits.max_headers} headers of together {limits.max_header_bytes} bytes are read",
    )
