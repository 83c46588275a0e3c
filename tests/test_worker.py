"""The engine on toy tasks: every job ends, every effect happens once, whatever the task does."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from jobgate import jobs, wire
from jobgate.context import Batch, Run, TaskDeferred, TaskRefused
from jobgate.doorbell import Doorbell
from jobgate.jobs import Claim
from jobgate.registry import Task
from jobgate.testing import HOME, House
from jobgate.worker import Worker, WorkerUnusable
from tests.conftest import MakeHouse


class Toy(msgspec.Struct):
    """Parameters of the toy tasks."""

    word: str = ""
    steps: int = 1


def make_task(
    carry: Callable[[Any], Awaitable[None]], kind: Literal["set", "long"] = "set", timeout_s: float = 10
) -> Task:
    """A task that was never in a file."""
    return Task("toy", kind, carry, Toy, timeout_s, "A toy.", Path("toy.py"))


@asynccontextmanager
async def toy_house(make_house: MakeHouse, task: Task, **overrides: Any) -> AsyncIterator[House]:
    """A house whose only task is `task`, with a table that counts effects without any constraint."""
    async with make_house(tasks={"toy": task}, **overrides) as house:
        async with house.db.connection() as queries:
            await queries.connection.execute("create table effect (job_id bigint not null, word text)")
        yield house


async def submit(house: House, *words: str, steps: int = 1) -> list[uuid.UUID]:
    """Queue a toy job per word."""
    references = [uuid.uuid4() for _ in words]
    async with house.db.connection() as queries:
        for reference, word in zip(references, words, strict=True):
            await jobs.insert(
                queries,
                reference=reference,
                organisation_id=1,
                consumer_key=HOME.key,
                type="toy",
                params=Toy(word, steps),
            )
    return references


async def rows(house: House, sql: str, *args: Any) -> list[Any]:
    """Look at the tables directly."""
    async with house.db.connection() as queries:
        return await queries.connection.fetch(sql, *args)


async def states(house: House) -> dict[str, int]:
    """How many jobs are in each state."""
    return {row["state"]: row["n"] for row in await rows(house, "select state, count(*) as n from job group by state")}


async def effects(house: House) -> list[str]:
    """The words that took effect, in order."""
    return sorted(row["word"] for row in await rows(house, "select word from effect"))


async def note(batch: Batch[Toy]) -> None:
    """Write one effect per job."""
    for job in batch.jobs:
        await batch.db.connection.execute("insert into effect values ($1, $2)", job.facts.id, job.params.word)
        job.finish([job.params.word])


async def fail_on_bad(batch: Batch[Toy]) -> None:
    """Like `note`, but a job called bad fails the whole batch."""
    await note(batch)
    if any(job.params.word == "bad" for job in batch.jobs):
        raise RuntimeError("bad job")


async def test_every_job_of_a_batch_completes_with_its_results(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note)) as house:
        await submit(house, "a", "b", "c")

        await house.carry()

        done = await rows(house, "select state, results, completed_at from job order by id")
        assert [(row["state"], wire.decode(row["results"], list[str])) for row in done] == [
            ("completed", ["a"]),
            ("completed", ["b"]),
            ("completed", ["c"]),
        ]
        assert await effects(house) == ["a", "b", "c"]


async def test_a_failing_job_does_not_spoil_its_neighbours(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(fail_on_bad), max_failures=2) as house:
        await submit(house, "a", "b", "bad", "c", "d")

        await house.carry()

        assert await effects(house) == ["a", "b", "c", "d"]
        halted = await rows(house, "select failures, error from job where state = 'halted'")
        assert [(row["failures"], wire.decode(row["error"], dict[str, str])["code"]) for row in halted] == [
            (2, "failed")
        ]


async def test_a_failed_attempt_leaves_a_log_entry_without_the_exception_text(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(fail_on_bad), max_failures=2) as house:
        await submit(house, "bad")

        await house.carry()

        entries = await rows(house, "select severity, message from job_log order by id")
        assert [entry["severity"] for entry in entries] == [2, 2]
        assert entries[1]["message"] == "Attempt 2: The task failed; the operator's log knows more. (halted)"


async def test_a_refused_job_halts_at_once_and_says_why(make_house: MakeHouse) -> None:
    async def refuse(batch: Batch[Toy]) -> None:
        raise TaskRefused("the dataset is gone")

    async with toy_house(make_house, make_task(refuse)) as house:
        await submit(house, "a")

        await house.carry()

        (row,) = await rows(house, "select state, attempt, error from job")
        assert (row["state"], row["attempt"]) == ("halted", 1)
        assert wire.decode(row["error"], dict[str, str]) == {"code": "failed", "message": "the dataset is gone"}


async def test_a_deferred_job_comes_again_without_a_failure(make_house: MakeHouse) -> None:
    async def wait_once(batch: Batch[Toy]) -> None:
        if batch.jobs[0].facts.attempt == 1:
            raise TaskDeferred(0.01)
        await note(batch)

    async with toy_house(make_house, make_task(wait_once)) as house:
        await submit(house, "a")

        await house.carry()

        (row,) = await rows(house, "select state, attempt, failures from job")
        assert (row["state"], row["attempt"], row["failures"]) == ("completed", 2, 0)


@pytest.mark.parametrize("raised", [SystemExit(1), KeyboardInterrupt()], ids=["exit", "interrupt"])
async def test_a_task_cannot_end_the_worker(make_house: MakeHouse, raised: BaseException) -> None:
    async def leave(batch: Batch[Toy]) -> None:
        if batch.jobs[0].params.word == "bad":
            raise raised
        await note(batch)

    async with toy_house(make_house, make_task(leave), max_failures=1) as house:
        await submit(house, "bad")
        await house.carry()
        await submit(house, "good")

        await house.carry()

        assert await states(house) == {"halted": 1, "completed": 1}


async def test_results_that_cannot_be_encoded_fail_the_job_and_undo_its_effects(make_house: MakeHouse) -> None:
    async def return_nonsense(batch: Batch[Toy]) -> None:
        await note(batch)
        batch.jobs[0].finish([object()])

    async with toy_house(make_house, make_task(return_nonsense), max_failures=2) as house:
        await submit(house, "a")

        await house.carry()

        assert await states(house) == {"halted": 1}
        assert await effects(house) == []


async def test_an_attempt_that_takes_too_long_is_cancelled_and_named(make_house: MakeHouse) -> None:
    async def hang(batch: Batch[Toy]) -> None:
        await asyncio.Event().wait()

    async with toy_house(make_house, make_task(hang, timeout_s=0.05), max_failures=2) as house:
        await submit(house, "a")

        await house.carry()

        (row,) = await rows(house, "select state, error from job")
        assert row["state"] == "halted"
        assert wire.decode(row["error"], dict[str, str])["code"] == "timeout"


async def test_an_attempt_that_ignores_its_cancellation_makes_the_process_unusable(make_house: MakeHouse) -> None:
    free = asyncio.Event()

    async def ignore(batch: Batch[Toy]) -> None:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    async with toy_house(make_house, make_task(ignore, timeout_s=0.05), abandon_s=0.1) as house:
        await submit(house, "a")

        try:
            with pytest.raises(WorkerUnusable):
                await house.carry()
        finally:
            free.set()


async def test_a_long_task_goes_on_where_its_last_chunk_committed(make_house: MakeHouse) -> None:
    async def step(run: Run[Toy]) -> None:
        for number in range(run.cursor or 0, run.params.steps):
            async with run.chunk() as chunk:
                await chunk.db.connection.execute("insert into effect values ($1, $2)", run.facts.id, f"{number}")
                chunk.say(f"step {number}", rows=number)
                if number == 2 and run.facts.attempt == 1:
                    raise RuntimeError("in the middle")
                chunk.save(number + 1, done=number + 1, total=run.params.steps)
        async with run.chunk() as chunk:
            chunk.say("done", steps=run.params.steps)
            chunk.finish([{"steps": run.params.steps}])

    async with toy_house(make_house, make_task(step, "long")) as house:
        await submit(house, "a", steps=5)

        await house.carry()

        assert await effects(house) == ["0", "1", "2", "3", "4"]
        (row,) = await rows(house, "select state, attempt, failures from job")
        assert (row["state"], row["attempt"], row["failures"]) == ("completed", 2, 1)
        # What a chunk said is there when the chunk is, and only then.
        said = await rows(house, "select message, counters from job_log where severity = 0 order by id")
        assert [entry["message"] for entry in said] == [*(f"step {number}" for number in range(5)), "done"]
        assert [entry["counters"] for entry in said[:2]] == [b'{"rows":0}', b'{"rows":1}']


async def test_a_long_task_whose_connection_breaks_goes_on_from_its_last_chunk(make_house: MakeHouse) -> None:
    broken: list[int] = []

    async def step(run: Run[Toy]) -> None:
        for number in range(run.cursor or 0, run.params.steps):
            async with run.chunk() as chunk:
                await chunk.db.connection.execute("insert into effect values ($1, $2)", run.facts.id, f"{number}")
                if number in (2, 4) and number not in broken:
                    broken.append(number)
                    await chunk.db.connection.execute("select pg_terminate_backend(pg_backend_pid())")
                chunk.save(number + 1, done=number + 1, total=run.params.steps)
        async with run.chunk() as chunk:
            chunk.finish([])

    async with toy_house(make_house, make_task(step, "long")) as house:
        await submit(house, "a", steps=6)

        await house.carry()

        assert await effects(house) == ["0", "1", "2", "3", "4", "5"]
        (row,) = await rows(house, "select state, attempt, failures from job")
        assert (row["state"], row["attempt"], row["failures"]) == ("completed", 1, 0)


async def test_an_operating_system_error_of_the_task_is_its_failure(make_house: MakeHouse) -> None:
    async def open_nothing(batch: Batch[Toy]) -> None:
        raise FileNotFoundError("no such file")

    async with toy_house(make_house, make_task(open_nothing), max_failures=1) as house:
        await submit(house, "a")

        await house.carry()

        assert await states(house) == {"halted": 1}


async def test_a_stopping_worker_gives_a_long_job_back_between_two_chunks(make_house: MakeHouse) -> None:
    started = asyncio.Event()

    async def step_forever(run: Run[Toy]) -> None:
        number = run.cursor or 0
        while True:
            async with run.chunk() as chunk:
                chunk.save(number, done=number, total=0)
            number += 1
            started.set()

    async with toy_house(make_house, make_task(step_forever, "long")) as house:
        await submit(house, "a")
        worker = Worker(house.db, house.tasks, house.settings, Doorbell(""), house.metrics)
        running = asyncio.create_task(worker.run())
        await asyncio.wait_for(started.wait(), 5)

        worker.stop()
        await asyncio.wait_for(running, 5)

        (row,) = await rows(house, "select state, failures, losses, releases, cursor from job")
        assert (row["state"], row["failures"], row["losses"]) == ("queued", 0, 0)
        assert row["releases"] >= 1  # another slot may have been looking, and gives it back as well
        assert row["cursor"] is not None


async def test_a_task_that_catches_every_exception_still_stops_between_two_chunks(make_house: MakeHouse) -> None:
    started = asyncio.Event()

    async def carry_on_regardless(run: Run[Toy]) -> None:
        while True:
            try:
                async with run.chunk() as chunk:
                    chunk.save(1, done=1, total=0)
                    started.set()
            except Exception:  # the habit that this is about
                continue

    async with toy_house(make_house, make_task(carry_on_regardless, "long")) as house:
        await submit(house, "a")
        worker = Worker(house.db, house.tasks, house.settings, Doorbell(""), house.metrics)
        running = asyncio.create_task(worker.run())
        await asyncio.wait_for(started.wait(), 5)

        worker.stop()
        await asyncio.wait_for(running, 5)

        (row,) = await rows(house, "select state, failures, losses, releases > 0 from job")
        assert tuple(row) == ("queued", 0, 0, True)


async def test_a_stopping_worker_gives_back_what_does_not_end_in_time(make_house: MakeHouse) -> None:
    started = asyncio.Event()

    async def hang(batch: Batch[Toy]) -> None:
        started.set()
        await asyncio.Event().wait()

    async with toy_house(make_house, make_task(hang), drain_s=0.05) as house:
        await submit(house, "a", "b")
        worker = Worker(house.db, house.tasks, house.settings, Doorbell(""), house.metrics)
        running = asyncio.create_task(worker.run())
        await asyncio.wait_for(started.wait(), 5)

        worker.stop()
        await asyncio.wait_for(running, 5)

        left = await rows(house, "select state, failures, losses, releases from job")
        assert {(row["state"], row["failures"], row["losses"], row["releases"]) for row in left} == {
            ("queued", 0, 0, 1)
        }


async def test_a_worker_in_a_hurry_gives_back_what_it_has_just_claimed(
    make_house: MakeHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both calls to stop come before the attempt has begun: there is nothing to cancel yet."""
    claim = jobs.claim

    async def claim_and_stop(*args: Any, **options: Any) -> list[Claim]:
        claims = await claim(*args, **options)
        if claims:
            worker.stop()
            worker.stop()
        return claims

    async def hang(batch: Batch[Toy]) -> None:
        await asyncio.Event().wait()

    async with toy_house(make_house, make_task(hang), drain_s=3600) as house:
        await submit(house, "a")
        worker = Worker(house.db, house.tasks, house.settings, Doorbell(""), house.metrics)
        monkeypatch.setattr(jobs, "claim", claim_and_stop)
        await asyncio.wait_for(worker.run(), 5)

        (row,) = await rows(house, "select state, failures, losses, releases from job")
        assert tuple(row) == ("queued", 0, 0, 1)


async def test_a_cancelled_job_halts_and_its_neighbours_do_not(make_house: MakeHouse) -> None:
    started = asyncio.Event()

    async def hang_on_bad(batch: Batch[Toy]) -> None:
        await note(batch)
        if any(job.params.word == "bad" for job in batch.jobs):
            started.set()
            await asyncio.Event().wait()

    async with toy_house(make_house, make_task(hang_on_bad), lease_s=0.6) as house:
        references = await submit(house, "a", "bad", "b")
        carrying = asyncio.create_task(house.carry())
        await asyncio.wait_for(started.wait(), 5)

        await house.db.fetch("cancel_jobs", HOME.key, [references[1]], [1], wire.encode(jobs.CANCELLED))
        await carrying

        assert await states(house) == {"completed": 2, "halted": 1}
        assert await effects(house) == ["a", "b"]


async def write_late(house: House, claim: jobs.Claim) -> None:
    """What a worker does that was frozen and wakes."""
    async with house.db.transaction(1) as tx:
        await tx.connection.execute("insert into effect values (0, 'late')")
        await jobs.complete(tx, [claim], [b"[]"], [None])


async def lose(house: House) -> None:
    """Claim everything as a worker that never comes back."""
    await jobs.claim(house.db, ["toy"], owner=uuid.uuid4(), lease_s=0.001, jobs=100, entries=100, suspects=False)
    await jobs.claim(house.db, ["toy"], owner=uuid.uuid4(), lease_s=0.001, jobs=100, entries=100, suspects=True)


async def until(house: House, sql: str) -> None:
    """Wait until the statement gives true."""
    async with asyncio.timeout(10):
        while not (await rows(house, f"select ({sql}) as yes"))[0]["yes"]:
            await asyncio.sleep(0.01)  # Postgres tells nobody when a sweeper has been there


async def test_a_lost_job_runs_again_elsewhere(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note), lease_s=0.2) as house:
        await submit(house, "a", "b")
        await lose(house)

        await house.carry()

        assert await effects(house) == ["a", "b"]
        assert {row["losses"] for row in await rows(house, "select losses from job")} == {1}


async def test_a_job_that_loses_its_worker_three_times_is_halted_as_lost(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note), lease_s=0.2) as house:
        await submit(house, "a")

        for count in (1, 2, 3):
            await lose(house)
            await until(house, f"select losses = {count} and state <> 'running' from job")

        (row,) = await rows(house, "select state, error from job")
        assert row["state"] == "halted"
        assert wire.decode(row["error"], dict[str, str])["code"] == "lost"


async def test_what_a_worker_writes_after_losing_its_lease_is_refused(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note), lease_s=0.2) as house:
        await submit(house, "a")
        (late,) = await jobs.claim(
            house.db, ["toy"], owner=uuid.uuid4(), lease_s=0.001, jobs=1, entries=1, suspects=False
        )
        await until(house, "select state = 'queued' from job")
        await house.carry()

        with pytest.raises(jobs.Fenced):
            await write_late(house, late)

        assert await effects(house) == ["a"]


async def test_ten_workers_share_many_jobs_and_each_happens_once(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note), claim_jobs=7) as house:
        words = [f"{number:03}" for number in range(200)]
        await submit(house, *words)

        await asyncio.gather(*(house.carry() for _ in range(10)))

        assert await effects(house) == words
        assert await states(house) == {"completed": 200}


async def test_a_batch_takes_no_more_entries_than_it_may(make_house: MakeHouse) -> None:
    async with toy_house(make_house, make_task(note)) as house:
        async with house.db.connection() as queries:
            for entries in (60, 30, 30):
                await jobs.insert(
                    queries,
                    reference=uuid.uuid4(),
                    organisation_id=1,
                    consumer_key=HOME.key,
                    type="toy",
                    params=Toy(),
                    entries=entries,
                )

        claims = await jobs.claim(house.db, ["toy"], owner=uuid.uuid4(), lease_s=5, jobs=10, entries=90, suspects=False)

        assert [claim.entries for claim in claims] == [60, 30]
