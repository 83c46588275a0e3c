"""Jobs of jobs/cmi5-tokens-deletion: tokens that are old enough are not known any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobgate import wire
from jobgate.stores import sweeping
from jobgate.tasks.cmi5_tokens_deletion import TokensDeletion
from jobgate.testing import House
from tests.killing import kill_worker
from tests.stored_statements import look, plan_job, read_last_job, run_job

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
AGENT = {"mbox": "mailto:learner@school.example"}


async def fill(house: House, count: int, store: str = "main") -> None:
    """A store with so many tokens, made one microsecond after the other."""
    await house.call("xapi/stores", "set", {"slug": store})
    await look(
        house,
        "insert into xapi_token (organisation_id, store_id, digest, activity_iri, agent, agent_id, created_at)"
        " select 1, id, 'x', 'a:b', '{}', gen_random_uuid(), $2::timestamptz + interval '1 microsecond' * n"
        " from xapi_store, generate_series(1, $3) as n where slug = $1",
        store,
        NOW,
        count,
    )


async def test_the_spans_end_that_long_before_the_run() -> None:
    found = {
        until: NOW - TokensDeletion(until=until).find_cutoff(NOW) for until in ("now", "1_hour", "1_day", "1_week")
    }

    assert found == {
        "now": timedelta(0),
        "1_hour": timedelta(hours=1),
        "1_day": timedelta(days=1),
        "1_week": timedelta(days=7),
    }


async def test_tokens_made_up_to_the_cutoff_go(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(house, 7)
    await fill(house, 1, "other")
    monkeypatch.setattr(TokensDeletion, "find_cutoff", lambda _self, _now: NOW + timedelta(microseconds=5))
    monkeypatch.setattr(sweeping, "MAX_ERASED", 2)

    job = await run_job(house, "cmi5-tokens-deletion", until="1_hour")

    assert job["results"] == [{"status": "ok", "until": "2026-03-31T12:00:00Z", "deleted": {"tokens": 5}}]
    left = await look(
        house, "select slug, token.created_at from xapi_token as token join xapi_store on xapi_store.id = store_id"
    )
    late = [(row["slug"], (row["created_at"] - NOW) // timedelta(microseconds=1)) for row in left]
    assert sorted(late) == [("main", 6), ("main", 7), ("other", 1)]
    (audited,) = await look(house, "select detail from audit where act = 'jobs.cmi5-tokens-deletion'")
    assert wire.decode(audited["detail"], dict[str, Any])["deleted"] == {"tokens": 5}


async def test_a_deleted_token_is_not_known_and_a_younger_one_is(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    launched = {"store": "main", "activity_id": "https://school.example/lesson", "agent": AGENT}
    old, new = [(await house.call("cmi5/tokens", "set", launched)).data for _ in range(2)]
    await look(
        house, "update xapi_token set created_at = created_at - interval '61 minutes' where id::text = $1", old["id"]
    )

    await run_job(house, "cmi5-tokens-deletion", until="1_hour")

    for token, known in ((old, []), (new, [new["id"]])):
        found = await house.call("cmi5/tokens", "get", {"store": "main", "token": token["token"]})
        assert [each["id"] for each in found.data] == known


async def test_a_worker_that_is_killed_changes_nothing_about_the_end(house: House) -> None:
    await fill(house, 2500)
    await plan_job(house, "cmi5-tokens-deletion", until="now")

    await kill_worker(house, "before checkpoint_job", 3)
    (progress,) = await look(house, "select progress from job")
    await house.carry()

    assert progress["progress"] == b'{"done":2000,"total":2500}'
    assert (await read_last_job(house))["results"][0]["deleted"] == {"tokens": 2500}
    assert await look(house, "select from xapi_token") == []


async def test_other_windows_are_refused(house: House) -> None:
    for slug in ("one", "two"):
        await house.call("xapi/stores", "set", {"slug": slug})

    for until in ("date", "1_month", "1_year", None):
        reply = await house.call("jobs/cmi5-tokens-deletion", "set", {"repeat": "everyMinute", "until": until})
        assert reply.status == 400
    saved = (await house.call("jobs/cmi5-tokens-deletion", "set", {"repeat": "everyMinute", "until": "1_hour"})).data
    assert {each["store"] for each in saved} == {"one", "two"}
