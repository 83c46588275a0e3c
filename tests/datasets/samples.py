"""Attempts and datasets to test with."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from jobgate.client import Credentials
from jobgate.testing import House, Reply

TYPE = "activity-summary-by-group"
SESSIONS = "sessions-summary-by-group"
ANALYSIS = "activity-analysis-by-question"
BANK = "ibk-analysis-by-question"

_numbers = itertools.count(1)


class Answered(NamedTuple):
    """A response within an attempt."""

    max_score: float
    score: float | None = None
    attempted: bool = True
    manual_score: float | None = None
    max_manual_score: float | None = None
    question: str = ""
    """Its reference."""
    question_type: str = ""
    value: Any = None
    """What was answered."""


async def add_attempt(
    house: House,
    user_id: str,
    activity_id: str,
    score: float | None,
    max_score: float,
    *,
    completed: str | None = "2026-03-01",
    status: str = "Completed",
    responses: Iterable[Answered] = (),
    organisation_id: int = 1,
    session_id: str | None = None,
) -> str:
    """A session, as if it had been set; its id."""
    session_id = session_id or f"session-{next(_numbers)}"
    at = None if completed is None else datetime.fromisoformat(completed + "T12:00:00+00:00")
    async with house.db.transaction(organisation_id) as tx:
        number = await tx.connection.fetchval(
            "insert into session (organisation_id, session_id, user_id, activity_id, status, score, max_score,"
            " dt_saved, dt_started, dt_completed, updated_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, now(), now(), $8, now()) returning id",
            organisation_id,
            session_id,
            user_id,
            activity_id,
            status,
            score,
            max_score,
            at,
        )
        for position, response in enumerate(responses):
            await tx.connection.execute(
                "insert into response (organisation_id, session_no, position, response_id, max_score, score, attempted,"
                " manual_score, max_manual_score, question_reference, question_type, response)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                organisation_id,
                number,
                position,
                f"response-{position}",
                *response[:-1],
                None if response.value is None else msgspec.json.encode({"value": response.value}),
            )
    return session_id


_MANY_SESSIONS = """
insert into session (organisation_id, session_id, user_id, activity_id, status, score, max_score, dt_saved, dt_started,
    dt_completed, updated_at)
select 1, format('many-%s-%s', learner, activity), format('user-%s', learner), format('activity-%s', activity),
    'Completed', abs(hashint8(learner * 31 + activity)::bigint) % 1001 / 100.0, 10, now(), now(), now(), now()
from generate_series($1::bigint, $2::bigint - 1) as learner, generate_series(1, $3::bigint) as activity
"""
_MANY_RESPONSES = """
insert into response (organisation_id, session_no, position, response_id, question_reference, question_type, attempted,
    score, max_score, response)
select 1, session.id, question, format('response-%s', question), format('question-%s', question), 'mcq', true,
    hashint8(session.id * 31 + question) & 1, 1, json_build_object('value', array[(hashint8(session.id) & 3)::text])
from session, generate_series(1, $3::bigint) as question
where session.organisation_id = 1 and session_id = any(array(
    select format('many-%s-%s', learner, $4::bigint) from generate_series($1::bigint, $2::bigint - 1) as learner))
"""
_BITE = 10_000


async def add_many(house: House, users: int, activities: int = 1, questions: int = 0) -> None:
    """Sessions of `user-0`, `user-1`, ... at `activity-1`, ..., scores from 0 to 10 scattered evenly."""
    for first in range(0, users, _BITE):
        last = min(first + _BITE, users)
        async with house.db.transaction(1) as tx:
            await tx.connection.execute(_MANY_SESSIONS, first, last, activities, timeout=300)
        for activity in range(1, activities + 1 if questions else 1):
            async with house.db.transaction(1) as tx:
                await tx.connection.execute(_MANY_RESPONSES, first, last, questions, activity, timeout=300)


def line(user_id: str, *group_path: str, sessions: Iterable[str] | None = None) -> bytes:
    """A line of a file."""
    named = {} if sessions is None else {"session_ids": list(sessions)}
    return msgspec.json.encode({"user_id": user_id, "group_path": group_path} | named)


async def set_dataset(house: House, *, as_: Credentials | None = None, **request: Any) -> Any:
    """Set a dataset with one file; what was answered."""
    return (
        await house.call("reports/datasets", "set", {"dataset_type": TYPE, "file_count": 1} | request, as_=as_)
    ).data


async def put(house: House, url: str, body: bytes) -> Reply:
    """Put a file where the answer said."""
    parts = urlsplit(url)
    return await house.send("PUT", f"{parts.path}?{parts.query}", body)


async def upload(house: House, *lines: bytes, **request: Any) -> str:
    """Set a dataset and put its only file; its id."""
    answer = await set_dataset(house, **request)
    (url,) = answer["input_files"]
    assert (await put(house, url, b"\n".join(lines))).status == 200
    dataset_id: str = answer["dataset_id"]
    return dataset_id


async def start(house: House, dataset_id: str, dataset_type: str = TYPE) -> str:
    """Start compiling; the job's reference."""
    reply = await house.call("jobs/reports/datasets", "set", {"dataset_type": dataset_type, "dataset_id": dataset_id})
    reference: str = reply.data["job_reference"]
    return reference


async def finish(house: House, reference: str) -> Any:
    """Let a worker do what there is to do; the job's record."""
    await house.carry()
    include = ["status", "results", "error", "progress", "data"]
    (record,) = (await house.call("jobs", "get", {"references": [reference], "include": include})).data
    return record


async def compile_dataset(house: House, dataset_id: str, dataset_type: str = TYPE) -> Any:
    """Compile; the job's record."""
    record = await finish(house, await start(house, dataset_id, dataset_type))
    assert record["status"] == "completed", record
    return record


async def read(house: House, dataset_id: str, *group_path: str, **request: Any) -> Any:
    """What there is at a place of the dataset."""
    reply = await house.call("reports/datasets", "get", {"dataset_id": dataset_id, "group_path": group_path} | request)
    return reply.data


async def count(house: House, table: str) -> int:
    """How many rows of organisation 1 a table has."""
    async with house.db.reading(1) as tx:
        rows: int = await tx.connection.fetchval(f"select count(*) from {table}")
    return rows
