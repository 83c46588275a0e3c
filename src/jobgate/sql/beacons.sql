-- Beacons: remote boxes, the jobs that they pick up, and what they say about them.

-- A beacon announces itself. No row: it is known.
-- name: register_beacon
insert into beacon (organisation_id, name, tags, last_seen_at) values ($1, $2, $3, case when $4 then clock_timestamp() end)
on conflict (organisation_id, name) do nothing
returning name

-- How many beacons has the organisation?
-- name: count_beacons
select count(*) from beacon where organisation_id = $1

-- Change what is not null.
-- name: update_beacon
update beacon set tags = coalesce($3, tags), state = coalesce($4, state) where organisation_id = $1 and name = $2

-- A beacon was heard of. Once a second is enough.
-- name: see_beacon
update beacon set last_seen_at = clock_timestamp()
where organisation_id = $1 and name = $2
    and (last_seen_at is null or last_seen_at < clock_timestamp() - interval '1 second')

-- What a beacon may get.
-- name: find_beacon
select state, tags from beacon where organisation_id = $1 and name = $2

-- Beacons, newest first, with what they hold and what waits for them.
-- name: find_beacons
select beacon.*,
    (select count(*) from beacon_job as job where job.organisation_id = $1 and job.beacon_name = beacon.name
        and job.pickup_time is not null and job.end_time is null) as held,
    (select count(*) from beacon_watch as watch where watch.organisation_id = $1 and watch.beacon_name = beacon.name
        and watch.reason = 'job' and watch.due_at <= clock_timestamp()) as eligible
from beacon
where organisation_id = $1 and ($2::text[] is null or name = any($2)) and number < $3
order by number desc limit $4

-- Forget a beacon, or all.
-- name: delete_beacons
delete from beacon where organisation_id = $1 and ($2::text is null or name = $2)

-- Of creations of equal jobs, one at a time looks for what it duplicates.
-- name: lock_likeness
select pg_advisory_xact_lock(7061629, hashtext($1::integer || encode($2::bytea, 'hex')))

-- A job that will do the same, no later, and that nobody has picked up. Locked: nobody picks it up meanwhile.
-- name: find_alike
select id from beacon_job
where organisation_id = $1 and likeness = $2 and pickup_time is null and end_time is null and duplicate_of is null
    and schedule is null and q_time <= coalesce($3, clock_timestamp())
order by number limit 1 for share

-- A new job; $8 says whether it is queued, $9 from when on (default: now).
-- name: insert_beacon_job
insert into beacon_job (organisation_id, id, consumer_key, name, owner, beacon_name, tags, q_time, total_tasks, likeness,
    duplicate_of, schedule, active, zone, next_run)
values ($1, $2, $3, $4, $5, $6, $7, case when $8 then coalesce($9, clock_timestamp()) end, $10, $11, $12, $13,
    case when $13::json is null then null else true end, $14, $15)

-- What there is to do, in order.
-- name: insert_beacon_tasks
insert into beacon_task (organisation_id, job_id, position, task)
select $1, $2, place - 1, task from unnest($3::json[]) with ordinality as asked (task, place)

-- A job as callers see it.
-- name: read_beacon_job
select *, beacon_job_status(beacon_job) as status from beacon_job where organisation_id = $1 and id = $2

-- Jobs that fit all filters that are named in $2, newest first from $15 to $16; as many as $18 bytes of results have room
-- for, but one at least. One walk of the index by number: taken for a single condition, the filters do not make the
-- planner expect so few jobs that it would rather sort them all.
-- name: find_beacon_jobs
with fitting as (
    select *, beacon_job_status(beacon_job) as status from beacon_job
    where organisation_id = $1 and number < $15 and number >= $16 and case when
        ('beacon_name' <> all($2::text[]) or beacon_name is not distinct from $3)
        and ('user' <> all($2) or owner is not distinct from $4)
        and ('name' <> all($2) or name is not distinct from $5)
        and ('cur_task' <> all($2) or cur_task is not distinct from $6)
        and ('total_tasks' <> all($2) or total_tasks is not distinct from $7)
        and ('add_time' <> all($2) or date_trunc('second', add_time) is not distinct from $8::timestamptz)
        and ('q_time' <> all($2) or date_trunc('second', q_time) is not distinct from $9::timestamptz)
        and ('pickup_time' <> all($2) or date_trunc('second', pickup_time) is not distinct from $10::timestamptz)
        and ('start_time' <> all($2) or date_trunc('second', start_time) is not distinct from $11::timestamptz)
        and ('result' <> all($2) or result_digest is not distinct from $12)
        and ('duplicate_of' <> all($2) or duplicate_of is not distinct from $13)
        and ($14::text[] is null or beacon_job_status(beacon_job) = any($14))
        then true else false end
    order by number desc limit $17
), weighed as (
    select *, coalesce(sum(octet_length(result::text)) over (order by number desc
        rows between unbounded preceding and 1 preceding), 0) as bytes_before
    from fitting
)
select * from weighed where bytes_before < $18 order by number desc

-- The tasks of a job, in order, with the results that are held.
-- name: find_beacon_tasks
select position, task, result from beacon_task where organisation_id = $1 and job_id = $2 order by position

-- Is there such a job?
-- name: has_beacon_job
select exists (select from beacon_job where organisation_id = $1 and id = $2)

-- Pick up the next job of a beacon that can do it.
-- name: claim_beacon_job
with picked as materialized (
    select id from beacon_job
    where organisation_id = $1 and beacon_name = $2 and tags <@ $3::text[] and q_time <= clock_timestamp()
        and pickup_time is null and end_time is null and duplicate_of is null and schedule is null
    order by q_time, number limit 1
    for update skip locked
)
update beacon_job as job set pickup_time = clock_timestamp(), start_time = null, fence = fence + 1, token = $4,
    lease_until = clock_timestamp() + $5, end_digest = null
from picked where job.organisation_id = $1 and job.id = picked.id
returning job.id, job.fence

-- A job and who holds it, locked until the transaction ends.
-- name: lock_beacon_job
select *, clock_timestamp() as now, lease_until <= clock_timestamp() as is_lapsed, q_time > clock_timestamp() as is_early
from beacon_job where organisation_id = $1 and id = $2 for update

-- Pick up this job, which is locked.
-- name: take_beacon_job
update beacon_job set pickup_time = clock_timestamp(), start_time = null, fence = fence + 1, token = $3,
    lease_until = clock_timestamp() + $4, end_digest = null
where organisation_id = $1 and id = $2
returning id, fence

-- A sign of life of the holder: the lease grows, and it may say that it starts, or which task is in work.
-- name: renew_beacon_job
update beacon_job set lease_until = clock_timestamp() + $3, cur_task = coalesce($5, cur_task),
    start_time = case when $4 then coalesce(start_time, clock_timestamp()) else start_time end
where organisation_id = $1 and id = $2

-- Keep results of single tasks.
-- name: keep_beacon_results
update beacon_task set result = sent.result
from unnest($3::integer[], $4::json[]) as sent (position, result)
where organisation_id = $1 and job_id = $2 and beacon_task.position = sent.position

-- The results that are held, in the order of their tasks.
-- name: find_beacon_results
select position, result from beacon_task
where organisation_id = $1 and job_id = $2 and result is not null order by position

-- End a job, and with it those that are its duplicates.
-- name: end_beacon_job
update beacon_job set end_time = clock_timestamp(), lease_until = null, result = $3, result_digest = $4, error = $5,
    end_digest = case when id = $2 then $6::bytea end
where organisation_id = $1 and (id = $2 or duplicate_of = $2) and end_time is null

-- End one job and no other.
-- name: halt_beacon_job
update beacon_job set end_time = clock_timestamp(), lease_until = null, cancel = true, error = $3, end_digest = $4
where organisation_id = $1 and id = $2 and end_time is null

-- Give a job out of hand: another beacon may have it after $3. `failures` grows by $4, `losses` by $5.
-- name: return_beacon_job
update beacon_job set pickup_time = null, start_time = null, lease_until = null,
    q_time = case when $3::interval is null then q_time else clock_timestamp() + $3 end,
    failures = failures + $4, losses = losses + $5, end_digest = $6
where organisation_id = $1 and id = $2

-- Somebody wants a job stopped that is held.
-- name: mark_beacon_job
update beacon_job set cancel = true where organisation_id = $1 and id = $2

-- The first of a cancelled job's duplicates takes its place, the others point at it. Locked: if somebody is just
-- cancelling it too, the next one is the first.
-- name: promote_duplicate
with heir as materialized (
    select id from beacon_job where organisation_id = $1 and duplicate_of = $2 and end_time is null order by number limit 1
    for update
)
update beacon_job as job set duplicate_of = case when job.id = heir.id then null else heir.id end
from heir where job.organisation_id = $1 and job.duplicate_of = $2 and job.end_time is null

-- Add lines behind those that are held.
-- name: insert_beacon_lines
insert into beacon_log_line (organisation_id, job_id, number, line)
select $1, $2, $3 + place - 1, line from unnest($4::text[]) with ordinality as said (line, place)

-- So many lines are held.
-- name: count_beacon_lines
update beacon_job set log_length = $3 where organisation_id = $1 and id = $2

-- Lines of a job's log, in order.
-- name: find_beacon_lines
select number, at, line from beacon_log_line
where organisation_id = $1 and job_id = $2 and number >= $3 order by number limit $4

-- What waits by now for these beacons: how many jobs that need the same.
-- name: find_beacon_line
select organisation_id, beacon_name, tags, count(*) as jobs from beacon_watch
where reason = 'job' and due_at <= clock_timestamp()
    and (organisation_id, beacon_name) in (select * from unnest($1::integer[], $2::text[]))
group by organisation_id, beacon_name, tags

-- Leases that are over, the oldest first. After a restart of Postgres beacons first get the time to renew.
-- name: find_lapsed_leases
select organisation_id, job_id from beacon_watch
where reason = 'lease' and due_at <= clock_timestamp() and clock_timestamp() > pg_postmaster_start_time() + $2::interval
order by due_at limit $1

-- A job whose holder is silent, if nobody else looks at it.
-- name: lock_lost_job
select id, beacon_name, losses, cancel from beacon_job
where organisation_id = $1 and id = $2 and pickup_time is not null and end_time is null and lease_until <= clock_timestamp()
for update skip locked

-- Scheduled jobs, newest first.
-- name: find_scheduled_jobs
select id, number, name, active, schedule, zone, case when active then next_run end as next_run
from beacon_job where organisation_id = $1 and schedule is not null and number < $2 order by number desc limit $3

-- Switch a scheduled job on or off; $4 is when it runs next.
-- name: switch_scheduled_job
update beacon_job set active = $3, next_run = $4 where organisation_id = $1 and id = $2

-- Which scheduled jobs are due by $1, of all organisations? The most overdue.
-- name: find_due_schedules
select organisation_id, array_agg(job_id) as ids from (
    select organisation_id, job_id from beacon_watch where reason = 'tick' and due_at <= $1 order by due_at limit $2) as due
group by organisation_id

-- Those of them that are still due, and that nobody else is at: at most, beyond the first, so many tasks ($4) of so many
-- bytes ($5) together, because each run gets a copy.
-- name: lock_due_schedules
with due as materialized (
    select id, schedule, zone, next_run, total_tasks from beacon_job
    where organisation_id = $1 and id = any($2::uuid[]) and active and next_run <= $3
    order by id for no key update skip locked
), counted as (
    select *, sum(total_tasks) over (order by id) - total_tasks as tasks_before from due
), weighed as (
    select counted.*, sum(bytes) over (order by id) - bytes as bytes_before
    from counted cross join lateral (
        select coalesce(sum(pg_column_size(task)), 0) as bytes from beacon_task
        where organisation_id = $1 and job_id = counted.id
    ) as tasks
    where tasks_before < $4
)
select id, schedule, zone, next_run from weighed where bytes_before < $5 order by id

-- Which of these scheduled jobs have a run that has not ended?
-- name: find_open_runs
select distinct scheduled_id from beacon_job
where organisation_id = $1 and scheduled_id = any($2::uuid[]) and end_time is null

-- Ticks, and the runs that some make: the scheduled job, to be done now. What has ticked before makes nothing.
-- name: record_beacon_ticks
with ticked as (
    insert into beacon_tick (organisation_id, scheduled_id, due_at, outcome, job_id)
    select $1, scheduled_id, due_at, outcome, job_id
    from unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::uuid[]) as asked (scheduled_id, due_at, outcome, job_id)
    on conflict (organisation_id, scheduled_id, due_at) do nothing
    returning scheduled_id, due_at, job_id
), run as (
    insert into beacon_job (organisation_id, id, consumer_key, name, owner, beacon_name, tags, total_tasks, q_time,
        scheduled_id, due_at)
    select $1, ticked.job_id, consumer_key, name, owner, beacon_name, tags, total_tasks, clock_timestamp(), id, ticked.due_at
    from ticked join beacon_job as scheduled on scheduled.organisation_id = $1 and scheduled.id = ticked.scheduled_id
    where ticked.job_id is not null
    order by ticked.due_at, number
)
insert into beacon_task (organisation_id, job_id, position, task)
select $1, ticked.job_id, position, task
from ticked join beacon_task as task on task.organisation_id = $1 and task.job_id = ticked.scheduled_id
where ticked.job_id is not null

-- When these scheduled jobs run next; null: not any more.
-- name: plan_schedules
update beacon_job set next_run = planned.next_run
from unnest($2::uuid[], $3::timestamptz[]) as planned (id, next_run)
where organisation_id = $1 and beacon_job.id = planned.id

-- Forget ticks of these scheduled jobs that were due before $3.
-- name: delete_past_beacon_ticks
delete from beacon_tick where organisation_id = $1 and scheduled_id = any($2::uuid[]) and due_at < $3

-- Which jobs ended so ($1) before $2 ago, of all organisations? The oldest.
-- name: find_old_beacon_jobs
select organisation_id, array_agg(job_id) as ids from (
    select organisation_id, job_id from beacon_ended where state = $1 and end_time < clock_timestamp() - $2::interval
    order by end_time limit $3) as old
group by organisation_id

-- Delete these jobs with their tasks and logs: at most, beyond the first, so many tasks and lines ($3).
-- name: delete_beacon_jobs
with held as materialized (
    select id, total_tasks + log_length as rows from beacon_job
    where organisation_id = $1 and id = any($2::uuid[]) and end_time is not null
    order by id for update skip locked
), old as materialized (
    select id from (select id, sum(rows) over (order by id) - rows as rows_before from held) as counted
    where rows_before < $3
), tasks as (
    delete from beacon_task using old where organisation_id = $1 and job_id = old.id
), lines as (
    delete from beacon_log_line using old where organisation_id = $1 and job_id = old.id
)
delete from beacon_job using old where organisation_id = $1 and beacon_job.id = old.id
