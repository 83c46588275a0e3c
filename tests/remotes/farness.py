"""Conversations with the LRS of the tests."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import msgspec

from jobgate import wire
from jobgate.outbound import Client, Rules
from jobgate.remotes.delivering import Parcel
from jobgate.remotes.lrs import Far, Lrs, speak
from jobgate.xapi.violations import Version
from tests.lrs import Lrs as Server
from tests.stored_statements import make


@asynccontextmanager
async def speaking(server: Server, version: Version = "1.0.3", **changes: Any) -> AsyncIterator[Lrs]:
    """A conversation with the server."""
    rules = Rules(http=True, networks=(ip_network("127.0.0.1/32"),))
    client = Client(rules, timeout_s=5, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    far = Far(server.endpoint, server.username, server.password, version)._replace(**changes)
    try:
        async with speak(client, far) as lrs:
            yield lrs
    finally:
        client.close()


def parcel(number: int, **changes: Any) -> Parcel:
    """A statement to deliver."""
    statement = make(number, **changes)
    return Parcel(statement["id"], wire.encode(statement), {})


def ids(texts: list[bytes]) -> list[str]:
    """The ids of statements."""
    return [msgspec.json.decode(text)["id"] for text in texts]
