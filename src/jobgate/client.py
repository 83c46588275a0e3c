"""The caller's side: sign a call, post it, read the envelope."""

from __future__ import annotations

from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec

from jobgate import signing

FORM_TYPE = "application/x-www-form-urlencoded"


class Credentials(NamedTuple):
    """Who signs."""

    key: str
    secret: str
    domain: str = "localhost"


def sign_form(
    who: Credentials,
    request: Any,
    action: str | None,
    *,
    now: datetime,
    expires: str | None = None,
    user_id: str | None = None,
) -> bytes:
    """The urlencoded body of a signed call, as an official SDK posts it. `request` may be JSON text already."""
    text = request if isinstance(request, str) else msgspec.json.encode(request).decode()
    packet = signing.Packet(
        consumer_key=who.key,
        timestamp=now.astimezone(UTC).strftime("%Y%m%d-%H%M"),
        signature="",
        domain=who.domain,
        expires=expires,
        user_id=user_id,
    )
    signature = signing.sign(packet, who.secret, text.encode(), None if action is None else action.encode())
    security = {name: value for name, value in msgspec.structs.asdict(packet).items() if value is not None}
    security["signature"] = signature
    form = {"security": msgspec.json.encode(security).decode(), "request": text}
    if action is not None:
        form["action"] = action
    return urlencode(form).encode()


class Reply(NamedTuple):
    """An answer: the HTTP status and the two halves of the envelope."""

    status: int
    meta: dict[str, Any]
    data: Any

    @property
    def accepted(self) -> bool:
        """Whether the call did what it asked for."""
        return self.meta.get("status") is True


class Unreachable(Exception):
    """Nobody answered, or not as a gateway does; the text is one line."""


class Client:
    """Signs and posts calls to the gateway at `url`, each on a connection of its own, and reads the envelopes."""

    def __init__(self, url: str, who: Credentials, *, timeout_s: float = 30.0) -> None:
        self.url = url.rstrip("/")
        self.who = who
        self.timeout_s = timeout_s
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url} is no address of a gateway: it begins with http:// or https://")
        self._host, self._port, self._folder = parts.hostname, parts.port, parts.path
        self._connection = HTTPSConnection if parts.scheme == "https" else HTTPConnection

    def call(self, endpoint: str, action: str | None, request: Any = None, *, version: str = "latest-lts") -> Reply:
        """Sign, post, and return the answer, a refusal included. Raises `Unreachable`."""
        body = sign_form(self.who, {} if request is None else request, action, now=datetime.now(UTC))
        status, content = self.post(f"/{version}/{endpoint}", body)
        try:
            envelope = msgspec.json.decode(content, type=dict[str, Any])
            return Reply(status, envelope["meta"], envelope.get("data"))
        except (msgspec.DecodeError, KeyError):
            raise Unreachable(f"what answers at {self.url} is no gateway: status {status}, no envelope") from None

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Post a signed body; status and content of the answer. Raises `Unreachable`."""
        connection = self._connection(self._host, self._port, timeout=self.timeout_s)
        try:
            connection.request("POST", self._folder + path, body, {"Content-Type": FORM_TYPE})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{self.url} does not answer: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()
