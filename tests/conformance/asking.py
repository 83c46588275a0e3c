"""Asking the small LRS of the tests for conformance."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from ipaddress import ip_network

from jobgate.conformance.checks import Check
from jobgate.conformance.lrs import Broken, Endpoint
from jobgate.conformance.lrs import Lrs as Asked
from jobgate.outbound import Client, Rules
from jobgate.xapi.violations import Version
from tests.lrs import Lrs

LOCAL = Rules(http=True, networks=(ip_network("127.0.0.0/8"),))


@asynccontextmanager
async def asking(lrs: Lrs, version: Version) -> AsyncIterator[Asked]:
    """The LRS, as checks talk to it."""
    with closing(Client(LOCAL, timeout_s=10)) as client:
        async with client.keep(lrs.endpoint) as line:
            yield Asked(line, Endpoint(lrs.endpoint, lrs.username, lrs.password, version))


async def list_broken(asked: Asked, checks: tuple[Check, ...]) -> list[str]:
    """Those that fail, with what they say."""
    found = []
    for check in checks:
        try:
            await check.run(asked)
        except Broken as broken:
            found.append(f"{check.section} {' '.join(check.ids)}: {check.title}: {broken}")
    return found
