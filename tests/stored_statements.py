"""Statements to test with, and the way into a store and around it."""

from __future__ import annotations

from typing import Any

from jobgate.testing import House

VERB = {"id": "http://adlnet.gov/expapi/verbs/answered"}
ACTIVITY = {
    "id": "https://school.example/quiz/1",
    "definition": {"name": {"en": "Quiz"}, "type": "http://x.example/quiz"},
}


def make(number: int, **changes: Any) -> dict[str, Any]:
    """A statement of somebody about something."""
    statement = {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "actor": {"mbox": f"mailto:learner-{number}@school.example"},
        "verb": VERB,
        "object": ACTIVITY,
    }
    return statement | changes


async def record(house: House, statements: list[Any], **options: Any) -> Any:
    """Record statements in the store `main`."""
    return (await house.call("xapi/statements", "set", {"store": "main", "statements": statements} | options)).data


async def look(house: House, sql: str, *args: Any) -> list[Any]:
    """Look at the tables directly."""
    async with house.db.transaction(1) as tx:
        return list(await tx.connection.fetch(sql, *args))


def void(number: int, target: int) -> dict[str, Any]:
    """A statement that voids another."""
    about = {"objectType": "StatementRef", "id": make(target)["id"]}
    return make(number, verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object=about)
