"""The walls between organisations: walks over the catalogue, over the statements, and over calls at random."""

from __future__ import annotations

import random
import re
import uuid
from typing import Any

import pytest

from jobgate.db import QUERIES
from jobgate.testing import House
from tests.stored_statements import make

GUARDED_BY_STATEMENTS = {
    "job": "claimed across organisations; every statement of a consumer binds its key",
    "job_archive": "what `job` was; guarded likewise",
    "every_job": "both of these",
    "definition_due": "searched across organisations; says when something is due and for whom, not what",
    "outbox": "searched across organisations; says what is due and for whom, not what it says",
    "beacon_watch": "searched across organisations; says when a job must be looked at, not what it is",
    "beacon_ended": "searched across organisations; says how and when a job ended, not what it is",
    "audit": "written only",
    "consumer": "looked up before there is an organisation",
    "consumer_organisation": "says which organisations there are for a consumer",
}
"""Tables with an organisation that row-level security does not guard, and why."""


async def fetch(house: House, sql: str, *args: Any) -> list[Any]:
    """Look at the tables directly."""
    async with house.db.connection() as queries:
        return await queries.connection.fetch(sql, *args)


async def walled_tables(house: House) -> set[str]:
    """Tables with an organisation that are not excused."""
    rows = await fetch(
        house,
        "select table_name from information_schema.columns"
        " where table_schema = 'public' and column_name = 'organisation_id'"
        " and table_name !~ '_archive_\\d{4}_\\d\\d$'",
    )
    return {row["table_name"] for row in rows} - set(GUARDED_BY_STATEMENTS)


async def test_row_level_security_is_forced_on_every_tenant_table(house: House) -> None:
    rows = await fetch(
        house,
        "select relname, relrowsecurity and relforcerowsecurity as forced,"
        " array(select polname from pg_policy where polrelid = pg_class.oid) as policies"
        " from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace",
    )
    state = {row["relname"]: (row["forced"], len(row["policies"])) for row in rows}

    tables = await walled_tables(house)
    assert {"session", "response"} <= tables
    assert {table: state[table] for table in tables} == dict.fromkeys(tables, (True, 1))


async def test_every_statement_on_a_tenant_table_binds_the_organisation(house: House) -> None:
    tables = "|".join(await walled_tables(house))
    touching = re.compile(rf"\b(from|join|into|update)\s+({tables})\b", re.IGNORECASE)

    unbound = [
        name
        for name, text in QUERIES.items()
        if touching.search(text)
        and not re.search(r"organisation_id\s*=\s*\$\d|insert into \w+\s*\(\s*organisation_id\b", text)
    ]

    assert unbound == []


async def test_a_transaction_without_an_organisation_sees_no_row(house: House) -> None:
    await create(house, house.home, "mine")

    async with house.db.transaction() as tx:
        assert await tx.connection.fetchval("select count(*) from session") == 0
    async with house.db.transaction(2) as tx:
        assert await tx.connection.fetchval("select count(*) from session") == 0
    async with house.db.transaction(1) as tx:
        assert await tx.connection.fetchval("select count(*) from session") == 1


async def test_a_row_cannot_be_written_for_another_organisation(house: House) -> None:
    await create(house, house.home, "mine")

    with pytest.raises(Exception, match="row-level security"):
        async with house.db.transaction(1) as tx:
            await tx.connection.execute("update session set organisation_id = 2")


async def create(house: House, who: Any, session_id: str) -> str:
    """Create a session; the reference of its job."""
    data = [{"session_id": session_id, "user_id": "user", "activity_id": "activity"}]
    reply = await house.call("sessions", "set", {"data_format": "from_template", "data": data}, as_=who)
    await house.carry()
    reference: str = reply.data["job_reference"]
    return reference


READS = (
    "sessions/statuses",
    "sessions/metadata",
    "sessions/scores",
    "sessions/responses",
    "sessions/responses/scores",
    "sessions/reports/adaptive",
)
BANK = ("itembank/questions", "itembank/items", "itembank/activities")


PUSHED = ("push/targets", "push/deliveries")
SAVED = ("jobs/definitions", "jobs/definitions/statuses", "jobs/executions")


DOCUMENT = {"store": "mine", "service": "activity-profiles", "activity_id": "a:b", "profile_id": "p"}
KEPT = (
    "xapi/stores",
    "xapi/documents",
    "xapi/activities",
    "xapi/agents",
    "xapi/persons",
    "xapi/logs",
    "xapi/connections",
    "cmi5/tokens",
    "xapi/statements",
)

CONNECTION = {"name": "mine", "kind": "lrs", "endpoint": "https://lrs.example/", "username": "u", "password": "p"}
EXCHANGE = {"repeat": "now", "store": "mine", "service": "statements", "until": "now"}
DELETION = {"repeat": "now", "store": "mine", "agent": make(1)["actor"], "person": True}
STOLEN = {"response_id": "answer", "score": 1}


async def test_a_stranger_who_names_everything_gets_and_changes_nothing(house: House) -> None:
    """Each step names ids of the other organisation in whatever takes one; before and after, its data are the same."""
    target = (await house.call("push/targets", "set", {"url": "https://lms.example/"})).data["id"]
    reference = await create(house, house.home, "mine")
    nothing = {"name": "mine", "type": "sessionstatusupdate", "params": {"statuses": []}}
    saved = (await house.call("jobs/definitions", "set", nothing)).data["id"]
    await house.call("jobs/executions", "set", {"job_id": saved})
    await house.call("xapi/stores", "set", {"slug": "mine"})
    await house.call("xapi/documents", "set", DOCUMENT | {"content": {}})
    await house.call("cmi5/tokens", "set", {"store": "mine", "activity_id": "a:b", "agent": {"mbox": "mailto:a@b.c"}})
    await house.call("xapi/statements", "set", {"store": "mine", "statements": [make(1)]})
    persons = {"store": "mine", "persons": [[make(1)["actor"]]]}
    (person,) = (await house.call("xapi/persons", "set", persons)).data
    connection = (await house.call("xapi/connections", "set", CONNECTION)).data["id"]
    dice = random.Random(7)
    assert (await house.call("itembank/items", "set", {"items": [{"reference": "mine"}]})).data[0]["version"] == 1
    before = await fetch_sessions(house)
    for _ in range(130):
        endpoint, action, request = dice.choice(
            [
                *[(endpoint, "get", {"session_id": ["mine"], "user_id": ["user"]}) for endpoint in READS],
                ("jobs", "get", {"references": [reference]}),
                ("jobs", "update", {"references": [reference], "status": "queued"}),
                ("jobs/sessions/statuses", "update", {"statuses": [entry(status="Discarded")]}),
                ("jobs/sessions/metadata", "set", {"session_metadata": [entry(metadata={"stolen": True})]}),
                ("jobs/sessions/scores/subscores", "get", {"session_id": ["mine"]}),
                ("sessions/responses/scores", "update", {"sessions": [entry(responses=[STOLEN])]}),
                ("reports/datasets", "get", {"dataset_id": str(uuid.UUID(int=1))}),
                *[(endpoint, "get", {"references": ["mine"]}) for endpoint in BANK],
                ("jobs/definitions", "get", {"id": [saved]}),
                ("jobs/definitions", "update", {"id": saved, "name": "stolen"}),
                ("jobs/definitions", "delete", {"id": saved}),
                ("jobs/definitions", "delete", {"all": True}),
                ("jobs/definitions/statuses", "get", {"job_id": saved}),
                ("jobs/executions", "get", {"job_id": saved}),
                ("jobs/executions", "set", {"job_id": saved}),
                ("push/targets", "get", {"id": [target]}),
                ("push/targets", "delete", {"all": True}),
                ("push/targets", "update", {"id": target, "url": "https://thief.example/"}),
                ("push/tests", "set", {"target_id": target}),
                ("push/deliveries", "get", {"session_id": "mine"}),
                ("itembank/questions", "get", {"item_references": ["mine"]}),
                ("itembank/items", "set", {"organisation_id": 1, "items": [{"reference": "mine", "title": "stolen"}]}),
                ("xapi/stores", "get", {"slug": ["mine"]}),
                ("xapi/logs", "get", {"store": "mine"}),
                ("xapi/activities", "get", {"store": "mine"}),
                ("xapi/agents", "get", {"store": "mine", "person": person["id"]}),
                ("xapi/persons", "get", {"store": "mine", "id": [person["id"]]}),
                ("xapi/persons", "set", persons),
                ("jobs/agent-deletion", "set", DELETION),
                ("xapi/connections", "get", {"id": [connection]}),
                ("xapi/connections", "update", {"id": connection, "name": "stolen"}),
                ("xapi/connections", "delete", {"all": True}),
                ("jobs/push", "set", EXCHANGE | {"connection": connection}),
                ("cmi5/tokens", "get", {"store": "mine"}),
                ("cmi5/tokens", "set", {"store": "mine", "activity_id": "a:b", "agent": {"mbox": "mailto:a@b.c"}}),
                ("xapi/documents", "get", {"store": "mine", "service": "activity-profiles"}),
                ("xapi/documents", "set", DOCUMENT | {"content": "stolen"}),
                ("xapi/statements", "get", {"store": "mine", "statement_id": make(1)["id"]}),
                ("xapi/statements", "set", {"store": "mine", "statements": [make(2)]}),
                ("sessions/statuses", "get", {"organisation_id": 1}),
                ("jobs/sessions/statuses", "update", {"organisation_id": 1, "statuses": [entry(status="Discarded")]}),
            ]
        )
        reply = await house.call(endpoint, action, request, as_=house.stranger)
        if reply.status == 200 and action == "get" and endpoint in (*READS, *BANK, *PUSHED, *SAVED, *KEPT, "jobs"):
            assert not reply.data
        assert reply.status in (200, 400, 403, 429)
    await house.carry()

    assert await fetch_sessions(house) == before
    (kept,) = (await house.call("push/targets", "get")).data
    assert (kept["id"], kept["url"]) == (target, "https://lms.example/")
    (definition,) = (await house.call("jobs/definitions", "get")).data
    assert (definition["id"], definition["name"]) == (saved, "mine")
    assert len((await house.call("jobs/executions", "get", {"job_id": saved})).data) == 1
    (item,) = (await house.call("itembank/items", "get")).data
    assert (item["title"], item["version"]) == ("", 1)
    (far,) = (await house.call("xapi/connections", "get")).data
    assert (far["id"], far["name"]) == (connection, "mine")
    assert (await house.call("xapi/persons", "get", {"store": "mine"})).data == [person]
    query = {"store": "mine", "service": "activity-profiles"}
    (document,) = (await house.call("xapi/documents", "get", query)).data
    assert document["content"] == {}
    (statement,) = (await house.call("xapi/statements", "get", {"store": "mine"})).data["statements"]
    assert statement["id"] == make(1)["id"]
    theirs = await house.call("jobs", "get", {"references": [reference]}, as_=house.other)
    assert theirs.data == []  # nor does another consumer of the same organisation see a job


def entry(**what: Any) -> dict[str, Any]:
    """The other organisation's session, to be changed."""
    return {"session_id": "mine", "user_id": "user"} | what


async def fetch_sessions(house: House) -> list[Any]:
    """The rows of organisation 1 as they are."""
    async with house.db.transaction(1) as tx:
        return [tuple(row) for row in await tx.connection.fetch("select * from session order by id")]
