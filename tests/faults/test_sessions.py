"""A thousand jobs of a hundred sessions each, and a worker that is killed in the middle of them."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.chaos.stage import Stage

JOBS, ENTRIES = 1000, 100

PREPARE = """
create table touched (session_id text not null);
create function note_touch() returns trigger language plpgsql security definer as
    'begin insert into touched values (new.session_id); return null; end';
create trigger note_touch after update on session for each row execute function note_touch();
insert into session (organisation_id, session_id, user_id, activity_id, status, dt_saved, dt_started, updated_at)
select 1, 's' || n, 'u', 'a', 'Incomplete', now(), now(), now() from generate_series(0, $1 * $2 - 1) as n;
"""
QUEUE = """
insert into job (reference, organisation_id, consumer_key, type, entries, params)
select gen_random_uuid(), 1, 'lane000000000000', 'sessionstatusupdate', $2::integer,
    (select json_build_object('statuses', json_agg(json_build_object(
        'session_id', 's' || (j * $2::integer + n), 'user_id', 'u', 'status', 'Completed')))
    from generate_series(0, $2::integer - 1) as n)
from generate_series(0, $1::integer - 1) as j
"""
LEFT = "select count(*) from job where type = 'sessionstatusupdate' and state in ('queued', 'running')"


@pytest.mark.timeout(120)
async def test_a_worker_killed_among_a_thousand_jobs_changes_every_session_exactly_once(stage: Stage) -> None:
    await stage.fleet.until_up()
    async with stage.servers.looking() as connection:
        await connection.execute(PREPARE.replace("$1", str(JOBS)).replace("$2", str(ENTRIES)))
        stage.fleet.trap(stage.fleet.workers[0], "before complete_jobs", signal.SIGKILL)
        await connection.execute(QUEUE, JOBS, ENTRIES)
        async with asyncio.timeout(60):
            while await connection.fetchval(LEFT):
                await asyncio.sleep(0.02)

        ends = await connection.fetch(
            "select state, count(*) as n from job where type = 'sessionstatusupdate' group by state"
        )
        changed = await connection.fetchrow(
            "select count(*) as changes, count(distinct session_id) as sessions from touched"
        )
        left = await connection.fetchval("select count(*) from session where status <> 'Completed'")
        lost = await connection.fetchval("select count(*) from job where type = 'sessionstatusupdate' and losses > 0")
        # The checker of the other faults looks for its own jobs only.
        await connection.execute(
            "delete from job where type = 'sessionstatusupdate'; drop trigger note_touch on session"
        )

    assert {row["state"]: row["n"] for row in ends} == {"completed": JOBS}
    assert changed is not None
    assert (changed["changes"], changed["sessions"], left) == (JOBS * ENTRIES, JOBS * ENTRIES, 0)
    assert lost > 0, "no worker was killed"
