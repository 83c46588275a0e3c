"""Connections, and houses that may use those on this machine."""

from __future__ import annotations

from typing import Any

from jobgate.testing import House
from tests.lrs import Lrs

ALLOWED: dict[str, Any] = {"push_http": True, "push_allow": "127.0.0.1,lrs.example"}
"""Settings of a house that may call this machine."""

URL = "https://lrs.example/xapi/"
LRS = {"name": "Moodle", "kind": "lrs", "endpoint": URL, "username": "jobgate", "password": "a secret"}
FILE = {"name": "Nightly", "kind": "file", "folder": "exports/nightly", "prefix": "a"}


async def connect(house: House, **fields: Any) -> str:
    """A new connection; its id."""
    id: str = (await house.call("xapi/connections", "set", fields)).data["id"]
    return id


async def connect_lrs(house: House, lrs: Lrs, **fields: Any) -> str:
    """A connection to an LRS of the tests; its id."""
    where = {"endpoint": lrs.endpoint, "username": lrs.username, "password": lrs.password}
    return await connect(house, **({"name": "lrs", "kind": "lrs"} | where | fields))
