-- The state machine of a job. Every transition names the state that it expects and, out of `running`, the fence.

-- A packet that asks for one job: replay row and job row together. No row: an equal packet was accepted before.
-- name: accept_job
with latest as materialized (
    select id, digest from replay where consumer_key = $1 order by id desc limit 1
), accepted as (
    insert into replay (consumer_key, digest, after_id, answer)
    select $1, $2, coalesce((select id from latest), 0), $3
    where not exists (select from latest where digest = $2)
      and not ($4 and exists (select from replay where consumer_key = $1 and digest = $2))
    on conflict (consumer_key, digest, after_id) do nothing
    returning id
), submitted as (
    insert into job (reference, organisation_id, consumer_key, type, params, entries)
    select $5, $6, $1, $7, $8, $9 from accepted
)
select id from accepted

-- A packet that writes something else: the caller's transaction goes on when a row comes back.
-- name: accept
with latest as materialized (
    select id, digest from replay where consumer_key = $1 order by id desc limit 1
)
insert into replay (consumer_key, digest, after_id, answer)
select $1, $2, coalesce((select id from latest), 0), $3
where not exists (select from latest where digest = $2)
  and not ($4 and exists (select from replay where consumer_key = $1 and digest = $2))
on conflict (consumer_key, digest, after_id) do nothing
returning id

-- The answer that an equal packet got, and whether it is the latest that this consumer had accepted.
-- name: find_replay
select answer, id = (select max(id) from replay where consumer_key = $1) as latest
from replay where consumer_key = $1 and digest = $2
order by id desc limit 1

-- Was this very answer stored? Asked after a connection broke during the commit.
-- name: is_accepted
select exists (select from replay where consumer_key = $1 and digest = $2 and answer = $3)

-- A job that no packet asked for directly.
-- name: insert_job
insert into job (reference, organisation_id, consumer_key, type, params, entries)
values ($1, $2, $3, $4, $5, $6)

-- Jobs that other jobs ask for; one that waits for another is due when that has ended.
-- name: insert_follow_ups
insert into job (reference, organisation_id, consumer_key, type, params, entries, after, run_at)
select reference, $1, consumer_key, type, params, entries, after,
    case when after is null then clock_timestamp() else 'infinity' end
from unnest($2::uuid[], $3::text[], $4::text[], $5::json[], $6::integer[], $7::uuid[]) with ordinality
    as asked (reference, consumer_key, type, params, entries, after, place)
order by place

-- Claim due jobs of these types, at most $2 jobs and (beyond the first) $3 entries. Suspects, jobs that lost a worker
-- before, are claimed apart from the others ($4): in a small crowd after their first loss, later alone. Materialized: a
-- plain sub-select may run twice.
-- name: claim_jobs
with picked as materialized (
    select id, entries, run_at, losses from job
    where state = 'queued' and run_at <= clock_timestamp() and type = any($1::text[]) and (losses > 0) = $4
    order by run_at, id limit $2
    for update skip locked
), sized as (
    select id, sum(entries) over line - entries as before, row_number() over line as place,
        greatest(losses, first_value(losses) over line) as losses
    from picked window line as (order by run_at, id)
)
update job set state = 'running', fence = fence + 1, attempt = attempt + 1, owner = $5,
    lease_until = clock_timestamp() + $6, started_at = clock_timestamp()
from sized where job.id = sized.id and sized.before < $3 and (sized.place = 1 or sized.losses < 2)
returning job.id, reference, organisation_id, consumer_key, type, params, entries, fence, attempt, failures,
    job.losses, cursor, definition_id, extract(epoch from started_at - run_at)::float8 as waited_s

-- Renew leases; a job that is missing from the answer is no longer ours, `cancel` says that somebody wants it stopped.
-- name: renew_leases
update job set lease_until = clock_timestamp() + $3
from unnest($1::bigint[], $2::integer[]) as mine (id, fence)
where job.id = mine.id and job.fence = mine.fence and job.state = 'running'
returning job.id, job.fence, job.cancel

-- Which of these claims still hold, and how far did they come? Asked before an attempt runs again. Locked for a moment:
-- a commit whose connection broke may still be on its way, and has its say first.
-- name: held_jobs
select job.id, job.cursor from job join unnest($1::bigint[], $2::integer[]) as mine (id, fence)
    on job.id = mine.id and job.fence = mine.fence and job.state = 'running'
order by job.id for update of job

-- End jobs well, under the fence, and let those begin that waited for them; fewer rows than asked for means that some
-- were lost and everything must be undone.
-- name: complete_jobs
with ended as (
    update job set state = 'completed', results = done.results, completed_at = clock_timestamp(), owner = null,
        lease_until = null, cursor = null,
        progress = case when job.progress is null then null else done.progress end
    from unnest($1::bigint[], $2::integer[], $3::json[], $4::json[]) as done (id, fence, results, progress)
    where job.id = done.id and job.fence = done.fence and job.state = 'running'
    returning job.id, job.reference
), next as (
    update job set run_at = clock_timestamp(), after = null
    from ended where job.after = ended.reference and job.state = 'queued'
)
select id from ended

-- Keep other parameters than a job ran with.
-- name: redact_job
update job set params = $2 where id = $1

-- Save how far a long job has come, under the fence. A job that gets ahead is not what kills its workers.
-- name: checkpoint_job
update job set cursor = $3::json, progress = $4,
    losses = case when cursor::text is distinct from ($3::json)::text then 0 else losses end
where id = $1 and fence = $2 and state = 'running'
returning cancel

-- An attempt raised: queue the job again after a delay with full jitter, or halt it when it has failed too often or for
-- good. A job with a cancel mark is never queued again, here and below: it halts as cancelled.
-- name: fail_job
update job set failures = failures + 1, owner = null, lease_until = null,
    state = case when cancel or $3 or failures + 1 >= $4 then 'halted' else 'queued' end,
    error = case when cancel then $8::json when $3 or failures + 1 >= $4 then $5::json end,
    completed_at = case when cancel or $3 or failures + 1 >= $4 then clock_timestamp() end,
    run_at = clock_timestamp() + random() * least($7::interval, $6::interval * power(2, least(failures, 20)))
where id = $1 and fence = $2 and state = 'running'
returning state, failures, extract(epoch from run_at - clock_timestamp())::float8 as delay_s

-- Put a job off without counting a failure: the other side asked us to wait.
-- name: defer_job
update job set owner = null, lease_until = null, run_at = clock_timestamp() + $3,
    state = case when cancel then 'halted' else 'queued' end,
    error = case when cancel then $4::json end,
    completed_at = case when cancel then clock_timestamp() end
where id = $1 and fence = $2 and state = 'running'

-- Give claims back: a stopping worker's jobs start again elsewhere at once, and it counts as nothing.
-- name: release_jobs
update job set releases = releases + 1, owner = null, lease_until = null, run_at = clock_timestamp(),
    state = case when cancel then 'halted' else 'queued' end,
    error = case when cancel then $3::json end,
    completed_at = case when cancel then clock_timestamp() end
from unnest($1::bigint[], $2::integer[]) as mine (id, fence)
where job.id = mine.id and job.fence = mine.fence and job.state = 'running'

-- End running jobs whose cancel mark their worker has seen.
-- name: cancel_running
update job set state = 'halted', error = $3, completed_at = clock_timestamp(), owner = null, lease_until = null
from unnest($1::bigint[], $2::integer[]) as mine (id, fence)
where job.id = mine.id and job.fence = mine.fence and job.state = 'running' and job.cancel
returning job.id

-- Cancel a consumer's jobs: queued ones end now, running ones are marked. In every statement that locks several jobs
-- the order is that of their ids.
-- name: cancel_jobs
with target as materialized (
    select id, state from job
    where consumer_key = $1 and reference = any($2::uuid[]) and organisation_id = any($3::integer[])
        and state in ('queued', 'running')
    order by id for update
)
update job set cancel = true,
    state = case when target.state = 'queued' then 'halted' else job.state end,
    error = case when target.state = 'queued' then $4::json else job.error end,
    completed_at = case when target.state = 'queued' then clock_timestamp() else job.completed_at end
from target where job.id = target.id
returning job.reference, job.state

-- Queue halted jobs again, as if new; a long one goes on where it was.
-- name: requeue_jobs
with target as materialized (
    select id from job
    where consumer_key = $1 and reference = any($2::uuid[]) and organisation_id = any($3::integer[]) and state = 'halted'
    order by id for update
)
update job set state = 'queued', cancel = false, failures = 0, losses = 0, run_at = clock_timestamp(), after = null,
    results = null, error = null, completed_at = null
from target where job.id = target.id
returning job.reference, job.state

-- The states of a consumer's jobs, and which of them somebody wants to end.
-- name: job_states
select reference, state, cancel from every_job
where consumer_key = $1 and reference = any($2::uuid[]) and organisation_id = any($3::integer[])

-- A consumer's jobs by reference, of those that are not archived: nearly all that are asked for. Results are large and
-- fetched only when they are wanted ($8).
-- name: find_jobs_by_reference
select id, reference, type, state, created_at, completed_at, error, progress, entries, case when $8 then results end as results
from job where reference = any($2::uuid[]) and consumer_key = $1
    and ($3::text[] is null or state = any($3)) and ($4::integer is null or organisation_id = $4)
    and created_at between coalesce($5::timestamptz, '-infinity') and coalesce($6::timestamptz, 'infinity')
order by created_at desc, reference desc limit $7

-- The same of all jobs, in one statement: a job may move meanwhile.
-- name: find_all_jobs_by_reference
select id, reference, type, state, created_at, completed_at, error, progress, entries, case when $8 then results end as results
from every_job where reference = any($2::uuid[]) and consumer_key = $1
    and ($3::text[] is null or state = any($3)) and ($4::integer is null or organisation_id = $4)
    and created_at between coalesce($5::timestamptz, '-infinity') and coalesce($6::timestamptz, 'infinity')
order by created_at desc, reference desc limit $7

-- A consumer's jobs, newest first: one short walk of the index per state, then the newest of all. The bounds are never
-- null, so that the walk begins and ends at them whatever the plan.
-- name: find_jobs
select id, reference, type, state, created_at, completed_at, error, progress, entries, case when $7 then results end as results
from unnest($2::text[]) as wanted (wanted_state)
cross join lateral (
    select * from every_job
    where consumer_key = $1 and state = wanted_state and ($3::integer is null or organisation_id = $3)
        and created_at between coalesce($4::timestamptz, '-infinity') and coalesce($5::timestamptz, 'infinity')
    order by created_at desc, reference desc limit $6
) as job
order by created_at desc, reference desc limit $6

-- What these jobs were asked to do, the last $3 things that each logged, and the sums of all that they counted.
-- name: job_details
select job.id, job.params,
    coalesce((select json_agg(json_build_object('time', to_char(entry.at, 'YYYY-MM-DD HH24:MI:SS'),
            'severity', entry.severity, 'message', entry.message, 'counters', entry.counters) order by entry.id)
        from (select * from every_job_log where job_id = job.id order by id desc limit $3) as entry), '[]') as log,
    coalesce((select json_object_agg(name, least(total, 2147483647) order by name)
        from (select name, sum(number::numeric) as total
            from every_job_log cross join json_each_text(counters) as counter (name, number)
            where job_id = job.id group by name) as counted), '{}') as counters
from every_job as job where consumer_key = $1 and job.id = any($2::bigint[])

-- What jobs have to say for themselves.
-- name: insert_job_log
insert into job_log (job_id, severity, message, counters)
select * from unnest($1::bigint[], $2::smallint[], $3::text[], $4::json[])

-- Requeue or halt jobs whose worker went silent. After a restart of Postgres workers first get the time to renew.
-- name: expire_leases
with silent as materialized (
    select id from job
    where state = 'running' and lease_until < clock_timestamp()
        and clock_timestamp() > pg_postmaster_start_time() + $2::interval
    order by id limit $1
    for update skip locked
)
update job set losses = losses + 1, owner = null, lease_until = null,
    state = case when cancel or losses + 1 >= $3 then 'halted' else 'queued' end,
    error = case when cancel then $5::json when losses + 1 >= $3 then $4::json end,
    completed_at = case when cancel or losses + 1 >= $3 then clock_timestamp() end,
    run_at = clock_timestamp()
from silent where job.id = silent.id
returning job.id, job.reference, job.type, job.state, job.organisation_id, job.definition_id

-- Jobs may also begin when the one that they waited for was halted.
-- name: release_waiting
with ready as materialized (
    select id from job
    where after is not null and state = 'queued'
        and not exists (select from job as first where first.reference = job.after and first.state in ('queued', 'running'))
    order by id limit $1
    for update skip locked
)
update job set run_at = clock_timestamp(), after = null from ready where job.id = ready.id

-- Is anything waiting that a worker should have taken by now?
-- name: has_due_jobs
select exists (select from job where state = 'queued' and run_at <= clock_timestamp())

-- Only one process sweeps at a time.
-- name: try_sweeper_lock
select pg_try_advisory_xact_lock(7061628)

-- Forget packets that no clock window accepts any more.
-- name: delete_old_replays
delete from replay where (consumer_key, id) in (
    select consumer_key, id from replay where created_at < clock_timestamp() - $1::interval limit 500)

-- How much waits, per consumer; the gateway refuses new jobs beyond its limits.
-- name: queue_depths
select consumer_key, count(*) as depth, min(run_at) as oldest from job where state = 'queued' group by consumer_key

-- How many jobs are in each unfinished state, and since when the oldest waits. One state at a time: each has an index of
-- its own, and for both together all finished jobs would be read.
-- name: job_gauges
select count(*) as queued, (select count(*) from job where state = 'running') as running,
    extract(epoch from clock_timestamp() - min(run_at) filter (where run_at <= clock_timestamp()))::float8 as oldest_queued_s
from job where state = 'queued'

-- An act worth remembering.
-- name: insert_audit
insert into audit (organisation_id, actor, act, object, detail, request_id) values ($1, $2, $3, $4, $5, $6)
