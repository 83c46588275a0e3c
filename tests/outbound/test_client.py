"""The client that calls what users name: it connects to what was judged, and is out of every trap in time."""

from __future__ import annotations

import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network
from pathlib import Path

import pytest

from jobgate.outbound import Client, Forbidden, Rules, Unreachable
from jobgate.outbound.addresses import Address
from jobgate.outbound.client import MAX_ANSWER, Resolve
from tests.listeners import (
    Answer,
    answering,
    break_off,
    hang,
    listening,
    make_tls,
    pour_body,
    pour_headers,
    talk_nonsense,
    trickle_body,
    trickle_head,
)
from tests.outbound.names import resolving

HERE = ip_network("127.0.0.1/32")
TIMEOUT_S = 1.0


@asynccontextmanager
async def opened(
    *, names: Sequence[str] = (), resolve: Resolve | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Client]:
    """A client that may call 127.0.0.1, and names of the test's."""
    rules = Rules(http=True, networks=(HERE,), names=frozenset(names))
    client = Client(rules, timeout_s=TIMEOUT_S, tls=tls, resolve=resolve)
    try:
        yield client
    finally:
        client.close()


# -- where it connects to -----------------------------------------------------------------------------------------


async def test_a_body_is_posted_as_it_is_with_its_headers() -> None:
    async with listening(answering(200, b"thanks")) as listener, opened() as client:
        answer = await client.post(listener.url, b'{"a": 1}', {"webhook-id": "m"})

    (post,) = listener.posts
    assert (answer.status, answer.body, answer.retry_after_s) == (200, b"thanks", None)
    assert (post.line, post.body, post.id) == ("POST /hook HTTP/1.1", b'{"a": 1}', "m")
    assert post.headers["host"] == f"127.0.0.1:{listener.port}"
    assert post.headers["accept-encoding"] == "identity"
    assert post.headers["content-type"] == "application/json"


async def test_a_name_is_resolved_once_and_the_judged_address_is_connected_to() -> None:
    resolve, asked = resolving(["127.0.0.1"], ["127.0.0.2"])
    async with listening() as listener, opened(names=["lms.example"], resolve=resolve) as client:
        answer = await client.post(f"http://lms.example:{listener.port}/x", b"{}", {})

    assert (answer.status, asked) == (204, ["lms.example"])
    assert listener.posts[0].headers["host"] == f"lms.example:{listener.port}"


@pytest.mark.parametrize("inside", ["10.0.0.1", "127.0.0.2", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
async def test_a_name_that_leads_inside_is_refused_even_beside_a_public_address(inside: str) -> None:
    resolve, _ = resolving(["1.1.1.1", inside])
    async with opened(resolve=resolve) as client:
        with pytest.raises(Forbidden, match="not public"):
            await client.post("https://lms.example/", b"{}", {})


async def test_a_name_that_changes_its_answer_is_judged_at_every_call() -> None:
    resolve, _ = resolving(["127.0.0.1"], ["127.0.0.2"])
    async with listening() as listener, opened(resolve=resolve) as client:
        # Port 80 belongs to nobody here: being refused a connection is as good as being let through.
        with pytest.raises(Unreachable):
            await client.post("http://lms.example/", b"{}", {})
        with pytest.raises(Forbidden):
            await client.post("http://lms.example/", b"{}", {})

    assert listener.connections == 0


async def test_a_name_that_leads_to_our_own_database_is_refused() -> None:
    resolve, asked = resolving(["1.1.1.1"])
    client = Client(Rules(own=frozenset({"db.example", "9.9.9.9"})), timeout_s=TIMEOUT_S, resolve=resolve)
    with pytest.raises(Forbidden, match="own"):
        await client.post("https://lms.example/", b"{}", {})
    client.close()

    assert asked == ["lms.example", "db.example"]


async def test_the_next_address_is_tried_when_one_cannot_be_connected_to() -> None:
    resolve, _ = resolving(["127.0.0.2", "127.0.0.1"])
    async with listening() as listener, opened(names=["lms.example"], resolve=resolve) as client:
        answer = await client.post(f"http://lms.example:{listener.port}/", b"{}", {})

    assert answer.status == 204


async def test_a_name_without_an_address_is_unreachable() -> None:
    async def resolve(host: str, port: int) -> Sequence[Address]:
        raise OSError("no such name")

    async with opened(resolve=resolve) as client:
        with pytest.raises(Unreachable, match="resolved"):
            await client.post("https://lms.example/", b"{}", {})


async def test_the_name_service_of_the_system_is_asked() -> None:
    async with listening() as listener, opened(names=["localhost"]) as client:
        answer = await client.post(f"http://localhost:{listener.port}/", b"{}", {})

    assert answer.status == 204


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening() as proxy, listening() as listener, opened() as client:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        await client.post(listener.url, b"{}", {})

    assert (proxy.connections, listener.connections) == (0, 1)


async def test_connections_are_not_shared() -> None:
    async with listening() as listener, opened() as client:
        await client.post(listener.url, b"{}", {})
        await client.post(listener.url, b"{}", {})

    assert listener.connections == 2


# -- traps --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (hang, "no answer within 1 s"),
        (trickle_head, "no answer within 1 s"),
        (trickle_body, "no answer within 1 s"),
        (break_off, "no HTTP"),
        (talk_nonsense, "no HTTP"),
        (pour_headers, "no HTTP"),
    ],
)
async def test_a_trap_is_left_in_time(answer: Answer, why: str) -> None:
    async with listening(answer) as listener, opened() as client:
        started = time.monotonic()
        with pytest.raises(Unreachable, match=why):
            await client.post(listener.url, b"{}", {})

        assert time.monotonic() - started < TIMEOUT_S + 1


async def test_an_endless_body_is_cut_off_and_costs_no_memory() -> None:
    async with listening(pour_body) as listener, opened() as client:
        await client.post(listener.url, b"{}", {})
        tracemalloc.start()
        try:
            answers = [await client.post(listener.url, b"{}", {}) for _ in range(20)]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert {(answer.status, len(answer.body)) for answer in answers} == {(200, MAX_ANSWER)}
    assert peak < 20 * MAX_ANSWER + 2 * 2**20


async def test_a_closed_port_is_unreachable() -> None:
    async with listening() as listener:
        pass
    async with opened() as client:
        with pytest.raises(Unreachable, match="refused"):
            await client.post(listener.url, b"{}", {})


async def test_a_redirect_is_an_answer_like_every_other() -> None:
    async with listening() as inside, listening() as listener, opened() as client:
        listener.answer = answering(302, location=inside.url)
        answer = await client.post(listener.url, b"{}", {})

    assert (answer.status, inside.connections) == (302, 0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("-1", None),
        ("soon", None),
        ("1e3", None),
        ("9" * 400, None),
        ("Wed, 99 Nov 2026 99:99:99 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
async def test_retry_after_is_read_where_it_says_something(value: str, seconds: float | None) -> None:
    async with listening(answering(429, retry_after=value)) as listener, opened() as client:
        answer = await client.post(listener.url, b"{}", {})

    assert answer.retry_after_s == seconds


async def test_retry_after_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    async with listening(answering(503, retry_after=later)) as listener, opened() as client:
        answer = await client.post(listener.url, b"{}", {})

    assert answer.retry_after_s is not None
    assert 95 < answer.retry_after_s <= 100


# -- TLS ----------------------------------------------------------------------------------------------------------


async def test_the_certificate_must_be_for_the_name_though_an_address_is_connected_to(tmp_path: Path) -> None:
    server, trust = make_tls(tmp_path, "lms.example")
    asked: list[str | None] = []
    server.sni_callback = lambda _, name, __: asked.append(name)
    resolve, _ = resolving(["127.0.0.1"])
    names = ["lms.example", "other.example"]
    async with listening(tls=server) as listener, opened(names=names, resolve=resolve, tls=trust) as client:
        answer = await client.post(f"https://lms.example:{listener.port}/", b"{}", {})
        with pytest.raises(Unreachable, match="certificate is not valid"):
            await client.post(f"https://other.example:{listener.port}/", b"{}", {})

    assert (answer.status, asked) == (204, ["lms.example", "other.example"])
    assert len(listener.posts) == 1


async def test_a_certificate_that_nobody_signed_is_refused(tmp_path: Path) -> None:
    server, _ = make_tls(tmp_path, "lms.example")
    resolve, _ = resolving(["127.0.0.1"])
    async with listening(tls=server) as listener, opened(names=["lms.example"], resolve=resolve) as client:
        with pytest.raises(Unreachable, match="certificate is not valid"):
            await client.post(f"https://lms.example:{listener.port}/", b"{}", {})

    assert listener.posts == []


async def test_plain_http_where_tls_is_expected_is_unreachable() -> None:
    async with listening() as listener, opened() as client:
        with pytest.raises(Unreachable):
            await client.post(listener.url.replace("http:", "https:"), b"{}", {})
