"""The official Python SDK from PyPI, unmodified, against a real gateway and a real worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from learnosity_sdk.request import DataApi

from jobgate.embedded import Servers
from jobgate.testing import Server, open_server
from tests.official_sdk import SECURITY, Sdk

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
    assert (await sdk.finish(created["data"]["job_reference"]))["status"] == "completed"
    changed = await sdk.request("jobs/sessions/statuses", STATUSES, "update")
    tagged = await sdk.request("jobs/sessions/metadata", METADATA, "set")
    assert (await sdk.finish(changed["data"]["job_reference"]))["status"] == "completed"
    assert (await sdk.finish(tagged["data"]["job_reference"]))["type"] == "sessionmetadataupdate"

    statuses: dict[str, str] = {}
    async with asyncio.timeout(10):
        while len(statuses) < len(sessions):  # what is being scored meanwhile comes with a later page
            pages = await sdk.pages("sessions/statuses", {"activity_id": ["chemistry"]})
            statuses = {record["user_id"]: record["status"] for page in pages for record in page}
    assert statuses == {"jessepinkman": "Completed", "walterwhite": "Incomplete"}
    (record,) = await sdk.results("sessions/metadata", {"user_id": ["jessepinkman"]})
    assert record["metadata"] == METADATA["session_metadata"][0]["metadata"]


async def test_an_unmodified_sdk_reads_a_refusal(server: Server) -> None:
    api = DataApi()

    response = await asyncio.to_thread(
        api.request, f"{server.url}/v2025.1.LTS/jobs", dict(SECURITY), "not the secret", {}, "get"
    )

    assert response.status_code == 403
    assert response.json()["meta"]["code"] == 41003
