"""Row 8: what compiling a dataset costs beside the one query that computes its figures."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jobgate.bench.contest import WORKER, Contest, Sides
from jobgate.bench.engine_rows import await_jobs, measure_span
from jobgate.bench.gateway_rows import empty_queue
from jobgate.bench.stage import CALLER, ORGANISATION_ID, Stage
from jobgate.bench.table import Mark
from jobgate.datasets.definition import find_dataset
from jobgate.datasets.readiness import judge
from jobgate.db import Database
from jobgate.jobs import FollowUp, follow_up

ACTIVITIES = 10
SCHOOLS = 50
CLASSES = 1000
DATASET_ID = uuid.UUID(int=8)

WITHIN_S = 1800.0
"""How long a side may take."""


@asynccontextmanager
async def open_datasets(stage: Stage) -> AsyncIterator[Sides]:
    """Users a second: each has one attempt at every activity, and stands in a class of a school."""
    users = stage.effort.users
    admin_url = stage.servers.admin_url.replace("/postgres?", f"/{stage.database}?")
    free = await Database.connect(admin_url, size=1, acquire_s=5, statement_s=WITHIN_S, lock_s=5, name="bench")
    await store_school(free, users)
    await stage.run_as_admin("vacuum analyze", "checkpoint")
    async with stage.db.transaction(ORGANISATION_ID) as tx:
        params = await judge(tx, await find_dataset(tx, ORGANISATION_ID, DATASET_ID))

    async def compile_by_job() -> float:
        await empty_queue(stage)
        await stage.run_as_admin(*FORGET_RESULTS)
        job = FollowUp(consumer_key=CALLER.key, type="datasetcompile", params=params)
        async with stage.db.transaction(ORGANISATION_ID) as tx:
            await follow_up(tx, ORGANISATION_ID, [job])
        async with stage.running(WORKER, "jobgate", "work"):
            await await_jobs(stage, WITHIN_S)
        await require_results(stage, users)
        return users / await measure_span(stage)

    async def aggregate() -> float:
        started = time.perf_counter()
        async with free.connection() as queries:
            rows = await queries.connection.fetch(AGGREGATE, ORGANISATION_ID, DATASET_ID)
        seconds = time.perf_counter() - started
        (everybody,) = (row["population"] for row in rows if not row["path"])
        if everybody != users:
            raise RuntimeError(f"{everybody} of {users} users were counted")
        return users / seconds

    try:
        yield Sides(compile_by_job, aggregate)
    finally:
        await free.close()


STORE_SESSIONS = """insert into session (organisation_id, session_id, user_id, activity_id, status, num_questions,
    num_attempted, score, max_score, dt_saved, dt_started, dt_completed, updated_at)
select $1, number || '/' || activity, 'learner-' || number, 'activity-' || activity, 'Completed', 1, 1,
    (number * 7 + activity * 13) % 11, 10, moment, moment, moment, moment
from generate_series(1, $2::integer) as number, generate_series(1, $3::integer) as activity,
    date_trunc('second', clock_timestamp()) as moment"""

STORE_RESPONSES = """insert into response
    (organisation_id, session_no, position, response_id, attempted, score, max_score)
select organisation_id, id, 0, session_id || '_1', true, score, max_score from session"""

STORE_DATASET = """insert into dataset (organisation_id, dataset_id, type, file_count)
values ($1, $2, 'activity-summary-by-group', 1)"""

STORE_FILE = "insert into dataset_file (organisation_id, dataset_id, number, upload, lines) values ($1, $2, 1, $2, $3)"

STORE_MEMBERS = """insert into dataset_member (organisation_id, dataset_id, number, user_id, group_path)
select $1, $2, 1, 'learner-' || number, array['school-' || number % $4::integer, 'class-' || number % $5::integer]
from generate_series(1, $3::integer) as number"""


async def store_school(db: Database, users: int) -> None:
    """Store everybody's attempts, and say who is in which class."""
    async with db.connection() as queries:
        execute = queries.connection.execute
        await execute(STORE_SESSIONS, ORGANISATION_ID, users, ACTIVITIES)
        await execute(STORE_RESPONSES)
        await execute(STORE_DATASET, ORGANISATION_ID, DATASET_ID)
        await execute(STORE_FILE, ORGANISATION_ID, DATASET_ID, users)
        await execute(STORE_MEMBERS, ORGANISATION_ID, DATASET_ID, users, SCHOOLS, CLASSES)


FORGET_RESULTS = (
    "truncate dataset_build, dataset_group, dataset_path, dataset_user",
    "update dataset set build = null",
    "checkpoint",
)

AGGREGATE = """
with attempt as (
    select distinct on (user_id, activity_id) id, user_id, score, max_score from session
    where organisation_id = $1 and status = 'Completed'
    order by user_id, activity_id, dt_completed desc, id desc
), answered as (
    select session_no, sum(max_score) filter (where attempted) as attempted_max_score,
        sum(max_score) filter (where attempted and score is null) as unscored_max_score
    from response where organisation_id = $1 group by session_no
), learner as (
    select user_id, count(*) as seen_activities, sum(score) as score, sum(max_score) as max_score,
        sum(attempted_max_score) as attempted_max_score, sum(unscored_max_score) as unscored_max_score,
        100 * sum(score) / nullif(sum(max_score), 0) as percent
    from attempt left join answered on session_no = id group by user_id
)
select group_path[:depth] as path, count(*) as population, avg(seen_activities),
    avg(100 * attempted_max_score / nullif(max_score, 0)), min(score), max(score), avg(score), stddev_pop(score),
    percentile_cont(array[0.25, 0.5, 0.75, 0.9]) within group (order by score), min(percent), max(percent),
    avg(percent), stddev_pop(percent),
    percentile_cont(array[0.25, 0.5, 0.75, 0.9]) within group (order by percent)
from dataset_member left join learner using (user_id) cross join generate_series(0, 2) as depth
where organisation_id = $1 and dataset_id = $2
group by group_path[:depth]"""
"""The same figures of the same groups; nobody could read them meanwhile, see who is in them, or go on after a crash."""


async def require_results(stage: Stage, users: int) -> None:
    """Do readers see everybody?"""
    reading = """select statistics ->> 'population' from dataset join dataset_group using (organisation_id, build)
        where dataset_id = $1 and number = 0"""
    async with stage.db.reading(ORGANISATION_ID) as tx:
        counted = await tx.connection.fetchval(reading, DATASET_ID)
    if counted != str(users):
        raise RuntimeError(f"{counted} of {users} users were compiled")


DATASET_ROWS = (Contest(Mark(8, "users in a dataset", "the bare aggregate query", 0.5), "users", open_datasets),)
