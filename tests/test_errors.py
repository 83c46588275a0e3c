"""Every code meets its status and its number over real HTTP, in the one envelope."""

from __future__ import annotations

import asyncio
import http.client
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from jobgate.client import FORM_TYPE, Credentials, sign_form
from jobgate.context import Context, Request
from jobgate.embedded import Servers
from jobgate.errors import Code
from jobgate.registry import Action, load_actions
from jobgate.testing import HOME, Server, open_server


@dataclass(frozen=True, slots=True)
class Sent:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any]


async def send(
    server: Server,
    body: bytes = b"",
    path: str = "/v2025.1.LTS/jobs",
    method: str = "POST",
    headers: dict[str, str] | None = None,
) -> Sent:
    """One real HTTP exchange."""

    def exchange() -> Sent:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        try:
            connection.request(method, path, body, {"Content-Type": FORM_TYPE} | (headers or {}))
            response = connection.getresponse()
            text = response.read()
            return Sent(response.status, {k.lower(): v for k, v in response.getheaders()}, json.loads(text))
        finally:
            connection.close()

    return await asyncio.to_thread(exchange)


def signed(
    request: Any = None, action: str | None = "get", *, who: Credentials = HOME, offset_s: float = 0, **keys: Any
) -> bytes:
    """A signed form, now or `offset_s` from now."""
    return sign_form(
        who, {} if request is None else request, action, now=datetime.now(UTC) + timedelta(seconds=offset_s), **keys
    )


class Nothing(Request, frozen=True, kw_only=True):
    """No parameters."""


def add_action(handle: Callable[[Context, Any], Awaitable[Any]]) -> dict[str, dict[str, Action]]:
    """The shipped actions and `toys` get."""
    toy = Action(
        "toys", "get", False, handle, Nothing, dict[str, int], "A toy.", "Toys.", load_actions()["jobs"]["get"].file
    )
    return {endpoint: dict(verbs) for endpoint, verbs in load_actions().items()} | {"toys": {"get": toy}}


async def crash(ctx: Context, request: Nothing) -> dict[str, int]:
    """Raise what nobody expects."""
    raise ZeroDivisionError("secret text of an exception")


async def say_too_much(ctx: Context, request: Nothing) -> dict[str, str]:
    """Answer more than a client should get."""
    return {"text": "x" * 10_000}


async def run_sql(server: Server, statement: str) -> None:
    """Change the database behind the gateway's back."""
    connection = await asyncpg.connect(server.settings.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def check(sent: Sent, code: Code) -> None:
    """The envelope of a refusal."""
    assert (sent.status, sent.body["meta"]["code"]) == (code.status, code.number), sent
    assert sent.body["meta"]["status"] is False
    assert sent.body["meta"]["message"]
    assert str(uuid.UUID(sent.body["meta"]["request_uuid"])) == sent.body["meta"]["request_uuid"]
    assert sent.headers["content-type"] == "application/json; charset=utf-8"


STATUS_ENTRY = {"session_id": "s", "user_id": "u", "status": "Completed"}

SIMPLE: dict[Code, Callable[[Server], Awaitable[Sent]]] = {
    Code.missing_parameter: lambda s: send(s, signed({}, "update"), "/v2025.1.LTS/jobs/sessions/statuses"),
    Code.invalid_length: lambda s: send(s, signed({"statuses": []}, "update"), "/v2025.1.LTS/jobs/sessions/statuses"),
    Code.too_much: lambda s: send(s, signed({"references": ["x"] * 1001})),
    Code.url_too_long: lambda s: send(s, path="/" + "x" * 9000),
    Code.headers_too_large: lambda s: send(s, headers={"X-Long": "x" * 20_000}),
    Code.wrong_type: lambda s: send(s, signed({"limit": "many"})),
    Code.unsupported_value: lambda s: send(s, signed({}, "delete")),
    Code.invalid_json: lambda s: send(s, signed("{")),
    Code.endpoint_not_found: lambda s: send(s, signed(), "/v2025.1.LTS/nowhere"),
    Code.method_not_allowed: lambda s: send(s, method="GET"),
    Code.organisation_forbidden: lambda s: send(s, signed({"organisation_id": 2})),
    Code.security_missing: lambda s: send(s, b"request=%7B%7D"),
    Code.security_length: lambda s: send(s, signed(who=HOME._replace(key="short"))),
    Code.unknown_consumer: lambda s: send(s, signed(who=HOME._replace(key="nobodyhasthiskey"))),
    Code.signature_mismatch: lambda s: send(s, signed(who=HOME._replace(secret="wrong"))),
    Code.timestamp_out_of_range: lambda s: send(s, signed(offset_s=-4 * 3600)),
    Code.domain_not_allowed: lambda s: send(s, signed(who=HOME._replace(domain="evil.example"))),
    Code.expires_malformed: lambda s: send(s, signed(expires="soon")),
    Code.expired: lambda s: send(s, signed(expires="20200101-0000")),
    Code.unknown_dataset_type: lambda s: send(
        s, signed({"dataset_type": "x", "dataset_id": str(uuid.uuid4())}, "set"), "/v2025.1.LTS/jobs/reports/datasets"
    ),
    Code.dataset_not_ready: lambda s: send(
        s,
        signed({"dataset_type": "activity-summary-by-group", "dataset_id": str(uuid.uuid4())}, "set"),
        "/v2025.1.LTS/jobs/reports/datasets",
    ),
}


@pytest.fixture(scope="module")
async def server(servers: Servers) -> AsyncIterator[Server]:
    async with open_server(servers) as server:
        yield server


@pytest.mark.parametrize("code", list(SIMPLE), ids=lambda code: code.name)
async def test_a_call_is_refused_with(server: Server, code: Code) -> None:
    check(await SIMPLE[code](server), code)


@asynccontextmanager
async def changed(servers: Servers, statement: str) -> AsyncIterator[Server]:
    """A server whose consumers were changed."""
    async with open_server(servers) as server:
        await run_sql(server, statement)
        yield server


async def post(server: Server) -> Sent:
    """A call that is fine in itself."""
    return await send(server, signed())


async def use_up_the_rate(server: Server) -> Sent:
    """A second call in a window of one."""
    await post(server)
    return await post(server)


CONSUMERS: dict[Code, tuple[str, Callable[[Server], Awaitable[Sent]]]] = {
    Code.no_organisation: ("update consumer set organisation_id = null", post),
    Code.access_denied: ("update consumer set endpoints = '{sessions}'", post),
    Code.consumer_inactive: ("update consumer set active = false", post),
    Code.version_too_low: ("update consumer set minimum_version = 'v2026.1.LTS'", post),
    Code.rate_limited: ("""update consumer set rates = '{"get jobs": 1}'""", use_up_the_rate),
}


@pytest.mark.parametrize("code", list(CONSUMERS), ids=lambda code: code.name)
async def test_a_consumer_is_refused_with(servers: Servers, code: Code) -> None:
    statement, call = CONSUMERS[code]
    async with changed(servers, statement) as server:
        check(await call(server), code)


async def test_a_full_window_says_when_to_come_back(servers: Servers) -> None:
    async with changed(servers, CONSUMERS[Code.rate_limited][0]) as server:
        sent = await use_up_the_rate(server)

        assert sent.body["meta"]["message"] == "Too many requests"
        assert int(sent.headers["retry-after"]) >= 1


async def test_the_job_service_can_be_off(servers: Servers) -> None:
    async with open_server(servers, jobs_api=False) as server:
        check(await post(server), Code.service_disabled)


async def test_a_bug_is_told_without_its_text(servers: Servers) -> None:
    async with open_server(servers, actions=add_action(crash)) as server:
        sent = await send(server, signed(), "/v2025.1.LTS/toys")

        check(sent, Code.internal)
        assert "secret" not in json.dumps(sent.body)


async def test_an_answer_may_be_too_large(servers: Servers) -> None:
    async with open_server(servers, actions=add_action(say_too_much), max_answer=5000) as server:
        check(await send(server, signed(), "/v2025.1.LTS/toys"), Code.answer_too_large)


async def test_a_repeat_is_refused_where_replays_are(servers: Servers) -> None:
    async with open_server(servers, replay="refuse") as server:
        path = "/v2025.1.LTS/jobs/sessions/statuses"
        first = signed({"statuses": [STATUS_ENTRY]}, "update")
        for body in (first, signed({"statuses": [STATUS_ENTRY], "meta": {"n": 2}}, "update")):
            assert (await send(server, body, path)).status == 200

        check(await send(server, first, path), Code.conflict)


async def test_a_database_that_keeps_a_call_waiting_is_not_waited_for(servers: Servers) -> None:
    async with open_server(servers, gateway_statement_s=0.3, gateway_acquire_s=0.3) as server:
        await post(server)
        connection = await asyncpg.connect(server.settings.database_url)
        await connection.execute("begin; lock table job in access exclusive mode")
        try:
            sent = await post(server)
        finally:
            await connection.close()

        check(sent, Code.unavailable)
        assert int(sent.headers["retry-after"]) >= 1


async def test_an_entry_of_a_job_is_refused_with_a_code_of_the_same_list(servers: Servers) -> None:
    async with open_server(servers, workers=1) as server:
        path = "/v2025.1.LTS/jobs/sessions/statuses"
        started = await send(server, signed({"statuses": [STATUS_ENTRY]}, "update"), path)
        query = {"references": [started.body["data"]["job_reference"]], "include": ["status", "results"]}
        async with asyncio.timeout(10):
            while (job := (await send(server, signed(query))).body["data"][0])["status"] != "completed":
                pass

        assert [entry["code"] for entry in job["results"]] == [Code.session_not_found.number]


async def test_a_body_that_stops_is_not_waited_for(servers: Servers) -> None:
    async with open_server(servers, body_timeout_s=0.3) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"POST /v2025.1.LTS/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()

        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert msgspec.json.decode(body)["meta"]["code"] == Code.body_timeout.number


def test_every_code_has_its_row() -> None:
    proven = {
        *SIMPLE,
        *CONSUMERS,
        Code.service_disabled,
        Code.internal,
        Code.session_not_found,
        Code.answer_too_large,
        Code.conflict,
        Code.unavailable,
        Code.body_timeout,
    }

    assert set(Code) == proven
