"""The demo: furnished once, let in by `dev` only, and carried by jobs as everything else is."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

from jobgate import demo
from jobgate.demo import DEMO, SESSIONS
from jobgate.demo.reports import CLASSES_ID, QUESTIONS_ID
from jobgate.testing import House

TODAY = datetime.now(UTC).date()


async def test_it_is_furnished_once_and_comes_back_after_it_was_revoked(house: House) -> None:
    first = await demo.furnish(house.db, house.gate.key, TODAY)
    await house.db.execute("set_consumer_active", DEMO.key, False)
    await house.db.execute("retire_secrets", DEMO.key, "revoked", uuid.UUID(int=0))
    second = await demo.furnish(house.db, house.gate.key, TODAY)

    reply = await house.call("sessions/statuses", "get", {"limit": 1}, as_=DEMO)

    assert (first, second) == (SESSIONS, 0)
    assert len(reply.data) == 1


async def test_it_can_be_locked_out(house: House) -> None:
    await demo.furnish(house.db, house.gate.key, TODAY)
    await demo.lock_out(house.db)

    reply = await house.call("jobs", "get", as_=DEMO)

    assert reply.code == 41009


async def test_what_follows_from_its_sessions_is_there_to_be_read(house: House) -> None:
    await demo.furnish(house.db, house.gate.key, TODAY)
    await house.carry()

    query = {"activity_id": ["mental-arithmetic"], "status": ["Completed"]}
    scores = await house.call("sessions/scores", "get", query, as_=DEMO)
    responses = await house.call("sessions/responses", "get", query, as_=DEMO)
    reports = await house.call("sessions/reports/adaptive", "get", query, as_=DEMO)
    jobs = await house.call("jobs", "get", {"status": ["queued", "running", "halted"]}, as_=DEMO)
    statements = await house.call("xapi/statements", "get", {"store": demo.STORE}, as_=DEMO)

    assert len(scores.data) == len(responses.data) == len(reports.data) == 50
    assert all(len(record["subscores"]) == 2 for record in scores.data)
    assert all(item["scoring"] for record in responses.data for item in record["items"])
    assert jobs.data == []
    assert len(statements.data["statements"]) == 100


async def test_its_classes_and_questions_are_reported_on(house: House) -> None:
    await demo.furnish(house.db, house.gate.key, TODAY)
    await house.carry()

    ids = {"classes": str(CLASSES_ID), "questions": str(QUESTIONS_ID)}
    year = ["school-1", "year-7"]
    told = {
        name: (await house.call("reports/datasets", "get", {"dataset_id": id, "group_path": year}, as_=DEMO)).data
        for name, id in ids.items()
    }

    assert {child["key"]: child["population"] for child in told["classes"]["children"]} == {
        "7a": 24,
        "7b": 24,
        "7c": 24,
    }
    assert len(told["questions"]["questions"]) == 20


async def test_rescoring_finds_the_scores_that_it_was_made_with(house: House) -> None:
    await demo.furnish(house.db, house.gate.key, TODAY)
    scores = "select response_id, score, max_score, dt_score_updated, attempted, automarkable from response order by 1"
    async with house.db.reading(demo.ORGANISATION) as tx:
        before = await tx.connection.fetch(scores)
    await house.carry()
    async with house.db.reading(demo.ORGANISATION) as tx:
        after = await tx.connection.fetch(scores)

    assert after == before
