"""Stores that have something of everything, and how much of it there is."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from jobgate.testing import House
from tests.stored_statements import look, make, record

QUIZ = "https://school.example/quiz"
NOTE = b"a note"
ATTACHMENT = {
    "usageType": "https://school.example/note",
    "display": {"en": "Note"},
    "contentType": "text/plain",
    "length": len(NOTE),
    "sha2": hashlib.sha256(NOTE).hexdigest(),
}


async def fill(house: House, store: str, statements: int = 3) -> None:
    """A store with all that a store can have."""
    await house.call("xapi/stores", "set", {"slug": store})
    made = [make(number, object={"id": f"{QUIZ}/{number}"}) for number in range(statements)]
    note = {"sha2": ATTACHMENT["sha2"], "content_type": "text/plain", "content": base64.b64encode(NOTE).decode()}
    for start in range(0, statements, 500):
        await record(house, made[start : start + 500], store=store)
    await record(house, [make(10**6, attachments=[ATTACHMENT]), make(1, verb={})], store=store, attachments=[note])
    ada, ben = make(0)["actor"], make(1)["actor"]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("xapi/persons", {"persons": [[ada, ben]]}),
        ("cmi5/tokens", {"activity_id": QUIZ, "agent": ada}),
        ("xapi/clients", {"slug": f"of-{store}", "endpoint": "https://lrs.example/", "username": "u", "password": "p"}),
        ("jobs/clearing", {"repeat": "dailyAt", "time": "03:00", "service": "all", "until": "1_year"}),
    ]
    for service, owner in (
        ("states", {"agent": ada, "activity_id": QUIZ, "state_id": "s"}),
        ("activity-profiles", {"activity_id": QUIZ, "profile_id": "p"}),
        ("agent-profiles", {"agent": ada, "profile_id": "p"}),
    ):
        calls.append(("xapi/documents", {"service": service, "content": 1} | owner))
    for endpoint, request in calls:
        reply = await house.call(endpoint, "set", request | {"store": store})
        assert reply.status == 200, reply.body
    await look(
        house,
        "insert into xapi_progress (organisation_id, definition_id, service, position)"
        " select organisation_id, id, 'statements', '{}' from definition"
        " where store_id = (select id from xapi_store where slug = $1)",
        store,
    )


async def count_everything(house: House, store_id: int) -> dict[str, int]:
    """How many rows every table has of a store, whatever tables there are."""
    tables = await look(
        house,
        "select table_name from information_schema.columns"
        " where column_name = 'store_id' and table_schema = 'public' order by table_name",
    )
    found = {}
    for row in tables:
        table = row["table_name"]
        (counted,) = await look(house, f"select count(*) from {table} where store_id = $1", store_id)
        found[table] = counted["count"]
    (followed,) = await look(
        house,
        "select count(*) from xapi_progress where definition_id in (select id from definition where store_id = $1)",
        store_id,
    )
    return found | {"xapi_progress": followed["count"]}
