"""What the six official SDKs put on the wire, as recorded: a real gateway takes every recording as it is."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from jobgate.callers import NewConsumer, add_consumer
from jobgate.db import Database
from jobgate.embedded import Servers
from jobgate.keys import OuterKey
from jobgate.testing import Server, open_server

VECTORS = json.loads((Path(__file__).parent / "data" / "signature_vectors.json").read_bytes())
CAPTURES: list[dict[str, Any]] = VECTORS["wire_captures"]
(SECRET,) = {vector["secret"] for vector in VECTORS["vectors"]}
(KEY,) = {capture["expect"]["security"]["consumer_key"] for capture in CAPTURES}

CENTURY_S = 100 * 365 * 86400
"""Recordings keep the time at which they were made."""


@pytest.fixture(scope="module")
async def server(servers: Servers) -> AsyncIterator[Server]:
    """A gateway that knows the demo consumer and forgives its clock."""
    async with open_server(servers, clock_skew_s=CENTURY_S) as server:
        url = server.settings.database_url
        db = await Database.connect(url, size=1, acquire_s=3, statement_s=30, lock_s=5, name="test")
        async with db.transaction() as tx:
            demo = NewConsumer(key=KEY, organisations=(1,))
            await add_consumer(tx, OuterKey(server.settings.secret_key), demo, SECRET)
        await db.close()
        yield server


def post(server: Server, capture: dict[str, Any], body: bytes | Iterator[bytes], headers: dict[str, str]) -> Any:
    """Send it where it was sent to when it was recorded; status and envelope."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("POST", capture["path"] or "/latest-lts/jobs", body, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


async def count_jobs(server: Server) -> int:
    """How many jobs were accepted so far."""
    connection = await asyncpg.connect(server.settings.database_url)
    try:
        count: int = await connection.fetchval("select count(*) from job")
        return count
    finally:
        await connection.close()


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture["id"])
async def test_a_recorded_call_is_accepted_and_an_equal_one_in_chunks_is_its_retry(
    server: Server, capture: dict[str, Any]
) -> None:
    body = base64.b64decode(capture["body_base64"])
    before = await count_jobs(server)

    status, answer = await asyncio.to_thread(post, server, capture, body, capture["headers"])
    starts_job = "job_reference" in answer["data"]
    pieces = iter([body[:7], body[7:-7], body[-7:]])
    headers = {"Content-Type": capture["headers"]["Content-Type"], "Expect": "100-continue"}
    again_status, again = await asyncio.to_thread(post, server, capture, pieces, headers)

    assert (status, again_status) == (200, 200), (answer, again)
    assert starts_job == (capture["path"] not in (None, "/v2025.1.LTS/jobs", "/latest-lts/jobs"))
    assert "ignored" not in answer["meta"]
    assert again["data"] == answer["data"]
    assert again["meta"].get("replayed", False) is starts_job
    assert await count_jobs(server) == before + starts_job


def test_there_are_24_recordings_of_all_six_sdks() -> None:
    assert len(CAPTURES) == 24
    assert {capture["id"].split("-")[0] for capture in CAPTURES} == {"python", "node", "ruby", "php", "java", "aspnet"}
