"""The server layer: what it lets through, how it answers for a failed app, and how it starts and stops."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from jobgate.server import build_server
from jobgate.settings import Settings, SettingsError
from tests.raw_gateway import CHUNKED, HEAD, SMUGGLED, App, Message, Peer, Receive, Send, gateway, post

# -- what is let through -----------------------------------------------------------------------------------------------


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(b"abc"))
        first = await peer.answer()
        await peer.send(post(b"defg"))
        second = await peer.answer()

    assert (first.status, first.body["length"], second.body["length"]) == (200, 3, 4)
    assert "connection" not in first.headers


async def test_answers_carry_the_date_and_no_server_name() -> None:
    async with gateway() as gate:
        answer = await gate.ask(post())
        refusal = await gate.refused(b"nonsense\r\n\r\n")

    assert "date" in answer.headers
    assert "server" not in answer.headers
    assert "date" in refusal.headers
    assert "server" not in refusal.headers


async def test_head_and_body_of_an_answer_leave_together() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post())
        first_segment = await peer.reader.read(65536)

    assert first_segment.endswith(b"}")


async def test_a_large_answer_in_pieces_arrives_whole() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/pieces"))
        head = await peer.reader.readuntil(b"\r\n\r\n")
        body = await peer.reader.readexactly(300_000)

    assert b"content-length: 300000" in head
    assert body == b"a" * 100_000 + b"b" * 200_000


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(b"a", b"/1") + post(b"bc", b"/2") + post(b"def", b"/3"))
        answers = [await peer.answer() for _ in range(3)]

    assert [(answer.body["path"], answer.body["length"]) for answer in answers] == [("/1", 1), ("/2", 2), ("/3", 3)]


async def test_a_request_may_arrive_byte_by_byte() -> None:
    async with gateway() as gate:
        answer = await gate.ask(*[bytes([byte]) for byte in post(b"abc")])

    assert answer.body["length"] == 3


async def test_a_chunked_body_needs_no_length() -> None:
    async with gateway() as gate:
        answer = await gate.ask(CHUNKED, b"3\r\nabc\r\n", b"2;name=value\r\nde\r\n", b"0\r\n\r\n")

    assert answer.body["length"] == 5


async def test_expecting_100_continue_is_told_to_continue() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(HEAD + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        interim = await peer.answer()
        await peer.send(b"abc")
        answer = await peer.answer()

    assert (interim.status, answer.status, answer.body["length"]) == (100, 200, 3)


@pytest.mark.parametrize("wish", [b"h2c", b"websocket"])
async def test_an_upgrade_is_ignored_and_the_body_still_read(wish: bytes) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAMAAABk\r\n" % wish
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(SMUGGLED, headers=upgrade) + post(b"abc"))
        first, second = await peer.answer(), await peer.answer()

    assert (first.status, first.body["length"], second.body["length"]) == (200, len(SMUGGLED), 3)
    assert gate.app.paths() == ["/v1/jobs", "/v1/jobs"]


async def test_an_answer_that_comes_before_the_body_leaves_the_connection_usable() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(HEAD.replace(b"/v1/jobs", b"/early") + b"Content-Length: 6\r\n\r\nabc")
        first = await peer.answer()
        await peer.send(b"def" + post(b"abcd"))
        second = await peer.answer()

    assert (first.body["path"], second.body["length"]) == ("/early", 4)


async def test_http_1_0_needs_no_host_and_is_closed() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc")
        answer = await peer.answer()

        assert answer.body["length"] == 3
        assert await peer.is_closed()


async def test_a_unix_socket_is_served_and_removed(tmp_path: Path) -> None:
    path = str(tmp_path / "gate.sock")
    async with gateway(uds=path, max_connections_per_source=1) as gate:
        await gate.connect(path)
        peer = await gate.connect(path)
        await peer.send(post())
        answer = await peer.answer()

    assert answer.body["client"] == ["unix", 0]
    assert not Path(path).exists()


# -- errors of the app -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [b"/crash", b"/silent"])
async def test_an_app_that_fails_to_answer_is_an_internal_error_in_the_envelope(path: bytes) -> None:
    async with gateway() as gate:
        refusal = await gate.refused(post(path=path))

    assert refusal.code == (500, 10000)
    assert "secret" not in json.dumps(refusal.body)


async def test_an_app_that_breaks_off_its_answer_is_cut_off() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/broken"))

        assert (await peer.reader.read()).endswith(b"half")


# -- starting and stopping ---------------------------------------------------------------------------------------------


async def test_a_stop_lets_running_requests_finish() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold"))
        await gate.app.held.acquire()
        stopping = asyncio.create_task(gate.server.stop())
        await gate.connect_until_refused()
        gate.app.release.set()
        answer = await peer.answer()

        assert answer.status == 200
        assert answer.headers["connection"] == "close"
        assert await peer.is_closed()
        async with asyncio.timeout(5):
            await stopping
    assert gate.draining.is_set()
    assert gate.app.has_stopped


async def test_a_stop_keeps_serving_for_the_delay_and_asks_clients_to_leave() -> None:
    async with gateway(stop_delay_s=60) as gate:
        idle = await gate.connect()
        stopping = asyncio.create_task(gate.server.stop())
        await gate.drain_began()
        answer = await gate.ask(post())
        gate.server.hurry()
        async with asyncio.timeout(5):
            await stopping

        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert await idle.is_closed()


@pytest.mark.parametrize("is_unix", [False, True])
async def test_a_stop_answers_what_was_sent_before_the_loop_could_look(tmp_path: Path, is_unix: bool) -> None:
    path = str(tmp_path / "gate.sock") if is_unix else None
    async with gateway(uds=path) as gate:
        kept = await gate.connect(path)
        await kept.send(post(b"first"))
        await kept.answer()

        # No await from here to the stop: the loop neither accepts nor reads.
        stopping = asyncio.ensure_future(gate.server.stop())
        kept.writer.write(post(b"second"))
        raw = [socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET) for _ in range(50)]
        for each in raw:
            each.connect(path or ("127.0.0.1", gate.server.port))
            each.sendall(post(b"fresh"))

        peers = [kept, *[Peer(*await asyncio.open_connection(sock=each)) for each in raw]]
        gate.peers += peers
        answers = [await peer.answer() for peer in peers]
        async with asyncio.timeout(5):
            await stopping

    assert {answer.status for answer in answers} == {200}


async def test_a_connection_made_before_the_stop_may_still_bring_its_first_request() -> None:
    async with gateway() as gate:
        peer, kept, silent = [await gate.connect() for _ in range(3)]
        await kept.send(post())
        await kept.answer()
        stopping = asyncio.create_task(gate.server.stop())
        assert await kept.is_closed()
        await peer.send(post())
        answer = await peer.answer()
        assert await silent.is_closed()
        async with asyncio.timeout(5):
            await stopping

    assert (answer.status, answer.headers["connection"]) == (200, "close")


async def test_a_request_that_outlasts_the_grace_is_answered_503() -> None:
    async with gateway(stop_grace_s=0.2) as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold"))
        await gate.app.held.acquire()
        async with asyncio.timeout(5):
            await gate.server.stop()
        refusal = await peer.refusal()

    assert refusal.code == (503, 10000)
    assert "retry-after" in refusal.headers


async def test_a_head_that_was_begun_before_the_stop_is_still_served() -> None:
    async with gateway() as gate:
        peer = await gate.connect()
        await peer.send(post()[:10])
        await gate.ask(post())
        stopping = asyncio.create_task(gate.server.stop())
        await gate.drain_began()
        await peer.send(post()[10:])
        answer = await peer.answer()
        async with asyncio.timeout(5):
            await stopping

    assert answer.status == 200


async def test_a_second_signal_skips_the_waits() -> None:
    async with gateway(signals=True, stop_delay_s=60, stop_grace_s=60) as gate:
        peer = await gate.connect()
        await peer.send(post(path=b"/hold"))
        await gate.app.held.acquire()
        os.kill(os.getpid(), signal.SIGTERM)
        await gate.drain_began()
        os.kill(os.getpid(), signal.SIGINT)
        refusal = await peer.refusal()
        async with asyncio.timeout(5):
            await gate.server.stop()

    assert refusal.code == (503, 10000)


async def test_a_cancelled_server_leaves_no_connection_open() -> None:
    app = App()
    server = build_server(app, Settings(), host="127.0.0.1", port=0)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(5):
        await server.started.wait()
        peer = Peer(*await asyncio.open_connection("127.0.0.1", server.port))
        await peer.send(post())
        await peer.answer()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving

    assert app.has_stopped
    assert await peer.is_closed()
    peer.writer.close()


async def test_two_servers_run_in_one_loop_and_stop_apart() -> None:
    async with gateway() as one, gateway() as two:
        async with asyncio.timeout(5):
            await one.server.stop()
        answer = await two.ask(post())

    assert answer.status == 200


async def test_an_app_that_does_not_start_stops_the_server() -> None:
    async def broken(scope: Message, receive: Receive, send: Send) -> None:
        raise ValueError("no database")

    server = build_server(broken, Settings(), host="127.0.0.1", port=0)

    with pytest.raises(RuntimeError, match="did not start"):
        await server.serve()


async def test_bound_sockets_may_be_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        async with gateway(sockets=[bound]) as gate:
            answer = await gate.ask(post())

            assert gate.server.port == bound.getsockname()[1]
    assert answer.status == 200


def test_a_trusted_proxy_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="JOBGATE_TRUSTED_PROXIES"):
        build_server(App(), Settings(trusted_proxies="10.0.0.0/8, proxy.example"), host="127.0.0.1", port=0)
