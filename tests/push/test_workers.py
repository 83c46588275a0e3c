"""Push by real worker processes: one that is killed, one that has no key, settings that cannot be followed."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AbstractContextManager

from jobgate.testing import House
from tests.cli.conftest import run_here
from tests.cli.terminal import DEADLINE_S, Terminal, start
from tests.listeners import Post, answering, listening
from tests.push.sending import add_target, fetch, read_deliveries, until_idle


def at_work(house: House, **settings: str) -> AbstractContextManager[Terminal]:
    """A worker process that may push to 127.0.0.1."""
    given = {
        "JOBGATE_DATABASE_URL": house.settings.database_url,
        "JOBGATE_SECRET_KEY": house.settings.secret_key,
        "JOBGATE_PUSH_HTTP": "true",
        "JOBGATE_PUSH_ALLOW": "127.0.0.1",
        "JOBGATE_PUSH_POLL_S": "0.05",
    }
    return start("work", **(given | settings))


async def test_a_worker_killed_between_post_and_commit_costs_a_second_post_with_the_same_id(house: House) -> None:
    async with listening() as listener:
        target = await add_target(house, listener.url)
        id = (await house.call("push/tests", "set", {"target_id": target["id"]})).data["delivery_id"]
        with at_work(house) as worker:

            async def kill(post: Post, writer: asyncio.StreamWriter) -> None:
                os.kill(worker.process.pid, signal.SIGKILL)
                await answering(204)(post, writer)

            listener.answer = kill
            await listener.until(1)
            await asyncio.to_thread(worker.process.wait, DEADLINE_S)
        (row,) = await fetch(house, "select lease_until > clock_timestamp() as is_held from outbox")
        assert row["is_held"]

        await fetch(house, "update outbox set lease_until = lease_until - interval '1 minute'")
        listener.answer = answering(204)
        with at_work(house):
            await until_idle(house)

    assert listener.ids == [id, id]
    (delivery,) = await read_deliveries(house)
    assert (delivery["state"], len(delivery["tries"])) == ("delivered", 1)


async def test_a_worker_without_a_key_says_that_it_pushes_nothing(house: House) -> None:
    with at_work(house, JOBGATE_SECRET_KEY="") as worker:
        said = await asyncio.to_thread(worker.await_line, '"check":"push"')

    assert "JOBGATE_SECRET_KEY is not set: this worker pushes nothing" in said


async def test_an_unusable_list_of_places_stops_the_start_of_a_worker_and_a_gateway(house: House) -> None:
    settings = {
        "JOBGATE_DATABASE_URL": house.settings.database_url,
        "JOBGATE_SECRET_KEY": house.settings.secret_key,
        "JOBGATE_PUSH_ALLOW": "10.0.0.1/8",
    }
    for command in ("work", "serve"):
        ended = await asyncio.to_thread(run_here, command, **settings)
        assert ended.exit_code == 2
        assert "JOBGATE_PUSH_ALLOW=10.0.0.1/8" in ended.output
