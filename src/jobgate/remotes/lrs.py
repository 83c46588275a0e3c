"""An LRS, spoken to over standard xAPI HTTP by one run of a job: read page by page, and written to in batches."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import urldefrag, urlencode, urljoin

import msgspec
from msgspec import Raw

from jobgate import wire
from jobgate.outbound import Answer, Client, Forbidden, Line, TooLarge, Unreachable
from jobgate.remotes.attachments import Contents, pack, unpack
from jobgate.remotes.endings import Broken, Busy, Refused
from jobgate.remotes.multipart import Malformed
from jobgate.remotes.records import read_time, write_time
from jobgate.xapi.violations import Version

MAX_PAGE = 16 * 1024 * 1024
MAX_STATEMENT = 2 * 1024 * 1024
MAX_TOLD = 1024 * 1024
"""Bytes of a page, of a single statement, and of the answer to a batch."""

PAGE_STATEMENTS = 100
CALL_S = 60.0
"""How long one call may take: pages are made while we wait, and batches recorded."""

CONSISTENT_THROUGH = "x-experience-api-consistent-through"

Told = Literal["stored", "conflict", "invalid", "too large"]
"""What an LRS says of a batch of statements."""

_TOLD: dict[int, Told] = {
    200: "stored",
    204: "stored",
    400: "invalid",
    409: "conflict",
    413: "too large",
    422: "invalid",
}
_REFUSALS = {401: "refuses the credentials", 403: "forbids it", 404: "has nothing there"}
_WAIT = (420, 429, 503)


class Far(NamedTuple):
    """Where an LRS is, and as whom to speak to it."""

    endpoint: str
    username: str
    password: str
    version: Version

    def place(self, resource: str) -> str:
        """The URL of a resource."""
        return f"{self.endpoint.rstrip('/')}/{resource}"


class Page(NamedTuple):
    """Statements as an LRS gives them."""

    statements: list[bytes]
    contents: Contents
    more: str | None
    """The URL of the next page; None: this is the last."""
    consistent_through: datetime | None
    """Everything stored up to then is there to be read."""


class Lrs:
    """A conversation with an LRS. For one caller at a time."""

    def __init__(self, line: Line, far: Far) -> None:
        self._line = line
        self._far = far
        credentials = base64.b64encode(f"{far.username}:{far.password}".encode()).decode()
        self._headers = {"authorization": f"Basic {credentials}", "x-experience-api-version": far.version}

    # -- reading -----------------------------------------------------------------------------------------------------

    async def read_first(self, since: datetime | None, until: datetime, limit: int = PAGE_STATEMENTS) -> Page:
        """The oldest statements stored after `since` and up to `until`, at most so many on a page."""
        asked = {
            "until": write_time(until),
            "ascending": "true",
            "attachments": "true",
            "format": "exact",
            "limit": str(limit),
        }
        if since is not None:
            asked["since"] = write_time(since)
        return await self.read_more(f"{self._far.place('statements')}?{urlencode(asked)}")

    async def read_more(self, url: str) -> Page:
        """The page at a URL that a page named as `more`; it must be where the LRS is."""
        answer = await self._ask("GET", url, max_answer=MAX_PAGE)
        if answer.status != 200:
            raise _fail(answer)
        text, contents = _unpack(answer)
        try:
            found = wire.decode(text, _Statements)
        except (msgspec.DecodeError, RecursionError, UnicodeError):
            raise Broken("the LRS gave a page that is no statement result") from None
        return Page(
            statements=[bytes(statement) for statement in found.statements],
            contents=contents,
            more=urldefrag(urljoin(url, found.more)).url if found.more else None,
            consistent_through=read_time(answer.headers.get(CONSISTENT_THROUGH)),
        )

    async def find(self, id: str) -> Any | None:
        """A statement that the LRS has, voided or not; None where it has none."""
        for name in ("statementId", "voidedStatementId"):
            url = f"{self._far.place('statements')}?{urlencode({name: id})}"
            answer = await self._ask("GET", url, max_answer=MAX_STATEMENT)
            if answer.status == 404:
                continue
            if answer.status != 200:
                raise _fail(answer)
            text, _ = _unpack(answer)
            try:
                return wire.decode(text, dict[str, Any])
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                raise Broken("the LRS gave something else for a statement") from None
        return None

    # -- writing -----------------------------------------------------------------------------------------------------

    async def post(self, statements: Sequence[bytes], contents: Contents) -> Told:
        """Offer statements with what is attached to them; the LRS takes all of them or none."""
        body, content_type = pack(statements, contents)
        url = self._far.place("statements")
        answer = await self._ask("POST", url, body, {"content-type": content_type}, max_answer=MAX_TOLD)
        told = _TOLD.get(answer.status)
        if told is None:
            raise _fail(answer)
        if answer.status == 200:
            _require_ids(answer.body, len(statements))
        return told

    async def _ask(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        max_answer: int,
    ) -> Answer:
        try:
            return await self._line.call(
                method, url, body, self._headers | dict(headers or {}), max_answer=max_answer, timeout_s=CALL_S
            )
        except Forbidden as error:
            raise Refused(f"the LRS must not be called: {error}") from None
        except TooLarge as error:
            raise TooMuch(f"the LRS says too much: {error}") from None
        except Unreachable as error:
            raise Broken(f"the LRS gives no answer: {error}") from None


class TooMuch(Broken):
    """An answer was larger than it may be: asking for less may help."""


class _Statements(msgspec.Struct):
    statements: list[Raw]
    more: str | None = None


@asynccontextmanager
async def speak(client: Client, far: Far) -> AsyncIterator[Lrs]:
    """A conversation over one connection, as long as that holds. Raises `Refused`."""
    try:
        async with client.keep(far.place("statements")) as line:
            yield Lrs(line, far)
    except Forbidden as error:
        raise Refused(f"the LRS must not be called: {error}") from None


def _fail(answer: Answer) -> Exception:
    status = answer.status
    if status in _WAIT:
        return Busy(f"the LRS asks to wait ({status})", answer.retry_after_s)
    if status in _REFUSALS:
        return Refused(f"the LRS {_REFUSALS[status]} ({status})")
    if 300 <= status < 400:
        return Refused(f"the LRS leads elsewhere ({status}): redirects are not followed")
    if 400 <= status < 500 and status != 408:
        return Refused(f"the LRS takes the call for wrong ({status})")
    return Broken(f"the LRS answered {status}")


def _unpack(answer: Answer) -> tuple[bytes, Contents]:
    try:
        return unpack(answer.body, answer.headers.get("content-type", ""))
    except Malformed as error:
        raise Broken(f"the LRS gave what cannot be read: {error}") from None


def _require_ids(body: bytes, count: int) -> None:
    """Success is told by the ids of what was stored; a proxy or a login page tells something else."""
    try:
        ids = wire.decode(body, list[str])
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        ids = []
    if len(ids) != count:
        raise Broken("the LRS answered 200 without the ids of the statements")
