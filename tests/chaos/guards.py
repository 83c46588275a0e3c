"""What keeps a promise, each to be taken away: a harness that stays green without it would prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Message, Receive, Scope, Send

from jobgate import app
from jobgate.db import QUERIES
from jobgate.dispatch import Gateway
from jobgate.sweeper import Sweeper
from jobgate.worker import Worker
from tests.chaos.plain_queue import remove_rows

FENCED = (
    *("renew_leases", "held_jobs", "complete_jobs", "checkpoint_job"),
    *("fail_job", "defer_job", "release_jobs", "cancel_running"),
)

UNIQUE_DROPPED = "alter table replay drop constraint replay_consumer_key_digest_after_id_key"
"""For the harness to run once, when the guard `unique` is removed."""


def remove_fence() -> None:
    """A worker that was presumed dead may write."""
    for name in FENCED:
        assert "fence = " in QUERIES[name], name
        QUERIES[name] = QUERIES[name].replace("fence = ", "fence >= ")


def remove_sweeper() -> None:
    """Nobody looks for what dead processes left."""

    async def run(self: Sweeper) -> None:
        await asyncio.Event().wait()

    Sweeper.run = run  # type: ignore[method-assign]  # that is the guard


def remove_unique() -> None:
    """Equal packets that race are not told apart by the database."""
    for name in ("accept_job", "accept"):
        text = QUERIES[name].replace("on conflict (consumer_key, digest, after_id) do nothing", "")
        assert text != QUERIES[name], name
        QUERIES[name] = text


def remove_shield() -> None:
    """A client that hangs up undoes what its request has begun."""
    answer = app.answer_post

    async def answer_post(gate: Gateway, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = [await receive()]
        while messages[-1].get("more_body", False):
            messages.append(await receive())

        async def repeat() -> Message:
            return messages.pop(0)

        answering = asyncio.ensure_future(answer(gate, scope, repeat, send))
        leaving = asyncio.ensure_future(receive())
        await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
        for task in (answering, leaving):
            task.cancel()
        await asyncio.wait([answering, leaving])

    app.answer_post = answer_post


def remove_poll() -> None:
    """Work is found through the doorbell only."""

    async def listen(self: Worker, bell: asyncio.Event) -> None:
        await bell.wait()

    Worker._listen = listen  # type: ignore[method-assign]  # noqa: SLF001
    QUERIES["has_due_jobs"] = "select false"


GUARDS: dict[str, Callable[[], None]] = {
    "fence": remove_fence,
    "sweeper": remove_sweeper,
    "unique": remove_unique,
    "shield": remove_shield,
    "poll": remove_poll,
    "rows": remove_rows,
}
