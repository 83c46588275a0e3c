"""Posting a call to the gateway, as commands do."""

from __future__ import annotations

import os
import uuid
from typing import TYPE_CHECKING, Any

from jobgate.cli.failures import Unusable

if TYPE_CHECKING:
    from jobgate.client import Client, Reply


def distinguish(request: dict[str, Any]) -> dict[str, Any]:
    """Give the call an id of its own: equal calls within a minute would sign equal, and count as retries."""
    meta = request.get("meta")
    return request | {"meta": (meta if isinstance(meta, dict) else {}) | {"request_id": str(uuid.uuid4())}}


def post(
    client: Client, endpoint: str, action: str | None, request: dict[str, Any], version: str = "latest-lts"
) -> Reply:
    """The answer; nobody answering ends the command."""
    from jobgate.client import Unreachable

    try:
        return client.call(endpoint, action, request, version=version)
    except Unreachable as error:
        advice = "correct JOBGATE_URL" if os.environ.get("JOBGATE_URL") else "is `jobgate dev` running?"
        raise Unusable(f"{error}; {advice}") from error
