"""Who may ask what: credentials, versions, resources, methods. Everything that is refused is refused here."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from jobgate.xapi.violations import Version
from tests.lrs.catalogue import get_about, get_activity, get_agent
from tests.lrs.documents import OWNERS, Documents
from tests.lrs.faults import Instead, Orders
from tests.lrs.http import Request, Response, listening
from tests.lrs.kept import Keeping, show
from tests.lrs.refusals import Refusal
from tests.lrs.statements import Statements

PATH = "/xapi"
USERNAME, PASSWORD = "tester", "a secret: with colon"
MAX_BODY = 1024 * 1024

READ = frozenset({"GET", "HEAD"})
METHODS: dict[str, frozenset[str]] = {
    "about": READ,
    "statements": READ | {"PUT", "POST"},
    "statements/more": READ,
    "activities": READ,
    "agents": READ,
    **dict.fromkeys(OWNERS, READ | {"PUT", "POST", "DELETE"}),
}


@dataclass
class Lrs:
    """A running LRS."""

    port: int = 0
    scheme: str = "http"
    host: str = "127.0.0.1"
    username: str = USERNAME
    password: str = PASSWORD
    max_body: int = MAX_BODY
    lag_s: float = 0.0
    """How far consistent-through is behind now."""
    keeping: Keeping = field(default_factory=Keeping)
    faults: Orders = field(default_factory=Orders)
    requests: list[Request] = field(default_factory=list)
    rewrite_page: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Changes a page of statements before it is sent."""

    def __post_init__(self) -> None:
        self.statements = Statements(self.keeping, f"{PATH}/statements")
        self.statements.rewrite_page = lambda page: self.rewrite_page(page) if self.rewrite_page else page
        self.documents = {resource: Documents(self.keeping, resource) for resource in OWNERS}

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"{self.scheme}://{self.host}:{self.port}{PATH}/"

    @property
    def ids(self) -> list[str]:
        """Of all statements, in the order of their stored."""
        return list(self.keeping.statements)

    def add(self, *statements: dict[str, Any], contents: Sequence[bytes] = (), version: Version = "1.0.3") -> list[str]:
        """Keep statements as if somebody had posted them."""
        attached = {hashlib.sha256(data).hexdigest(): ("text/plain", data) for data in contents}
        copies = [json.loads(json.dumps(statement)) for statement in statements]
        return self.statements.record(copies, attached, version)

    def asked(self, method: str, resource: str) -> list[Request]:
        """The requests of a kind that came."""
        return [each for each in self.requests if (each.method, each.path) == (method, f"{PATH}/{resource}")]

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> Response | None:
        """Answer a request, or do what was ordered instead."""
        self.requests.append(request)
        resource = request.path.removeprefix(PATH + "/")
        fault = self.faults.find(request, resource)
        if isinstance(fault, Instead):
            return fault.response
        try:
            response = self._answer(request, resource)
        except Refusal as refusal:
            response = Response(refusal.status, refusal.why.encode(), {"Content-Type": "text/plain"})
        response.headers["X-Experience-API-Version"] = _find_version(request) or "1.0.3"
        if resource.startswith("statements"):
            through = datetime.now(UTC) - timedelta(seconds=self.lag_s)
            response.headers["X-Experience-API-Consistent-Through"] = show(through)
        if response.status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="lrs"'
        return response if fault is None else await fault(response, writer)

    def _answer(self, request: Request, resource: str) -> Response:
        if not request.path.startswith(PATH + "/") or resource not in METHODS:
            raise Refusal(404)
        if request.method not in METHODS[resource]:
            raise Refusal(405)
        if len(request.body) > self.max_body:
            raise Refusal(413)
        if resource == "about":
            return get_about(["1.0.3", "2.0.0"])
        expected = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            raise Refusal(401)
        version = _find_version(request)
        if version is None:
            raise Refusal(400, "X-Experience-API-Version is missing, or one that this LRS does not speak")
        if resource in self.documents:
            return self.documents[resource].answer(request, version)
        if resource == "agents":
            return get_agent(self.keeping, request, version)
        if resource == "activities":
            return get_activity(self.keeping, request, version)
        if request.method == "PUT":
            return self.statements.put(request, version)
        if request.method == "POST":
            return self.statements.post(request, version)
        return self.statements.get(request, version)


def _find_version(request: Request) -> Version | None:
    named = request.headers.get("x-experience-api-version", "")
    if re.fullmatch(r"1\.0(\.[0-9]+)?", named):
        return "1.0.3"
    return "2.0.0" if re.fullmatch(r"2\.0(\.[0-9]+)?", named) else None


@asynccontextmanager
async def serving(*, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[Lrs]:
    """An LRS on 127.0.0.1 while the block runs."""
    lrs = Lrs(scheme="https" if tls else "http", **options)
    async with listening(lrs.answer, tls) as lrs.port:
        yield lrs
