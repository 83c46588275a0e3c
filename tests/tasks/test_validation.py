"""Jobs of jobs/validation: what was recorded unjudged is judged once, by the rules of its own version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from jobgate import wire
from jobgate.db import Record
from jobgate.stores import validating
from jobgate.stores.validating import Verdict, judge
from jobgate.tasks import validation
from jobgate.testing import House
from tests.killing import kill_worker
from tests.stored_statements import look, make, plan_job, read_last_job, record, run_job

PARTICIPANT = {"objectType": "contextAgent", "agent": {"mbox": "mailto:mentor@school.example"}}
MIXED = [
    make(0),
    make(1, verb={"id": "no iri"}),
    make(2, version="2.0.0", context={"contextAgents": [PARTICIPANT]}),
    make(3, version="1.0.3", context={"contextAgents": [PARTICIPANT]}),
    make(4, actor=7, extra=[{}]),
]
"""Of which the second, the fourth and the last are not valid."""


async def fill(house: House, statements: list[Any], store: str = "main") -> None:
    """A store with statements that nobody has judged."""
    await house.call("xapi/stores", "set", {"slug": store})
    for start in range(0, len(statements), 1000):
        done = await record(house, statements[start : start + 1000], store=store, validate_statements=False)
        assert done["rejected"] == []


async def judgements(house: House) -> dict[int, tuple[bool, bool | None]]:
    """What is written about the statements that there are, by their numbers in the tests."""
    rows = await look(house, "select id, validated, valid from xapi_statement")
    return {int(str(row["id"])[-12:]): (row["validated"], row["valid"]) for row in rows}


async def test_statements_are_judged_once_by_the_version_that_they_name(house: House) -> None:
    await fill(house, MIXED)
    await record(house, [make(9)])

    first = await run_job(house, "validation", clear=False)
    again = await run_job(house, "validation", clear=False)

    assert first["results"] == [{"status": "ok", "checked": 5, "valid": 2, "invalid": 3, "deleted": 0}]
    assert again["results"] == [{"status": "ok", "checked": 0, "valid": 0, "invalid": 0, "deleted": 0}]
    valid = {number: (True, number in (0, 2, 9)) for number in (0, 1, 2, 3, 4, 9)}
    assert await judgements(house) == valid
    told = [entry["message"] for entry in first["data"]["log"] if entry["severity"] == 1]
    assert told[0] == f"Statement {make(1)['id']} is not valid: $.verb.id XAPI-00011"
    assert first["data"]["counters"] == {"found": 5, "checked": 5, "valid": 2, "invalid": 3, "deleted": 0}


async def test_what_is_invalid_is_deleted_whoever_found_it(house: House) -> None:
    await fill(house, MIXED[:2])
    await run_job(house, "validation", clear=False)
    await record(house, MIXED[2:], validate_statements=False)

    job = await run_job(house, "validation", clear=True)

    assert job["results"] == [{"status": "ok", "checked": 3, "valid": 1, "invalid": 2, "deleted": 3}]
    assert await judgements(house) == {0: (True, True), 2: (True, True)}
    links = await look(house, "select from xapi_statement_agent where place = 0")
    assert len(links) == 2
    (audited,) = await look(house, "select detail from audit where act = 'jobs.validation'")
    told = wire.decode(audited["detail"], dict[str, Any])
    assert told == {"job": job["reference"], "store": "main", "deleted": {"statements": 3}}


async def test_a_verdict_counts_for_nothing_but_what_was_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(house, MIXED)
    batches: list[int] = []

    async def judge_slowly(rows: Sequence[Record]) -> list[Verdict]:
        verdicts = await judge(rows)
        if not batches:
            await look(
                house, "update xapi_statement set raw = replace(raw::text, 'no iri', 'a:b')::json, pseudonymized = true"
            )
            await look(house, "delete from xapi_statement where id::text = $1", make(0)["id"])
        batches.append(len(verdicts))
        return verdicts

    monkeypatch.setattr(validation, "judge", judge_slowly)

    job = await run_job(house, "validation", clear=False)

    assert batches == [5, 4, 0]
    assert job["results"] == [{"status": "ok", "checked": 4, "valid": 2, "invalid": 2, "deleted": 0}]
    assert (await judgements(house))[1] == (True, True)


async def test_batches_are_small_however_long_the_statements_are(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"extensions": {"https://x.example/long": "x" * 3000}}
    await fill(house, [make(number, result=long if number % 2 else {}) for number in range(8)])
    monkeypatch.setattr(validating, "MAX_BYTES", 3000)
    monkeypatch.setattr(validating, "COUNTED", 3)
    sizes: list[int] = []

    async def judge_counted(rows: Sequence[Record]) -> list[Verdict]:
        sizes.append(len(rows))
        return await judge(rows)

    monkeypatch.setattr(validation, "judge", judge_counted)

    job = await run_job(house, "validation", clear=False)

    assert job["results"][0]["valid"] == 8
    assert sizes == [2, 2, 2, 2, 0]
    assert job["progress"] == {"done": 8, "total": 8}


async def test_a_worker_that_is_killed_changes_nothing_about_the_end(house: House) -> None:
    statements = [make(number, **({} if number % 3 else {"verb": {}})) for number in range(1200)]
    ends = []
    for store in ("calm", "main"):
        await fill(house, statements, store)
        await plan_job(house, "validation", store=store, clear=True)
        if store == "main":
            await kill_worker(house, "before checkpoint_job", 2)
        await house.carry()
        ends.append((await read_last_job(house))["results"])

    assert ends[0] == [{"status": "ok", "checked": 1200, "valid": 800, "invalid": 400, "deleted": 400}]
    assert ends[1] == ends[0]
    (left,) = await look(house, "select count(*), bool_and(valid) as valid from xapi_statement")
    assert (left["count"], left["valid"]) == (1600, True)


async def test_clear_is_required(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})

    missing = await house.call("jobs/validation", "set", {"repeat": "now"})

    assert (missing.status, missing.code) == (400, 20000)
    assert "`clear`" in missing.meta["message"]
