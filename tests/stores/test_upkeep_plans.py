"""What is listed, judged and swept of a store is found by its own indexes, whatever else the store has."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from jobgate.testing import House
from tests.sessions.test_plans import general_plan, plan

_FILL = """
with moments as (
    select n, 1 + n % 3 as store_id, timestamptz '2026-01-01' + n * interval '7.123 s' as moment
    from generate_series(1, 9000) as n
), statements as (
    insert into xapi_statement (organisation_id, store_id, id, raw, stored, client, validated, valid)
    select 1, store_id, gen_random_uuid(), '{}', moment, 'c', n % 10 > 0, case when n % 10 > 0 then n % 100 > 1 end
    from moments
), documents as (
    insert into xapi_document (organisation_id, store_id, kind, activity_id, agent_id, document_id, content,
        content_type, stored, updated)
    select 1, store_id, case when n % 50 = 0 then 'agent-profiles' else 'states' end,
        case when n % 50 > 0 then md5('activity' || n % 7)::uuid end, md5('agent' || n % 2000)::uuid, 's' || n,
        'x', 'text/plain', moment, moment
    from moments
), activities as (
    insert into xapi_activity (organisation_id, store_id, id, iri, type, stored)
    select 1, store_id, md5('activity' || n)::uuid, 'a:' || n, 'type' || n % 300, moment from moments
), agents as (
    insert into xapi_agent (organisation_id, store_id, id, kind, field_1, stored)
    select 1, store_id, md5('agent' || n)::uuid, 'mbox', 'mailto:' || n, moment from moments
), tokens as (
    insert into xapi_token (organisation_id, store_id, digest, activity_iri, agent, agent_id, created_at)
    select 1, store_id, 'x', 'a:b', '{}', md5('agent' || n % 2000)::uuid, moment from moments
)
insert into xapi_log (organisation_id, store_id, type, level, description, stored)
select 1, nullif(store_id, 3), 'api', n % 8, 'entry', moment from moments
"""
_SOME = uuid.uuid4()
_TIME = datetime(2026, 1, 1, 5, tzinfo=UTC)
_LATE = datetime(2027, 1, 1, tzinfo=UTC)
_SWEPT = [1, 1, _LATE, _TIME, 7, 1000]

PLANS: dict[str, tuple[list[Any], str]] = {
    "count_unjudged": (_SWEPT, "xapi_statement_unvalidated"),
    "find_unjudged": ([*_SWEPT, 10**6], "xapi_statement_unvalidated"),
    "find_invalid": (_SWEPT, "xapi_statement_invalid"),
    "write_verdicts": ([1, 1, [_SOME] * 1000, [1] * 1000, [True] * 1000, [True] * 1000], "xapi_statement_pkey"),
    "find_old_statements": (_SWEPT, "xapi_statement_by_stored"),
    "delete_old_activities": (_SWEPT, "xapi_activity_by_stored"),
    "delete_old_agents": (_SWEPT, "xapi_agent_by_stored"),
    "delete_old_documents": ([*_SWEPT, "states"], "xapi_document_by_stored"),
    "delete_old_tokens": (_SWEPT, "xapi_token_by_time"),
    "delete_old_logs": ([1, None, *_SWEPT[2:], 7], "xapi_log_by_stored"),
    "delete_old_logs_of_store": ([*_SWEPT, 7], "xapi_log_by_store"),
    "walk_documents": ([1, 1, "states", _LATE, 7, None, None, None, None, 51], "xapi_document_by_stored"),
    "walk_documents_of_activity": (
        [1, 1, "states", _LATE, 7, None, None, _SOME, None, 51],
        "xapi_document_of_activity",
    ),
    "walk_documents_of_agent": ([1, 1, "states", _LATE, 7, None, None, None, _SOME, 51], "xapi_document_of_agent"),
    "next_document_time": ([1, 1, ["states"]], "xapi_document_by_update"),
    "read_documents": ([1, 1, [7] * 50], "xapi_document_pkey"),
    "walk_activities": ([1, 1, 2**62, None, None, 51], "xapi_activity_by_number"),
    "walk_activities_of_type": ([1, 1, 2**62, None, "type7", 51], "xapi_activity_by_type"),
    "walk_activities_by_id": ([1, 1, 2**62, [_SOME] * 1000, None, 51], "xapi_activity_pkey"),
    "walk_tokens": ([1, 1, 2**62, None, None, 51], "xapi_token_by_number"),
    "walk_tokens_of_agent": ([1, 1, 2**62, None, _SOME, 51], "xapi_token_of_agent"),
    "find_token": ([1, 1, _SOME, b"x", None, None], "xapi_token_pkey"),
    "walk_logs": ([1, _LATE, 7, None, None, None, 0, None, None, 51], "xapi_log_by_stored"),
    "walk_logs_of_store": ([1, _LATE, 7, None, None, None, 0, None, 1, 51], "xapi_log_by_store"),
}
"""Statements, what they are asked, and the index that they must go by."""

_LEFT = [1, 1, _TIME, 7, _LATE, 500, 10**6]
_MANY = [uuid.uuid4() for _ in range(1000)]
_NUMBERS = list(range(1000))

UNCOUNTED: dict[str, tuple[list[Any], str]] = {
    "find_originals": ([*_SWEPT, 10**6], "xapi_statement_original"),
    "search_statements": ([1, 1, _TIME, 7, 1000, ["%x%"], [], 10**6], "xapi_statement_by_stored"),
    "leave_statements": (_LEFT, "xapi_statement_by_stored"),
    "leave_activities": (_LEFT, "xapi_activity_by_stored"),
    "leave_changed_activities": (_LEFT, "xapi_activity_by_update"),
    "leave_agents": (_LEFT, "xapi_agent_by_stored"),
    "leave_changed_agents": (_LEFT, "xapi_agent_by_update"),
    "leave_documents": ([*_LEFT, "states"], "xapi_document_by_stored"),
    "leave_changed_documents": ([*_LEFT, "states"], "xapi_document_by_update"),
    "find_original_agents": ([1, 1, 7, _LATE, 1000], "xapi_agent_by_number"),
    "find_voiding": ([1, 1, _MANY], "xapi_statement_pkey"),
    "void_targets": ([1, 1, _MANY], "xapi_statement_pkey"),
    "find_known_agents": ([1, 1, _MANY], "xapi_agent_pkey"),
    "delete_documents": ([1, 1, _NUMBERS], "xapi_document_pkey"),
    "delete_outdone_documents": ([1, 1, _NUMBERS, _MANY], "xapi_document_of_agent"),
    "delete_tokens": ([1, 1, _NUMBERS], "xapi_token_by_number"),
}
"""What jobs ask besides, batch by batch, also while Postgres has counted nothing."""


async def test_every_statement_goes_by_its_own_index(house: House) -> None:
    async with house.db.transaction(1) as tx:
        for table in ("statement", "document", "activity", "agent", "token", "log"):
            await tx.connection.execute(f"alter table xapi_{table} set (autovacuum_enabled = off)")
        await tx.connection.execute(_FILL)

    async with house.db.transaction(1) as db:
        await db.execute("walk_in_order")  # as `hold` has it
        for name, (args, index) in (PLANS | UNCOUNTED).items():
            if not name.startswith(("walk_", "read_")):  # those are for callers, who come later
                found = await plan(db, name, *args)
                assert index in found, (name, found)
    async with house.db.connection() as queries:
        await queries.connection.execute("analyze")
    async with house.db.transaction(1) as db:
        for name, (args, index) in PLANS.items():
            for found in (await plan(db, name, *args), await general_plan(db, name)):
                assert index in found, (name, found)
