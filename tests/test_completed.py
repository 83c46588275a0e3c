"""What a change to Completed sets in motion, seen from outside: the official SDK, a gateway, a worker, a listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import standardwebhooks

from jobgate.cli.work import push
from jobgate.db import Database
from jobgate.embedded import Servers
from jobgate.metrics import Metrics
from jobgate.testing import Server, open_server
from tests.adaptive_sessions import item
from tests.bank_calls import mcq
from tests.listeners import Listener, listening
from tests.official_sdk import Sdk
from tests.push.sending import ALLOWED

SESSION = {
    "session_id": "7939ead7-3242-4907-850d-3e5e48130277",
    "user_id": "jessepinkman",
    "activity_id": "chemistry",
    "status": "Incomplete",
    "custom_state": {"engine": "outside", "seed": 7},
    "items": [
        item("easy", -1, response_ids=["r-1"], tags=[{"type": "subject", "name": "acids"}]),
        item("hard", 1, a=2, c=0.25, response_ids=["r-2"]),
    ],
    "subscores": [{"id": "acids", "title": "Acids", "tags": [{"type": "subject", "name": "acids"}]}],
    "responses": [
        # Right, worth 2, and stored as wrong; then wrong, and stored as right beyond its maximum.
        {"response_id": "r-1", "item_reference": "easy", "score": 0, "max_score": 1, "question": mcq("1")}
        | {"response": {"value": ["1"], "type": "array"}},
        {"response_id": "r-2", "item_reference": "hard", "score": 7, "max_score": 1, "question": mcq("2")}
        | {"response": {"value": ["0"], "type": "array"}},
    ],
}
"""A session whose stored scores are wrong: 7 of 2, where 2 of 4 were earned."""

COMPLETED = {"session_id": SESSION["session_id"], "user_id": "jessepinkman", "status": "Completed"}


@pytest.fixture
async def server(servers: Servers) -> AsyncIterator[Server]:
    """A gateway, a worker, and the sender that a worker process has."""
    async with open_server(servers, workers=1, **ALLOWED) as server:
        db = await Database.connect(
            server.settings.database_url, size=2, acquire_s=3, statement_s=30, lock_s=5, name="push"
        )
        pushing = asyncio.create_task(push(db, server.settings, Metrics()))
        yield server
        pushing.cancel()
        await asyncio.wait([pushing])
        await db.close()


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    """Who wants to be told."""
    async with listening() as listener:
        yield listener


async def test_a_completed_session_is_rescored_subscored_reported_and_pushed(
    server: Server, listener: Listener
) -> None:
    sdk = Sdk(server)
    stored = await sdk.request("sessions", {"data_format": "from_template", "data": [SESSION]}, "set")
    await sdk.finish(stored["data"]["job_reference"])
    target = (await sdk.request("push/targets", {"url": listener.url}, "set"))["data"]

    started = await sdk.request("jobs/sessions/statuses", {"statuses": [COMPLETED]}, "update")
    told = await sdk.finish(started["data"]["job_reference"], include=["type", "status", "results"])
    follow_ups = await follow(sdk, told)

    # The jobs list tells the story.
    assert (told["type"], told["results"][0]["status"]) == ("sessionstatusupdate", "ok")
    assert [job["type"] for job in follow_ups] == [
        "sessionrescore",
        "subscorecalculation",
        "adaptivereport",
        "sessionpush",
    ]
    assert {(job["status"], job["results"][0]["status"]) for job in follow_ups} == {("completed", "ok")}

    # Rescored and subscored.
    scores = await read_one(sdk, "sessions/scores", include_response_scores=True)
    assert (scores["status"], scores["score"], scores["max_score"]) == ("Completed", 2, 4)
    assert [(each["score"], each["max_score"]) for each in scores["responses"]] == [(2, 2), (0, 2)]
    (subscore,) = scores["subscores"]
    assert (subscore["id"], subscore["score"], subscore["max_score"], subscore["items"]) == ("acids", 2, 2, ["easy"])
    assert set(subscore["ability_estimate"]) == {"ability_estimate", "standard_error", "method"}

    # Reported.
    report = await read_one(sdk, "sessions/reports/adaptive", user_id=["jessepinkman"])
    assert [(step["item_reference"], step["correct"]) for step in report["steps"]] == [("easy", True), ("hard", False)]
    assert report["steps"][0]["eap"]["ability_estimate"] == subscore["ability_estimate"]["ability_estimate"]
    assert report["final"] == report["steps"][1]["eap"]
    assert report["custom_state"] == SESSION["custom_state"]

    # Pushed, signed, equal to what reads answer.
    events = await received(listener, target["secret"], 2)
    assert await read_one(sdk, "sessions/statuses") in events
    assert await read_one(sdk, "sessions/scores") in events


async def follow(sdk: Sdk, told: dict[str, Any]) -> list[dict[str, Any]]:
    """The jobs that follow from the one entry of another, once they have ended."""
    return [
        await sdk.finish(each["reference"], include=["type", "status", "results"])
        for each in told["results"][0]["follow_ups"]
    ]


async def read_one(sdk: Sdk, endpoint: str, **request: Any) -> Any:
    """The record of the one session, as soon as nothing that is still being written holds it back."""
    async with asyncio.timeout(20):
        while not (records := await sdk.results(endpoint, request)):
            await asyncio.sleep(0.01)
    (record,) = records
    return record


async def received(listener: Listener, secret: str, count: int) -> list[Any]:
    """The records that the listener was told, each verified by the library of Standard Webhooks."""
    posts = await listener.until(count)
    return [standardwebhooks.Webhook(secret).verify(post.body, post.headers) for post in posts]
