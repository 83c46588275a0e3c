"""Jobs of jobs/webhook: what is saved is posted to the target, signed, once for every run."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import standardwebhooks

from jobgate.embedded import Servers
from jobgate.testing import House, open_house
from tests.listeners import listening
from tests.push.sending import ALLOWED, add_target, fetch, read_deliveries, sending, until_idle

BODY = {"text": "Guten Morgen", "nested": [1, 2.0, None, {"ü": 2**50}]}
NOWHERE = "http://127.0.0.1:9/"


@pytest.fixture
async def house(servers: Servers) -> AsyncIterator[House]:
    """A gateway on a fresh database that lets 127.0.0.1 be pushed to."""
    async with open_house(servers, **ALLOWED) as house:
        yield house


async def save(house: House, target_id: str, **request: Any) -> str:
    """Save a webhook and run it once; the id of the saved job."""
    hook = {"repeat": "on", "date": "2999-01-01", "replay": True, "target_id": target_id, "body": BODY}
    (saved,) = (await house.call("jobs/webhook", "set", hook | request)).data
    await house.carry()
    id: str = saved["id"]
    return id


async def read_job(house: House) -> dict[str, Any]:
    """The newest job."""
    request = {"status": ["completed", "halted"], "limit": 1, "include": ["status", "results", "error", "data"]}
    (job,) = (await house.call("jobs", "get", request)).data
    assert isinstance(job, dict)
    return job


async def test_the_body_arrives_signed_under_the_id_that_the_log_tells(house: House) -> None:
    async with listening() as listener, sending(house):
        target = await add_target(house, listener.url)
        await save(house, target["id"])
        (post,) = await listener.until(1)
        await until_idle(house)

    assert standardwebhooks.Webhook(target["secret"]).verify(post.body, post.headers) == BODY
    assert post.headers["jobgate-event"] == "webhook"
    job = await read_job(house)
    assert job["results"] == [{"status": "ok", "delivery_id": post.id}]
    assert [entry["message"] for entry in job["data"]["log"]] == [f"Queued the delivery {post.id}"]
    (delivery,) = await read_deliveries(house)
    assert (delivery["id"], delivery["kind"], delivery["session_id"]) == (post.id, "webhook", None)
    assert (delivery["state"], delivery["body"]) == ("delivered", BODY)


async def test_every_run_is_a_delivery_of_its_own(house: House) -> None:
    target = await add_target(house, NOWHERE)
    id = await save(house, target["id"])

    await house.call("jobs/executions", "set", {"job_id": id})
    await house.carry()

    assert len(await read_deliveries(house)) == 2


async def test_runs_that_share_a_batch_do_not_share_their_fate(house: House) -> None:
    target = await add_target(house, NOWHERE)
    gone = str(uuid.UUID(int=1))
    hooks = [
        {"repeat": "on", "date": "2999-01-01", "replay": True, "target_id": target_id, "body": {"n": number}}
        for number, target_id in enumerate([target["id"], gone, target["id"], target["id"]])
    ]
    for hook in hooks:
        await house.call("jobs/webhook", "set", hook)

    await house.carry()

    states = (await house.call("jobs", "get", {"status": ["completed", "halted"], "include": ["status"]})).data
    assert [job["status"] for job in states] == ["completed", "completed", "halted", "completed"]
    assert sorted(delivery["body"]["n"] for delivery in await read_deliveries(house)) == [0, 2, 3]


@pytest.mark.parametrize("whose", ["nobody's", "disabled", "a stranger's"])
async def test_a_target_that_cannot_be_posted_to_halts_the_job(house: House, whose: str) -> None:
    as_ = house.stranger if whose == "a stranger's" else house.home
    target_id = (await add_target(house, NOWHERE, as_=as_))["id"]
    if whose == "disabled":
        await fetch(house, "update push_target set disabled_reason = 'gone'")
    await save(house, str(uuid.UUID(int=1)) if whose == "nobody's" else target_id)

    job = await read_job(house)

    assert job["status"] == "halted"
    assert job["error"] == {"code": "failed", "message": "The target is not known, or disabled."}
    assert await read_deliveries(house) == []


@pytest.mark.parametrize(
    ("changes", "code"), [({"target_id": "x"}, 20004), ({"body": "text"}, 20003), ({"body": None}, 20000)]
)
async def test_what_cannot_be_posted_is_not_saved(house: House, changes: dict[str, Any], code: int) -> None:
    hook = {"repeat": "now", "target_id": str(uuid.UUID(int=1)), "body": {}} | changes

    reply = await house.call("jobs/webhook", "set", hook)

    assert (reply.status, reply.code) == (400, code)
