"""The endpoint under test, as checks talk to it: every answer is judged by whoever asked."""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urljoin

from jobgate import wire
from jobgate.outbound import Answer, Forbidden, Unreachable
from jobgate.xapi.instants import read_instant
from jobgate.xapi.violations import Version

MAX_ANSWER = 8 * 1024 * 1024

SETTLE_S = 15.0
"""How long an endpoint may take until what it accepted can be found."""

_LOOK_S = 0.25

JSON = "application/json"
THROUGH = "x-experience-api-consistent-through"
VERSION = "X-Experience-API-Version"

Params = Mapping[str, Any]
Headers = Mapping[str, str | None]
"""None: the header is left out."""


class Caller(Protocol):
    """What carries calls, such as a line of `jobgate.outbound`."""

    async def call(
        self, method: str, url: str, body: bytes = ..., headers: Mapping[str, str] | None = ..., *, max_answer: int
    ) -> Answer: ...


class Broken(Exception):
    """The endpoint did not answer as it should. The text says how, and repeats nothing that the endpoint said."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where it is, and as whom it is spoken to."""

    url: str
    username: str
    password: str = field(repr=False)
    version: Version = "1.0.3"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, and what was asked."""

    asked: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def must_be(self, *statuses: int, why: str = "") -> Said:
        """One of these statuses. Raises `Broken`."""
        if self.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            raise Broken(f"{self.asked} answered {self.status}, not {wanted}{f': {why}' if why else ''}")
        return self

    def require(self, claim: object, what: str) -> None:
        """Raise `Broken` unless the claim holds."""
        if not claim:
            raise Broken(f"{self.asked}: {what}")

    def json(self, status: int = 200) -> Any:
        """The body of an answer with this status."""
        self.must_be(status)
        try:
            return wire.decode(self.body, Any)
        except (ValueError, RecursionError):
            raise Broken(f"{self.asked}: the answer is no JSON") from None

    def object(self, status: int = 200) -> dict[str, Any]:
        """The same, which must be an object."""
        found = self.json(status)
        self.require(isinstance(found, dict), "the answer is no JSON object")
        return dict(found)

    def header(self, name: str) -> str:
        """A header, which must be there."""
        value = self.headers.get(name.lower())
        if value is None:
            raise Broken(f"{self.asked}: the answer has no header {name}")
        return value

    def statements(self) -> list[dict[str, Any]]:
        """Those of a page."""
        found = self.object().get("statements")
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            raise Broken(f"{self.asked}: `statements` is no array of objects")
        return found

    def ids(self) -> list[str]:
        """The ids of the statements of a page, in their order."""
        return [str(each.get("id")).lower() for each in self.statements()]


class Lrs:
    """One endpoint, under one version of the standard."""

    def __init__(self, caller: Caller, endpoint: Endpoint) -> None:
        self._caller = caller
        self._endpoint = endpoint
        credentials = f"{endpoint.username}:{endpoint.password}".encode()
        self._authorization = "Basic " + base64.b64encode(credentials).decode()

    @property
    def version(self) -> Version:
        """Of the standard."""
        return self._endpoint.version

    @property
    def is_2(self) -> bool:
        """Whether it is 2.0.0."""
        return self.version == "2.0.0"

    async def ask(
        self, method: str, path: str, params: Params | None = None, body: bytes = b"", headers: Headers | None = None
    ) -> Said:
        """Ask; nothing is expected of the answer, but that there is one."""
        base = self._endpoint.url.rstrip("/") + "/"
        query = urlencode({name: _text(value) for name, value in (params or {}).items()}, quote_via=quote)
        return await self._call(method, path, base + path + (f"?{query}" if query else ""), body, headers)

    async def follow(self, more: str) -> Said:
        """The page that `more` names: a path on the server, or a whole URL."""
        try:
            return await self._call("GET", "more", urljoin(self._endpoint.url, more), b"", None)
        except Forbidden:
            raise Broken("GET statements: `more` leads to another server, or is no URL") from None

    async def _call(self, method: str, path: str, url: str, body: bytes, headers: Headers | None) -> Said:
        sent: dict[str, str | None] = {VERSION: self.version, "Authorization": self._authorization}
        if body:
            sent["Content-Type"] = JSON
        sent |= headers or {}
        whole = {name: value for name, value in sent.items() if value is not None}
        asked = f"{method} {path}"
        try:
            answer = await self._caller.call(method, url, body, whole, max_answer=MAX_ANSWER)
        except Unreachable as error:
            raise Silent(f"{asked}: {error}") from None
        return Said(asked, answer.status, answer.headers, answer.body)

    # -- statements --------------------------------------------------------------------------------------------------

    async def post(self, body: Any, **headers: str | None) -> Said:
        """Post a statement or several."""
        return await self.ask("POST", "statements", body=wire.encode(body), headers=_named(headers))

    async def put(self, statement: Any, **params: Any) -> Said:
        """Put a statement under an id."""
        return await self.ask("PUT", "statements", params, wire.encode(statement))

    async def get(self, **params: Any) -> Said:
        """Get statements."""
        return await self.ask("GET", "statements", params)

    async def keep(self, *statements: dict[str, Any]) -> list[str]:
        """Post statements that must be accepted, and wait until they can be found; their ids."""
        ids = (await self.post(list(statements))).json()
        if not isinstance(ids, list) or not ids:
            raise Broken("POST statements: the answer is no array of ids")
        await self.settle(str(ids[-1]))
        return [str(id).lower() for id in ids]

    async def keep_apart(self, *statements: dict[str, Any]) -> list[datetime]:
        """The same one after the other, so that each is stored later than the one before; when they were."""
        moments: list[datetime] = []
        for statement in statements:
            (id,) = await self.keep(statement)
            moment = read_time((await self.get(statementId=id)).object().get("stored"))
            if moments and moment <= moments[-1]:
                raise Broken("statements that are posted one after the other are not stored in that order")
            moments.append(moment)
            await asyncio.sleep(0.002)  # many keep milliseconds
        return moments

    async def settle(self, id: str) -> None:
        """Wait until a statement can be found, and the endpoint says that lists have everything up to it."""
        ends_at = time.monotonic() + SETTLE_S
        while True:
            said = await self.get(statementId=id)
            if said.status == 200:
                stored = read_time(said.object().get("stored"))
                through = read_instant(said.headers.get(THROUGH, ""), is_2=False)
                if through is None or through >= stored:
                    return
            if time.monotonic() > ends_at:
                raise Broken(f"a statement that was accepted cannot be found within {SETTLE_S:.0f} s")
            await asyncio.sleep(_LOOK_S)

    async def read_all(self, **params: Any) -> list[str]:
        """The ids of all statements that fit, page after page."""
        said = await self.get(**params)
        found = said.ids()
        for _ in range(1000):
            more = said.object().get("more")
            if not more:
                return found
            said = await self.follow(str(more))
            found += said.ids()
        raise Broken("GET statements: `more` does not end")


class Silent(Broken):
    """The endpoint gave no answer."""


def read_time(value: Any) -> datetime:
    """A time that the endpoint gave. Raises `Broken`."""
    moment = read_instant(value, is_2=False) if isinstance(value, str) else None
    if moment is None:
        raise Broken("a time in an answer is no ISO 8601 date and time")
    return moment


def require_same(found: Collection[str] | Sequence[str], wanted: Sequence[str], what: str) -> None:
    """Raise `Broken` unless these are the ids that are wanted, in any order."""
    if sorted(found) != sorted(wanted):
        missing, extra = len(set(wanted) - set(found)), len(set(found) - set(wanted))
        raise Broken(f"{what} finds others than it should: {missing} missing, {extra} too many")


def make_id() -> str:
    """An id that nobody has."""
    return str(uuid.uuid4())


def _text(value: Any) -> str:
    """A value in a query: JSON but for texts."""
    if isinstance(value, str):
        return value
    return wire.encode(value).decode()


def _named(headers: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
