"""Connections that are slow, too many, or not who they say (abuse rows A4, A27)."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.raw_gateway import CHUNKED, HEAD, gateway, post

# -- A4: slowness ------------------------------------------------------------------------------------------------------

SLOW = {
    "slow header": (b"POST / HTTP/1.1\r\nHost: ", 408),
    "half a body": (HEAD + b"Content-Length: 10\r\n\r\nhello", 408),
    "half a chunk": (CHUNKED + b"5\r\nab", 408),
    "silence": (b"", None),
    "silence after an answer": (post(), 200),
    "empty lines": (b"\r\n\r\n", None),
}


@pytest.mark.parametrize(("sent", "status"), SLOW.values(), ids=SLOW)
async def test_a4_a_slow_client_is_closed(sent: bytes, status: int | None) -> None:
    async with gateway(header_timeout_s=0.2, idle_timeout_s=0.2, body_timeout_s=0.2) as gate:
        peer = await gate.connect()
        await peer.send(sent)
        if status == 408:
            refusal = await peer.refusal()
            assert refusal.code == (408, 10000)
        elif status == 200:
            assert (await peer.answer()).status == 200

        assert await peer.is_closed()


async def test_a4_trickling_does_not_prolong_the_time_for_a_header() -> None:
    async with gateway(header_timeout_s=0.2, idle_timeout_s=60) as gate:
        peer = await gate.connect()
        answering = asyncio.create_task(peer.refusal())
        await peer.send(HEAD)
        while not answering.done():
            await peer.send(b"X: 1\r\n")
            await asyncio.wait([answering], timeout=0.05)

    assert answering.result().code == (408, 10000)


async def test_a4_a_body_below_the_rate_is_refused_after_five_seconds() -> None:
    async with gateway(min_body_rate=100, body_timeout_s=60) as gate:
        peer = await gate.connect()
        began_at = asyncio.get_running_loop().time()
        await peer.send(HEAD + b"Content-Length: 1000\r\n\r\n" + b"x" * 550)
        await gate.app.received(550)

        gate.server.sweep(began_at + 5.2)
        assert gate.refusals == []

        gate.server.sweep(began_at + 5.7)
        assert (await peer.refusal()).code == (408, 10000)


async def test_a4_a_large_upload_has_time_in_proportion() -> None:
    async with gateway(max_body=1000, max_upload=2000, body_timeout_s=30, min_body_rate=1) as gate:
        peer = await gate.connect()
        began_at = asyncio.get_running_loop().time()
        await peer.send(b"PUT /uploads/a/1 HTTP/1.1\r\nHost: gate\r\nContent-Length: 2000\r\n\r\n" + b"x" * 1000)
        await gate.app.received(1000)

        gate.server.sweep(began_at + 59)
        assert gate.refusals == []

        gate.server.sweep(began_at + 62)
        assert (await peer.refusal()).code == (408, 10000)


async def test_a4_a_slow_body_is_refused_in_place_of_the_app_and_the_app_is_told() -> None:
    async with gateway(body_timeout_s=0.2) as gate:
        await gate.refused(HEAD + b"Content-Length: 10\r\n\r\nhello")
        async with asyncio.timeout(5):
            await gate.app.disconnected.wait()

    assert [error.code.name for error in gate.refusals] == ["body_timeout"]


async def test_a4_a_client_that_fetches_no_answer_is_closed() -> None:
    async with gateway(idle_timeout_s=0.2) as gate:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, ("127.0.0.1", gate.server.port))
            await loop.sock_sendall(client, post(path=b"/large"))
            async with asyncio.timeout(5):
                await gate.app.disconnected.wait()


async def test_a4_many_slow_clients_do_not_hold_up_a_good_one() -> None:
    async with gateway(header_timeout_s=0.3, idle_timeout_s=0.3, body_timeout_s=0.3) as gate:
        slow = [await gate.connect() for _ in range(60)]
        for peer, sent in zip(slow, [b"POST / HT", b"", HEAD + b"Content-Length: 9\r\n\r\nx"] * 20, strict=True):
            await peer.send(sent)
        answer = await gate.ask(post(b"abc"))

        assert answer.status == 200
        for peer in slow:
            await peer.reader.read()
    assert len(gate.refusals) == 40


# -- too many ----------------------------------------------------------------------------------------------------------


async def test_the_connection_above_the_limit_is_refused_until_another_ends() -> None:
    async with gateway(max_connections=2) as gate:
        first, second = await gate.connect(), await gate.connect()
        await first.send(post())
        await first.answer()
        await second.send(post())
        await second.answer()
        refusal = await gate.refused()
        second.writer.close()
        await second.writer.wait_closed()
        admitted = await gate.connect_until_admitted()

    assert refusal.code == (503, 10000)
    assert refusal.headers["retry-after"] in ("4", "5", "6")
    assert admitted.status == 200


async def test_the_connection_of_one_source_above_the_limit_is_refused() -> None:
    async with gateway(max_connections_per_source=1) as gate:
        peer = await gate.connect()
        await peer.send(post())
        await peer.answer()
        refusal = await gate.refused()
        other = await gate.connect(local="127.0.0.2")
        await other.send(post())
        answer = await other.answer()

    assert refusal.code == (429, 42000)
    assert refusal.headers["retry-after"] in ("4", "5", "6")
    assert answer.status == 200


async def test_connections_through_a_trusted_proxy_are_not_one_source() -> None:
    async with gateway(max_connections_per_source=1, trusted_proxies="127.0.0.1") as gate:
        await gate.connect()
        answer = await gate.ask(post())

    assert answer.status == 200


# -- A27: who is calling -----------------------------------------------------------------------------------------------


async def test_a27_forged_proxy_headers_are_ignored() -> None:
    async with gateway() as gate:
        answer = await gate.ask(post(headers=b"X-Forwarded-For: 203.0.113.9\r\nForwarded: for=203.0.113.9\r\n"))

    assert answer.body["client"][0] == "127.0.0.1"


async def test_a27_a_listed_proxy_is_believed_about_the_last_hop_only() -> None:
    async with gateway(trusted_proxies="127.0.0.0/8, 10.0.0.0/8") as gate:
        headers = b"X-Forwarded-For: 198.51.100.1, 203.0.113.9\r\nX-Forwarded-For: 10.1.1.1\r\n"
        answer = await gate.ask(post(headers=headers))

    assert answer.body["client"] == ["203.0.113.9", 0]
