"""Statements to test with, and the way into a store and around it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from jobgate import wire
from jobgate.testing import House
from jobgate.xapi.identifiers import agent_id, identify

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


async def read_raws(house: House) -> list[dict[str, Any]]:
    """Every statement as it is kept."""
    return [wire.decode(row["raw"], Any) for row in await look(house, "select raw from xapi_statement order by number")]


def id_of(who: dict[str, Any]) -> UUID:
    """The id of somebody."""
    identifier = identify(who)
    assert identifier is not None
    return agent_id(identifier)


async def move(house: House, id: str, moment: datetime) -> None:
    """Let a statement have been recorded at another time."""
    for table in ("agent", "activity"):
        await look(
            house,
            f"update xapi_statement_{table} set stored = $2 where number ="
            " (select number from xapi_statement where id = $1::text::uuid)",
            id,
            moment,
        )
    await look(house, "update xapi_statement set stored = $2 where id = $1::text::uuid", id, moment)


async def plan_job(house: House, type: str, **params: Any) -> Any:
    """Save a job of a type on the store `main` that is to run at once; the answer."""
    request = {"repeat": "on", "date": "2999-01-01", "replay": True, "store": "main"} | params
    return (await house.call(f"jobs/{type}", "set", request)).data


async def run_job(house: House, type: str, **params: Any) -> dict[str, Any]:
    """Run a job of a type on the store `main` to its end; its record."""
    await plan_job(house, type, **params)
    await house.carry()
    return await read_last_job(house)


async def run_again(house: House, saved: dict[str, Any]) -> dict[str, Any]:
    """Run a saved job once more; the record of that."""
    assert (await house.call("jobs/executions", "set", {"job_id": saved["id"]})).status == 200
    await house.carry()
    return await read_last_job(house)


async def read_last_job(house: House) -> dict[str, Any]:
    """The record of the last job."""
    wanted = {"include": ["reference", "status", "results", "data", "progress", "error"], "limit": 1}
    wanted["status"] = ["completed", "halted"]
    (job,) = (await house.call("jobs", "get", wanted)).data
    assert isinstance(job, dict)
    return job


def void(number: int, target: int) -> dict[str, Any]:
    """A statement that voids another."""
    about = {"objectType": "StatementRef", "id": make(target)["id"]}
    return make(number, verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object=about)
