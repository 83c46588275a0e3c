"""Jobs of jobs/push and jobs/pull with files: what leaves a store comes back the same, each record once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from jobgate.exchange import file_pull, file_push
from jobgate.remotes import endings
from jobgate.remotes.files import MAX_LINE, Writer
from jobgate.remotes.records import SERVICES
from jobgate.testing import House
from jobgate.xapi.comparison import are_equal
from tests.conftest import MakeHouse
from tests.connections import connect
from tests.killing import kill_worker
from tests.stored_statements import look, make, move, plan_job, read_last_job, record, run_again, run_job, void

CUTOFF = datetime(2026, 3, 31, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
FAR = "2999-01-01T00:00:00Z"

Json = dict[str, Any]


@pytest.fixture
async def house(make_house: MakeHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A house with a root for files and a store; batches have five records."""
    for module in (file_pull, file_push):
        monkeypatch.setattr(module, "MAX_BATCH", 5)
    async with make_house(files_root=str(tmp_path)) as house:
        for slug in ("main", "copy"):
            await house.call("xapi/stores", "set", {"slug": slug})
        yield house


async def aim(house: House, **params: Any) -> Json:
    """Parameters of a job with files."""
    connection = await connect(house, name="files", kind="file", folder="exports")
    return {"connection": connection, "service": "all", "until": "now"} | params


def file(tmp_path: Path, service: str = "statements", store: str = "main") -> Path:
    """Where a service of a store is."""
    return tmp_path / "1" / "exports" / f"{service.replace('-', '_')}_{store}.jsonl"


def read(tmp_path: Path, service: str = "statements") -> list[Json]:
    """The records of a service."""
    return [json.loads(line) for line in file(tmp_path, service).read_text().split("\n")[:-1]]


def write(tmp_path: Path, *lines: Any, service: str = "statements", end: str = "\n") -> Path:
    """A file of these lines, for the store `main`."""
    path = file(tmp_path, service)
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + end)
    return path


def tally(job: Json, service: str = "statements") -> tuple[int, int, int, int]:
    """What was read, written, skipped, rejected."""
    (result,) = job["results"]
    counts = result["services"][service]
    return counts["read"], counts["written"], counts["skipped"], counts["rejected"]


def told(job: Json) -> list[str]:
    """What a run said."""
    return [entry["message"] for entry in job["data"]["log"]]


async def fill(house: House, count: int = 23) -> None:
    """Statements of all kinds, and documents."""
    group = {"objectType": "Group", "mbox": "mailto:team@school.example", "name": "T", "member": [make(0)["actor"]]}
    odd: dict[int, Json] = {
        3: {"actor": group},
        4: {"context": {"contextActivities": {"category": {"id": "https://school.example/category"}}}},
        5: {"result": {"score": {"raw": 1e300}, "response": 'ü\u2028 \\ "', "duration": "PT1M"}, "version": "1.0.9"},
        6: {"object": {"objectType": "SubStatement", **{name: make(1)[name] for name in ("actor", "verb", "object")}}},
    }
    await record(house, [make(number, **odd.get(number, {})) for number in range(count - 1)] + [void(count, 1)])
    agent, activity = make(1)["actor"], "https://school.example/quiz/1"
    for document in (
        {"service": "states", "activity_id": activity, "agent": agent, "state_id": "s", "content": {"a": 1}},
        {"service": "activity-profiles", "activity_id": activity, "profile_id": "p", "content": "text"},
        {"service": "agent-profiles", "agent": agent, "profile_id": "p", "content": [1]},
    ):
        reply = await house.call("xapi/documents", "set", {"store": "main"} | document)
        assert reply.status == 200, reply.body


CONTENTS = {
    "statement": "id, raw, voided, voiding",
    "activity": "id, iri, definition::jsonb as definition, type",
    "agent": "id, kind, field_1, field_2, name, is_group, members::text",
    "document": "kind, activity_iri, agent::text, document_id, registration, content, content_type",
}


async def fetch(house: House, table: str, store: str) -> list[Any]:
    """What a store has, without times and numbers."""
    of_store = "store_id = (select id from xapi_store where slug = $1)"
    rows = await look(house, f"select {CONTENTS[table]} from xapi_{table} where {of_store}", store)
    return sorted((tuple(row) for row in rows), key=repr)


async def test_a_store_that_is_pushed_to_files_and_pulled_into_another_is_the_same(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (file_pull, file_push):
        monkeypatch.setattr(module, "MAX_BATCH", 70)
    seeded = await run_job(house, "seeding", config="varied", count=200)
    assert seeded["results"][0]["recorded"] == 200
    await fill(house)

    pushed = await run_job(house, "push", **await aim(house))
    pulled = await run_job(house, "pull", **await aim(house, store="copy", source_store="main"))

    for table in ("activity", "agent", "document"):
        assert await fetch(house, table, "copy") == await fetch(house, table, "main"), table
        assert await fetch(house, table, "main")
    for ours, theirs in zip(
        await fetch(house, "statement", "main"), await fetch(house, "statement", "copy"), strict=True
    ):
        assert (ours[0], ours[2:]) == (theirs[0], theirs[2:])
        assert are_equal(json.loads(ours[1]), json.loads(theirs[1]))
    for service in SERVICES:
        read_, written, *_ = tally(pushed, service)
        assert read_ == written == len(read(tmp_path, service)) > 0
        assert (tally(pulled, service)[0], tally(pulled, service)[3]) == (read_, 0)
    assert tally(pulled) == (223, 223, 0, 0)
    again = await run_job(house, "pull", **await aim(house, store="copy", source_store="main"))
    assert [tally(again, service)[1] for service in SERVICES] == [0] * 6


async def test_a_push_goes_on_where_the_last_ended_and_sends_changes_again_where_that_is_asked(
    house: House, tmp_path: Path
) -> None:
    await fill(house)
    (plain,) = await plan_job(house, "push", **await aim(house))
    await house.carry()
    first = len(read(tmp_path, "activities"))
    await record(house, [make(50, object={"id": "https://school.example/quiz/1", "definition": {"type": "x:y"}})])
    second = await run_again(house, plain)
    assert (tally(second), tally(second, "activities")) == ((1, 1, 0, 0), (0, 0, 0, 0))
    assert (len(read(tmp_path)), len(read(tmp_path, "activities"))) == (24, first)

    (syncing,) = await plan_job(house, "push", **await aim(house, service="activities", sync_updates=True))
    await house.carry()
    await record(house, [make(51, object={"id": "https://school.example/quiz/1", "definition": {"type": "x:z"}})])
    await run_again(house, syncing)
    *_, last = read(tmp_path, "activities")
    assert len(read(tmp_path, "activities")) == 2 * first + 1
    assert last["activity"]["definition"]["type"] == "x:z"
    assert last["updated"] > last["stored"]


async def test_lines_are_records_or_bare_statements_under_their_own_names_or_pseudonyms(
    house: House, tmp_path: Path
) -> None:
    reachable = {
        "usageType": "x:y",
        "display": {},
        "contentType": "text/plain",
        "length": 1,
        "sha2": "0" * 64,
        "fileUrl": "https://school.example/f",
    }
    gone = {name: value for name, value in reachable.items() if name != "fileUrl"}
    statement = make(1, attachments=[reachable, gone], timestamp=FAR)
    await record(house, [statement, make(2, attachments=[gone])])

    await run_job(house, "push", **await aim(house, service="statements"))
    one, two = read(tmp_path)
    assert one.keys() == {"id", "pseudonymized", "store", "client", "stored", "statement"}
    assert (one["id"], one["store"], one["pseudonymized"]) == (statement["id"], "main", False)
    assert one["statement"]["attachments"] == [reachable]
    assert "attachments" not in two["statement"]
    file(tmp_path).unlink()

    await run_job(house, "push", **await aim(house, service="statements", raw=True))
    assert read(tmp_path) == [one["statement"], two["statement"]]
    file(tmp_path).unlink()

    await run_job(house, "push", **await aim(house, pseudonymize_statements=True))
    everything = "".join(path.read_text() for path in file(tmp_path).parent.iterdir())
    assert "learner" not in everything
    assert {each["pseudonymized"] for each in read(tmp_path)} == {True}
    assert read(tmp_path, "agents")[0]["agent"]["account"]["homePage"] == "http://pseudo.traxlrs.com"


async def test_the_cutoff_is_inclusive_to_the_microsecond_both_ways(house: House, tmp_path: Path) -> None:
    window = {"service": "statements", "until": "date", "until_date": CUTOFF.isoformat()}
    await record(house, [make(number) for number in range(3)])
    for number in range(3):
        await move(house, make(number)["id"], CUTOFF + (number - 1) * TICK)
    pushed = await run_job(house, "push", **await aim(house, **window))
    assert [each["id"] for each in read(tmp_path)] == [make(0)["id"], make(1)["id"]]

    await run_job(house, "push", **await aim(house, service="statements"))
    path = file(tmp_path)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[2:]))  # without what was pushed first
    (saved,) = await plan_job(house, "pull", **await aim(house, **window, store="copy", source_store="main"))
    await house.carry()
    pulled = await read_last_job(house)

    assert (tally(pushed), tally(pulled)) == ((2, 2, 0, 0), (2, 2, 0, 0))
    # The next run begins with the line that was too young.
    wider = {"id": saved["id"], "repeat": "on", "date": FAR, "replay": True, "store": "copy", **saved["settings"]}
    wider["connection"] = saved["connection"]["id"]
    wider |= {"service": "statements", "until_date": (CUTOFF + TICK).isoformat()}
    await house.call("jobs/pull", "update", wider)
    await house.carry()
    assert tally(await read_last_job(house)) == (1, 1, 0, 0)


async def test_what_is_wrong_with_a_line_is_told_and_the_rest_is_taken(house: House, tmp_path: Path) -> None:
    record_ = {"id": "x", "stored": "2020-01-01T00:00:00Z", "statement": make(3)}
    lines = [
        make(1),
        "",
        "{",
        "x" * (MAX_LINE + 1),
        record_,
        {"_source": record_ | {"statement": make(4)}},
        make(5, verb={}),
        make(1, result={"success": True}),
        {"statement": [make(6)]},
        "[" * 10_000,
        make(7),
        make(8, timestamp=None),
        json.dumps(make(9))[:-1] + ', "actor": {"mbox": "mailto:a@b.example"}}',
    ]
    nameless = {name: value for name, value in make(13).items() if name != "id"}
    path = write(tmp_path, nameless, *lines, json.dumps(make(10))[:40], end="")
    (saved,) = await plan_job(house, "pull", **await aim(house, service="statements"))
    await house.carry()
    first = await read_last_job(house)

    assert tally(first) == (13, 5, 0, 8)
    assert "The last line is not complete: the next run reads it again" in told(first)
    rejected = [message for message in told(first) if message.startswith("Rejected")]
    assert "Rejected the line that ends at byte" in rejected[0]
    assert any(message.startswith(f"Rejected {make(5)['id']}: XAPI-00044") for message in rejected)
    path.write_text(path.read_text() + json.dumps(make(10))[40:])
    assert tally(await run_again(house, saved)) == (1, 1, 0, 0)
    path.write_text(path.read_text() + "\n" + json.dumps(make(11)) + "\n")
    assert tally(await run_again(house, saved)) == (1, 1, 0, 0)
    write(tmp_path, nameless, make(12), make(1))
    again = await run_again(house, saved)
    assert (tally(again), "another than before" in told(again)[1]) == ((3, 1, 2, 0), True)


async def test_records_of_other_services_are_judged_too(house: House, tmp_path: Path) -> None:
    agent = {"mbox": "mailto:a@b.example"}
    state = {
        "activity_iri": "x:y",
        "state_id": "s",
        "content": "{}",
        "content_type": "application/json",
        "agent": agent,
    }
    write(tmp_path, {"activity": {"id": "x:y"}}, {"activity": {"id": "none"}}, {"activity": []}, service="activities")
    write(
        tmp_path,
        {"agent": agent},
        {"agent": {"mbox": "a@b.example"}},
        {"agent": agent | {"name": "A"}},
        service="agents",
    )
    write(
        tmp_path,
        state,
        state | {"agent": {}},
        state | {"content": "{"},
        state | {"content_type": "none"},
        state | {"activity_iri": "none"},
        state | {"registration": "none"},
        state | {"state_id": "t", "content": {"a": 1}},
        service="states",
    )

    job = await run_job(house, "pull", **await aim(house))

    assert (tally(job, "activities"), tally(job, "agents")) == ((3, 1, 0, 2), (3, 1, 1, 1))
    assert tally(job, "states") == (7, 2, 0, 5)
    assert (told(job)[-1], job["data"]["log"][-1]["severity"]) == ("Ended", 2)
    assert [message for message in told(job) if message.startswith("There is no file")] == [
        "There is no file statements_main.jsonl",
        "There is no file activity_profiles_main.jsonl",
        "There is no file agent_profiles_main.jsonl",
    ]


async def test_a_run_that_dies_anywhere_writes_and_takes_each_record_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(house)
    append, left = Writer.append, 3

    def die_after(self: Writer, data: bytes) -> int:
        nonlocal left
        length = append(self, data)
        left -= 1
        if left >= 0:
            raise RuntimeError("the power is gone")
        return length

    monkeypatch.setattr(Writer, "append", die_after)
    job = await run_job(house, "push", **await aim(house))

    assert left < 0
    for service in SERVICES:
        ids = [each["id"] for each in read(tmp_path, service)]
        assert len(ids) == len(set(ids)) == tally(job, service)[1]
    assert await look(house, "select from xapi_file") == []


async def test_workers_that_are_killed_change_nothing_about_the_end(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, count = 500, 700
    for module in (file_pull, file_push):
        monkeypatch.setattr(module, "MAX_BATCH", batch)
    ids = [make(number)["id"] for number in range(count)]
    await record(house, [make(number) for number in range(count)])
    await plan_job(house, "push", **await aim(house, service="statements"))
    await kill_worker(house, "before count_file", 3)
    assert len(read(tmp_path)) == count  # the second batch was written, and did not count
    await house.carry()
    assert tally(await read_last_job(house)) == (count, count, 0, 0)
    assert [each["id"] for each in read(tmp_path)] == ids

    await plan_job(house, "pull", **await aim(house, service="statements", store="copy", source_store="main"))
    await kill_worker(house, "before checkpoint_job", 2)
    assert len(await fetch(house, "statement", "copy")) == batch
    await house.carry()
    assert tally(await read_last_job(house)) == (count, count, 0, 0)
    assert len(await fetch(house, "statement", "copy")) == count


async def test_one_job_writes_a_file_at_a_time_and_cuts_off_what_another_left(house: House, tmp_path: Path) -> None:
    await record(house, [make(number) for number in range(7)])
    path = write(tmp_path, make(99))
    committed = path.stat().st_size
    with path.open("a") as behind:
        behind.write('{"half a li')
    key = "exports/statements_main.jsonl"
    reference = "00000000-0000-4000-8000-000000000001"
    await look(
        house,
        "insert into job (reference, organisation_id, consumer_key, type, params, entries, state, run_at)"
        " values ($1::text::uuid, 1, 'x', 'toy', '{}', 1, 'queued', now() + interval '1 hour')",
        reference,
    )
    await look(
        house,
        "insert into xapi_file select 1, $2, id, $3 from job where reference = $1::text::uuid",
        reference,
        key,
        committed,
    )
    (saved,) = await plan_job(house, "push", **await aim(house, service="statements"))
    with pytest.raises(TimeoutError):
        await carry_for(house, 1)
    assert path.stat().st_size > committed

    await look(house, "update job set state = 'halted', completed_at = now() where type = 'toy'")
    await look(house, "update job set run_at = now() where type = 'push'")
    await house.carry()

    assert tally(await read_last_job(house)) == (7, 7, 0, 0)
    assert [each["id"] for each in read(tmp_path)] == [make(number)["id"] for number in (99, *range(7))]
    assert saved["name"] == "push"


async def carry_for(house: House, seconds: float) -> None:
    """Carry jobs for a while."""
    async with asyncio.timeout(seconds):
        await house.carry()


async def test_runs_of_one_job_that_overlap_write_each_record_once(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "SHORTEST_WAIT_S", 0.01)
    monkeypatch.setattr(file_push, "_HELD_WAIT_S", 0.01)
    await record(house, [make(number) for number in range(23)])
    (saved,) = await plan_job(house, "push", **await aim(house, service="statements"))
    await look(house, "update definition set overlap = 'allow'")
    row = "insert into job (reference, organisation_id, consumer_key, type, params, entries, state, definition_id)"
    again = (
        "select gen_random_uuid(), organisation_id, consumer_key, type, params, entries, state, definition_id from job"
    )
    await look(house, f"{row} {again}")

    await house.carry(settings=msgspec.structs.replace(house.settings, long_slots=4))

    states = [row["state"] for row in await look(house, "select state from job where type = 'push'")]
    assert states == ["completed", "completed"]
    assert [each["id"] for each in read(tmp_path)] == [make(number)["id"] for number in range(23)]
    assert tally(await run_again(house, saved)) == (0, 0, 0, 0)


async def test_links_and_folders_of_others_are_left_alone(house: House, tmp_path: Path) -> None:
    await record(house, [make(1)])
    secret = tmp_path / "secret"
    secret.write_text(json.dumps(make(9)) + "\n")
    folder = tmp_path / "1" / "exports"
    folder.mkdir(parents=True)
    (folder / "statements_main.jsonl").symlink_to(secret)

    for type in ("pull", "push"):
        job = await run_job(house, type, **await aim(house, service="statements"))
        assert (job["status"], job["error"]["message"]) == ("halted", "The file is a link.")
    assert secret.read_text() == json.dumps(make(9)) + "\n"
