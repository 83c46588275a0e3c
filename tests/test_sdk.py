"""The official Python SDK from PyPI, unmodified, against a real gateway and a real worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from learnosity_sdk.request import DataApi

from jobgate.embedded import Servers
from jobgate.testing import HOME, Server, open_server

SECURITY = {"consumer_key": HOME.key, "domain": "localhost"}

STATUSES = {
    "statuses": [
        {"user_id": "jessepinkman", "session_id": "7939ead7-3242-4907-850d-3e5e48130277", "status": "Completed"},
        {"user_id": "walterwhite", "session_id": "5a74a4e9-6b6b-42a2-885e-127b795ba70c", "status": "Incomplete"},
    ]
}
"""The documentation's example of `jobs/sessions/statuses`."""

METADATA = {
    "session_metadata": [
        {
            "user_id": "jessepinkman",
            "session_id": "7939ead7-3242-4907-850d-3e5e48130277",
            "metadata": {"session_tags": [{"type": "assignment_type", "name": "homework"}]},
        }
    ]
}
"""The documentation's example of `jobs/sessions/metadata`, for a session that exists."""


class Sdk:
    """The SDK as its users call it, off the event loop."""

    def __init__(self, server: Server) -> None:
        self.api = DataApi()
        self.base = f"{server.url}/v2025.1.LTS"

    async def request(self, endpoint: str, request: dict[str, Any], action: str) -> Any:
        """One call; the decoded envelope of an answer that must be a success."""
        response = await asyncio.to_thread(
            self.api.request, f"{self.base}/{endpoint}", dict(SECURITY), HOME.secret, request, action
        )
        assert response.status_code == 200, response.text
        return response.json()

    async def pages(self, endpoint: str, request: dict[str, Any]) -> list[Any]:
        """Every page, as `request_iter` walks them."""
        walk = self.api.request_iter(f"{self.base}/{endpoint}", dict(SECURITY), HOME.secret, request, "get")
        return await asyncio.to_thread(list, walk)

    async def finish(self, started: Any) -> Any:
        """Poll the job until it has ended."""
        query = {"references": [started["data"]["job_reference"]]}
        async with asyncio.timeout(20):
            while True:
                (job,) = (await self.request("jobs", query, "get"))["data"]
                if job["status"] in ("completed", "halted"):
                    return job


@pytest.fixture
async def server(servers: Servers) -> AsyncIterator[Server]:
    async with open_server(servers, workers=1) as server:
        yield server


async def test_an_unmodified_sdk_loads_changes_and_reads_sessions(server: Server) -> None:
    sdk = Sdk(server)
    sessions = [
        {
            "user_id": entry["user_id"],
            "session_id": entry["session_id"],
            "activity_id": "chemistry",
            "status": "Incomplete",
        }
        for entry in STATUSES["statuses"]
    ]

    created = await sdk.request("sessions", {"data_format": "from_template", "data": sessions}, "set")
    assert (await sdk.finish(created))["status"] == "completed"
    changed = await sdk.request("jobs/sessions/statuses", STATUSES, "update")
    tagged = await sdk.request("jobs/sessions/metadata", METADATA, "set")
    assert (await sdk.finish(changed))["status"] == "completed"
    assert (await sdk.finish(tagged))["type"] == "sessionmetadataupdate"

    pages = await sdk.pages("sessions/statuses", {"activity_id": ["chemistry"]})
    statuses = {record["user_id"]: record["status"] for page in pages for record in page["data"]}
    assert statuses == {"jessepinkman": "Completed", "walterwhite": "Incomplete"}
    pages = await sdk.pages("sessions/metadata", {"user_id": ["jessepinkman"]})
    (record,) = [record for page in pages for record in page["data"]]
    assert record["metadata"] == METADATA["session_metadata"][0]["metadata"]


async def test_an_unmodified_sdk_reads_a_refusal(server: Server) -> None:
    api = DataApi()

    response = await asyncio.to_thread(
        api.request, f"{server.url}/v2025.1.LTS/jobs", dict(SECURITY), "not the secret", {}, "get"
    )

    assert response.status_code == 403
    assert response.json()["meta"]["code"] == 41003
