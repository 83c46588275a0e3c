"""Probes and metrics of both processes tell the truth."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from jobgate.doorbell import Doorbell
from jobgate.embedded import Servers
from jobgate.status import Status
from jobgate.testing import House, open_house
from jobgate.worker import Worker
from tests.conftest import MakeHouse


async def test_a_gateway_is_ready_while_postgres_can_be_written(house: House) -> None:
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        reply = await house.send("GET", path)
        assert (reply.status, reply.body) == (200, {"status": status})


async def test_a_stopping_gateway_is_not_ready_and_still_answers(house: House) -> None:
    house.gate.draining = True

    reply = await house.send("GET", "/readyz")

    assert (reply.status, reply.body) == (503, {"status": "not ready", "reason": "stopping"})
    assert (await house.call("jobs", "get")).status == 200


async def test_a_read_only_database_is_a_reason(servers: Servers) -> None:
    async with open_house(servers) as house:
        name = house.settings.database_url.partition("?")[0].rpartition("/")[2]
        admin = await asyncpg.connect(servers.admin_url)
        await admin.execute(f"alter database {name} set default_transaction_read_only = on")
        await admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        await admin.close()

        async with asyncio.timeout(5):
            while (reply := await house.send("GET", "/readyz")).body.get("reason") != "the database is read-only":
                assert reply.status == 503  # the connections that were cut are replaced one by one
        refused = await house.call(
            "jobs/sessions/statuses",
            "update",
            {"statuses": [{"session_id": "s", "user_id": "u", "status": "Completed"}]},
        )

        assert (refused.status, refused.code) == (503, 10000)


async def test_probes_answer_while_every_connection_is_taken(make_house: MakeHouse) -> None:
    async with make_house(gateway_pool=1, gateway_acquire_s=0.2) as house:
        async with house.gate.db.connection():
            health = await house.send("GET", "/healthz")
            ready = await house.send("GET", "/readyz")
            call = await house.call("jobs", "get")

        assert (health.status, ready.status, call.status) == (200, 503, 503)
        assert (await house.send("GET", "/readyz")).status == 200


async def test_a_worker_that_looks_for_work_is_ready(house: House) -> None:
    worker = Worker(house.db, house.tasks, house.settings, Doorbell(""), house.metrics)
    status = Status(house.db, house.metrics, 1, worker.problem)
    assert await status.problem() is None

    worker.looked_at -= house.settings.lease_s + 1
    silent = await status.problem()
    worker.stop()

    assert silent is not None
    assert silent.startswith("no word from the database in")
    assert await status.problem() == "stopping"


@pytest.mark.parametrize(
    "name", ["http_requests_total", "jobs_total", "job_queue_depth", "sweep_last_success_timestamp", "db_pool_in_use"]
)
async def test_metrics_count(house: House, name: str) -> None:
    statuses = {"statuses": [{"session_id": "s", "user_id": "u", "status": "Completed"}]}
    await house.call("jobs/sessions/statuses", "update", statuses)
    await house.carry()

    reply = await house.send("GET", "/metrics")

    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert f"\n{name}" in reply.body["text"]
    assert 'http_requests_total{action="update",status="200"} 1.0' in reply.body["text"]
    assert 'jobs_total{kind="sessionstatusupdate",outcome="completed"} 1.0' in reply.body["text"]
