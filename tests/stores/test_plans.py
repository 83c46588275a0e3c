"""Statements are found by their own indexes, also before Postgres has counted anything."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from jobgate.db import Transaction
from jobgate.testing import House
from tests.sessions.test_plans import general_plan, plan

_FILL = """
with made as (
    insert into xapi_statement (organisation_id, store_id, id, raw, stored, client, validated, verb_id, registration,
        statement_ref)
    select 1, 1 + n % 3, gen_random_uuid(), '{}', timestamptz '2026-01-01' + n * interval '7.123 s', 'c', true,
        md5('verb' || n % 5)::uuid, case when n % 4 = 0 then md5('registration' || n % 1000)::uuid end,
        case when n % 10 = 0 then md5('statement' || n / 10)::uuid end
    from generate_series(1, 9000) as n
    returning organisation_id, store_id, stored, number
), contents as (
    insert into xapi_attachment (organisation_id, store_id, sha2, content_type, content)
    select organisation_id, store_id, md5('content' || number), 'text/plain', 'x' from made
), known as (
    insert into xapi_activity (organisation_id, store_id, id, iri)
    select organisation_id, store_id, gen_random_uuid(), 'https://x.example' from made
), agents as (
    insert into xapi_statement_agent (organisation_id, store_id, agent_id, stored, number, place)
    select organisation_id, store_id, md5('agent' || number % 100)::uuid, stored, number, 0 from made
)
insert into xapi_statement_activity (organisation_id, store_id, activity_id, stored, number, place)
select organisation_id, store_id, md5('activity' || number % 100)::uuid, stored, number, 0 from made
"""
_SOME = uuid.uuid4()
_TIME = datetime(2026, 1, 1, 5, tzinfo=UTC)
_LATE = datetime(2027, 1, 1, tzinfo=UTC)
_MANY = [[_TIME] * 1000, list(range(1000))]

WALKS = {
    "statements": "xapi_statement_by_stored",
    "verb": "xapi_statement_by_verb",
    "registration": "xapi_statement_by_registration",
    "agent": "xapi_statement_agent_pkey",
    "activity": "xapi_statement_activity_pkey",
    "referring": "xapi_statement_referring",
}
LOOKS: dict[str, tuple[list[Any], list[str]]] = {
    "judge_statements": (
        [1, 1, *_MANY, 100, _SOME, None, _SOME, 0, _SOME, 0, 100],
        ["by_stored", "statement_pkey", "agent_pkey", "activity_pkey"],
    ),
    "find_referring": ([1, 1, *_MANY, 1000], ["by_stored", "xapi_statement_about"]),
    "read_statements": ([1, 1, *_MANY, True, 10**6], ["by_stored", "xapi_attachment_pkey"]),
    "find_statement": ([1, 1, _SOME, False], ["xapi_statement_pkey"]),
    "find_raws": ([1, 1, [_SOME] * 1000], ["xapi_statement_pkey"]),
    "void_targets": ([1, 1, [_SOME]], ["xapi_statement_pkey"]),
    "void_awaited": ([1, 1, [_SOME] * 1000], ["xapi_statement_pkey", "xapi_statement_about"]),
    "find_known_activities": ([1, 1, [_SOME] * 1000], ["xapi_activity_pkey"]),
}
"""What a call looks up, and the indexes that it does so by."""


async def test_statements_are_found_by_their_indexes(house: House) -> None:
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("alter table xapi_statement set (autovacuum_enabled = off)")
        await tx.connection.execute(_FILL)

    async with house.db.transaction(1) as db:
        await check_looks(db)
        await check_walks(db)
    async with house.db.connection() as queries:
        await queries.connection.execute("analyze")
    async with house.db.transaction(1) as db:
        await check_looks(db)
        await check_walks(db)


async def check_looks(db: Transaction) -> None:
    """What is looked up by a key, with arguments and without."""
    for name, (args, indexes) in LOOKS.items():
        for found in (await plan(db, name, *args), await general_plan(db, name)):
            assert all(index in found for index in indexes), (name, found)
            assert "Seq Scan on xapi" not in found, (name, found)
            assert "hashed" not in found, (name, found)


async def check_walks(db: Transaction) -> None:
    """What goes on from a place."""
    await db.execute("walk_in_order")
    for kind, index in WALKS.items():
        keys = [] if kind in ("statements", "referring") else [_SOME]
        for name, start, bound in ((f"walk_{kind}_asc", _TIME, _LATE), (f"walk_{kind}_desc", _LATE, _TIME)):
            for found in (await plan(db, name, 1, 1, start, 7, bound, 100, *keys), await general_plan(db, name)):
                assert index in found, (name, found)
                assert "Sort" not in found, (name, found)
    assert "by_stored" in await plan(db, "next_stored", 1, 1)
