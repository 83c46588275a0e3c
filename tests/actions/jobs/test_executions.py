"""`jobs/executions`: execute definitions, and read how it went."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jobgate.definitions import Definition
from jobgate.testing import House
from tests.conftest import MakeHouse
from tests.definitions.factory import execute, look, save

ENDPOINT = "jobs/executions"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def house(make_house: MakeHouse) -> AsyncIterator[House]:
    """A house whose sweeper keeps still: these executions are too old to be kept."""
    async with make_house(sweep_s=3600) as house:
        yield house


async def read(house: House, **request: Any) -> list[Any]:
    """Executions over the wire."""
    data: list[Any] = (await house.call(ENDPOINT, "get", request)).data
    return data


async def start(house: House, saved: Definition) -> Any:
    """Execute over the wire; the answer."""
    return (await house.call(ENDPOINT, "set", {"job_id": str(saved.id)})).data


async def store(house: House, saved: Definition, state: str = "completed", *said: tuple[int, str], **what: Any) -> str:
    """An execution that has come to this state and said this; its reference."""
    row: dict[str, Any] = {"trigger_id": uuid.UUID(int=0), "created_at": "2026-01-01T00:00:00Z", "params": "{}"} | what
    (job,) = await look(
        house,
        "insert into job (reference, organisation_id, consumer_key, type, params, definition_id, trigger_id, state,"
        " created_at, completed_at) values (gen_random_uuid(), 1, 'k', 't', $1, $2, $3, $4, $5::text::timestamptz,"
        " case when $4 in ('completed', 'halted') then $5::text::timestamptz + interval '1 s' end)"
        " returning id, reference",
        row["params"].encode(),
        saved.id,
        row["trigger_id"],
        state,
        row["created_at"],
    )
    for severity, message in said:
        await look(
            house, "insert into job_log (job_id, severity, message) values ($1, $2, $3)", job["id"], severity, message
        )
    return str(job["reference"])


async def test_executing_answers_a_trigger_by_which_the_execution_is_found(house: House) -> None:
    saved = await save(house)

    started = await start(house, saved)

    assert started["job_id"] == str(saved.id)
    assert started["message"] == "The execution was started."
    (waiting,) = await read(house, trigger_id=started["trigger_id"])
    assert (waiting["state"], waiting["state_name"], waiting["end_time"]) == (0, "created", None)
    await house.carry()
    (ended,) = await read(house, job_id=str(saved.id))
    assert ended | {"state": 0, "state_name": "created", "end_time": None, "logs": []} == waiting
    assert (ended["state"], ended["job_id"], ended["trigger_id"]) == (2, str(saved.id), started["trigger_id"])
    assert ended["end_time"].endswith("Z")


async def test_executing_again_gives_the_pending_trigger_and_queues_one_more_while_running(house: House) -> None:
    saved = await save(house)

    first, again = await start(house, saved), await start(house, saved)
    await look(house, "update job set state = 'running'")
    second, third = await start(house, saved), await start(house, saved)

    assert again["trigger_id"] == first["trigger_id"] != second["trigger_id"] == third["trigger_id"]
    assert "waiting already" in again["message"]
    assert "has ended" in second["message"]
    assert [one["state"] for one in await read(house, job_id=str(saved.id))] == [0, 1]


async def test_an_execution_is_cancelled_like_any_job(house: House) -> None:
    saved = await save(house)
    started = await start(house, saved)
    (waiting,) = await read(house, trigger_id=started["trigger_id"])

    await house.call("jobs", "update", {"references": [waiting["id"]], "status": "halted"})

    (ended,) = await read(house, trigger_id=started["trigger_id"])
    assert (ended["state"], ended["state_name"]) == (3, "failed")


async def test_states_tell_what_was_logged(house: House) -> None:
    saved = await save(house)
    for state, *said in (
        ("completed",),
        ("completed", (0, "fine")),
        ("completed", (1, "hm"), (0, "fine")),
        ("completed", (2, "oh"), (1, "hm")),
        ("halted", (1, "hm")),
        ("running", (2, "oh")),
        ("queued",),
    ):
        await store(house, saved, state, *said)

    told = await read(house, job_id=str(saved.id))

    assert [one["state"] for one in told] == [0, 1, 3, 4, 5, 2, 2]
    assert {one["state"]: one["state_name"] for one in told} == {
        0: "created",
        1: "running",
        2: "completed",
        3: "failed",
        4: "completed with errors",
        5: "completed with warnings",
    }
    assert {one["trigger_id"] for one in told} == {NOBODY}
    for states in ([4], [5], [2], [3], [0, 1], [2, 3], [2, 4, 5]):
        found = await read(house, job_id=str(saved.id), state=states)
        assert [one["id"] for one in found] == [one["id"] for one in told if one["state"] in states], states


async def test_log_entries_are_nested_in_the_order_in_which_they_were_written(house: House) -> None:
    saved = await save(house)
    reference = await store(house, saved, "completed", (0, "one"), (1, "two"), (2, "three"))

    (found,) = await read(house, job_id=str(saved.id))

    assert [(log["severity"], log["severity_name"], log["message"]) for log in found["logs"]] == [
        (0, "information", "one"),
        (1, "warning", "two"),
        (2, "error", "three"),
    ]
    assert {log["execution_id"] for log in found["logs"]} == {reference}
    assert len({log["id"] for log in found["logs"]}) == 3
    (short,) = await read(house, job_id=str(saved.id), log_limit=2)
    assert short["logs"] == found["logs"][1:]
    (none,) = await read(house, job_id=str(saved.id), log_limit=0)
    assert none["logs"] == []


async def test_severity_and_text_choose_executions_and_entries(house: House) -> None:
    saved = await save(house)
    await store(house, saved, "completed", (0, "Read 100%"), (1, "skipped_one"))
    noisy = await store(house, saved, "completed", (2, "The disk is FULL"), (0, "Read 5"))

    (found,) = await read(house, job_id=str(saved.id), severity=2)
    assert (found["id"], [log["message"] for log in found["logs"]]) == (noisy, ["The disk is FULL"])
    (found,) = await read(house, job_id=str(saved.id), text="disk is full")
    assert found["id"] == noisy
    assert len(await read(house, job_id=str(saved.id), text="read")) == 2
    assert await read(house, job_id=str(saved.id), text="_%") == []
    assert await read(house, job_id=str(saved.id), severity=1, text="read") == []


async def test_times_and_parameters_choose_executions(house: House) -> None:
    saved = await save(house)
    old = await store(
        house, saved, created_at="2026-01-01T00:00:00.5Z", params='{"store": 1, "filter": {"ids": ["a", 5]}}'
    )
    new = await store(house, saved, created_at="2026-01-02T00:00:00Z", params='{"store": 2}')

    async def ids(**request: Any) -> list[str]:
        return [one["id"] for one in await read(house, job_id=str(saved.id), **request)]

    assert await ids(maxtime="2026-01-01T00:00:00Z") == [old]
    assert await ids(mintime="2026-01-01T00:00:01Z") == [new]
    assert await ids(parameter="store", value=2) == [new]
    assert await ids(parameter="store", value="2") == []
    assert await ids(parameter="filter.ids.1", value=5) == [old]
    assert await ids(parameter="filter", value={"ids": ["a", 5]}) == [old]
    assert await ids(parameter="filter.nothing") == [new, old]
    assert await ids(parameter="store") == []


async def test_pages_go_from_the_newest_to_the_oldest(house: House) -> None:
    saved = await save(house)
    stored = [await store(house, saved, "completed", (number % 2, "it")) for number in range(7)]

    for filters, wanted in (({}, stored), ({"severity": 1}, stored[1::2])):
        found, request = list[str](), {"job_id": str(saved.id), "limit": 2} | filters
        while True:
            page = await house.call(ENDPOINT, "get", request)
            found += [one["id"] for one in page.data]
            if "next" not in page.meta:
                break
            request["next"] = page.meta["next"]
        assert found == wanted[::-1]


async def test_a_rare_find_takes_several_calls(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobgate.definitions.executions.PORTION", 2)
    monkeypatch.setattr("jobgate.definitions.executions.WALK", 4)
    saved = await save(house)
    rare = await store(house, saved, "completed", (2, "rare"))
    for _ in range(6):
        await store(house, saved)

    first = await house.call(ENDPOINT, "get", {"job_id": str(saved.id), "text": "rare"})
    second = await house.call(ENDPOINT, "get", {"job_id": str(saved.id), "text": "rare", "next": first.meta["next"]})

    assert first.data == []
    assert [one["id"] for one in second.data] == [rare]
    assert "next" not in second.meta


async def test_executions_that_nobody_asked_for_are_found_by_zeros(house: House) -> None:
    saved = await save(house)
    by_schedule = await store(house, saved)
    await store(house, saved, trigger_id=uuid.uuid4())

    assert [one["id"] for one in await read(house, job_id=str(saved.id), trigger_id=NOBODY)] == [by_schedule]


async def test_nothing_found_is_an_empty_array(house: House) -> None:
    saved = await save(house)
    mine = await start(house, saved)

    assert await read(house, job_id=str(uuid.uuid4())) == []
    assert await read(house, trigger_id=str(uuid.uuid4())) == []
    assert await read(house, trigger_id=mine["trigger_id"], job_id=str(uuid.uuid4())) == []
    theirs = await house.call(ENDPOINT, "get", {"trigger_id": mine["trigger_id"]}, as_=house.stranger)
    assert theirs.data == []
    assert len((await house.call(ENDPOINT, "get", {"job_id": str(saved.id)}, as_=house.other)).data) == 1


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({}, 20000),
        ({"trigger_id": NOBODY}, 20000),
        ({"job_id": "x"}, 20004),
        ({"job_id": NOBODY, "state": [-1]}, 20004),
        ({"job_id": NOBODY, "severity": 3}, 20004),
        ({"job_id": NOBODY, "text": ""}, 20001),
        ({"job_id": NOBODY, "log_limit": 1001}, 20003),
        ({"job_id": NOBODY, "mintime": "soon"}, 20003),
        ({"job_id": NOBODY, "next": "x"}, 20004),
    ],
)
async def test_what_makes_no_sense_is_refused(house: House, request_: dict[str, Any], code: int) -> None:
    assert (await house.call(ENDPOINT, "get", request_)).code == code


async def test_an_unknown_definition_is_not_executed(house: House) -> None:
    saved = await save(house, organisation_id=2)

    assert (await house.call(ENDPOINT, "set", {"job_id": str(saved.id)})).code == 20004
    assert (await house.call(ENDPOINT, "set")).code == 20000


async def test_archived_executions_are_read_and_counted(make_house: MakeHouse) -> None:
    async with make_house(archive_after_s=0.01, sweep_s=0.05) as house:
        saved = await save(house)
        started = await start(house, saved)
        await house.carry()
        while await look(house, "select from job"):
            pass

        (found,) = await read(house, trigger_id=started["trigger_id"])
        (status,) = (await house.call("jobs/definitions/statuses", "get")).data
        (definition,) = (await house.call("jobs/definitions", "get")).data
    assert found["state"] == 2
    assert (status["last_state"], status["last_end_time"]) == (2, found["end_time"])
    assert definition["last_run"] is not None


async def test_an_answer_that_would_be_too_large_is_refused(make_house: MakeHouse) -> None:
    async with make_house(max_answer=5000) as house:
        saved = await save(house)
        await execute(house, saved.id)
        await look(
            house,
            "insert into job_log (job_id, severity, message)"
            " select id, 0, repeat('x', 900) from job, generate_series(1, 10)",
        )

        assert (await house.call(ENDPOINT, "get", {"job_id": str(saved.id)})).code == 20027
        assert len(await read(house, job_id=str(saved.id), log_limit=2)) == 1
