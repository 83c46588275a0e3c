"""Sessions as rows, for tests of what jobs do to them."""

from __future__ import annotations

from typing import Any

from jobgate import wire
from jobgate.testing import House

_INSERT = """
insert into session (organisation_id, session_id, user_id, activity_id, status, dt_saved, dt_started, dt_completed,
    metadata, items, subscore_definitions, updated_at)
values ($1, $2, $3, 'a-1', $4, '2020-01-01', '2020-01-01', case when $4 = 'Completed' then timestamptz '2020-01-02' end,
    $5, $6, $7, '2020-01-03')
returning id
"""
_INSERT_RESPONSE = """
insert into response (organisation_id, session_no, position, response_id, item_reference, attempted, score, max_score,
    manual_score, max_manual_score, question, response, dt_score_updated)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '2020-01-02')
"""


async def store(
    house: House,
    session_id: str,
    *,
    user_id: str = "u-1",
    organisation_id: int = 1,
    status: str = "Incomplete",
    metadata: Any = None,
    items: Any = (),
    definitions: Any = (),
    responses: Any = (),
) -> None:
    """Store a session that was last written on 2020-01-03; `responses` are dicts of columns."""
    async with house.db.transaction(organisation_id) as tx:
        number = await tx.connection.fetchval(
            _INSERT,
            organisation_id,
            session_id,
            user_id,
            status,
            wire.encode(metadata or {}),
            wire.encode(items),
            wire.encode(definitions),
        )
        for position, response in enumerate(responses):
            await tx.connection.execute(
                _INSERT_RESPONSE,
                organisation_id,
                number,
                position,
                response.get("response_id", f"r-{position}"),
                response.get("item_reference", ""),
                response.get("attempted", True),
                response.get("score"),
                response.get("max_score"),
                response.get("manual_score"),
                response.get("max_manual_score"),
                wire.encode(response["question"]) if "question" in response else None,
                wire.encode(response["response"]) if "response" in response else None,
            )


async def read(house: House, session_id: str, organisation_id: int = 1) -> dict[str, Any]:
    """The session's row; JSON columns are decoded."""
    async with house.db.reading(organisation_id) as db:
        row = await db.connection.fetchrow("select * from session where session_id = $1", session_id)
    assert row is not None
    return {name: wire.decode(value, Any) if isinstance(value, bytes) else value for name, value in row.items()}


async def read_responses(house: House, session_id: str, organisation_id: int = 1) -> list[dict[str, Any]]:
    """The rows of the session's responses, in their order."""
    async with house.db.reading(organisation_id) as db:
        rows = await db.connection.fetch(
            "select response.* from response join session on session.id = session_no where session_id = $1"
            " order by position",
            session_id,
        )
    return [dict(row) for row in rows]


async def statuses(house: House, *session_ids: str, organisation_id: int = 1) -> list[str]:
    """The statuses of sessions, in order."""
    return [(await read(house, session_id, organisation_id))["status"] for session_id in session_ids]


async def results(house: House, reference: str, **as_: Any) -> Any:
    """What a completed job of `house.home` says about its entries."""
    reply = await house.call("jobs", "get", {"references": [reference], "include": ["status", "results"]}, **as_)
    (record,) = reply.data
    assert record["status"] == "completed", record
    return record["results"]


async def age_jobs(house: House) -> int:
    """Take a number in the order of acceptance, as a job would: the next job is newer, those before are older."""
    number = await house.db.fetchval("next_job_id")
    assert isinstance(number, int)
    return number
