"""The client signs as the official ones do, and tells a refusal from silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from jobgate.client import Client, Credentials, Unreachable, sign_form
from jobgate.demo import DEMO

ANSWERS = {
    "/gate/v1/jobs": (200, b'{"meta":{"status":true},"data":[1]}'),
    "/gate/v1/refused": (403, b'{"meta":{"status":false,"code":41003},"data":null}'),
    "/gate/v1/proxy": (502, b"<h1>Bad gateway</h1>"),
    "/gate/v1/array": (200, b"[]"),
}


class Answering(BaseHTTPRequestHandler):
    """Answers a path with what is written for it, and keeps what was posted."""

    posted: list[bytes] = []  # noqa: RUF012  # the server makes an instance for every request

    def do_POST(self) -> None:
        self.posted.append(self.rfile.read(int(self.headers["content-length"])))
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def client() -> Iterator[Client]:
    """A client of a gateway in a folder behind a proxy."""
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield Client(f"http://127.0.0.1:{server.server_port}/gate/", DEMO)
        server.shutdown()
        thread.join()


def test_the_published_example_signs_as_published() -> None:
    body = sign_form(DEMO, {"limit": 100}, "get", now=datetime(2014, 6, 26, 5, 28, tzinfo=UTC))

    form = parse_qs(body.decode(), strict_parsing=True)
    assert form["request"] == ['{"limit":100}']
    assert form["action"] == ["get"]
    assert json.loads(form["security"][0])["signature"] == (
        "$02$e19c8a62fba81ef6baf2731e2ab0512feaf573ca5ca5929c2ee9a77303d2e197"
    )


def test_json_text_is_posted_as_it_is() -> None:
    text = '{ "name": "Zoë" }'

    body = sign_form(DEMO, text, None, now=datetime(2026, 1, 1, tzinfo=UTC))

    form = parse_qs(body.decode(), strict_parsing=True)
    assert form["request"] == [text]
    assert "action" not in form


def test_an_answer_and_a_refusal_are_both_replies(client: Client) -> None:
    accepted = client.call("jobs", "get", {"limit": 1}, version="v1")
    refused = client.call("refused", "get", version="v1")

    assert (accepted.status, accepted.accepted, accepted.data) == (200, True, [1])
    assert (refused.status, refused.accepted, refused.meta["code"]) == (403, False, 41003)
    assert parse_qs(Answering.posted[-1].decode())["request"] == ["{}"]


@pytest.mark.parametrize("endpoint", ["proxy", "array"])
def test_what_is_no_envelope_is_no_answer(client: Client, endpoint: str) -> None:
    with pytest.raises(Unreachable, match="is no gateway"):
        client.call(endpoint, "get", version="v1")


def test_silence_is_said_with_the_address() -> None:
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1 does not answer"):
        Client("http://127.0.0.1:1", Credentials("k", "s")).call("jobs", "get")


def test_an_address_without_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with http://"):
        Client("gateway:8080", DEMO)
