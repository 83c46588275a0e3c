-- Deleting finished jobs of an organisation with what they logged: from the queue's table, then from the archive.

-- How many finished jobs are as old as $2, or older?
-- name: count_finished_jobs
select count(*) from every_job
where organisation_id = $1 and state in ('completed', 'halted') and completed_at <= $2

-- Delete the oldest of them that ended at $3 or later: at most $4 and, beyond the first, $5 log entries. What somebody
-- moves or queues again at this moment is waited for, and left: it was found, but is not one of the deleted.
-- name: delete_finished_jobs
with old as materialized (
    select id from job
    where organisation_id = $1 and state in ('completed', 'halted') and completed_at <= $2 and completed_at >= $3
    order by completed_at, id limit $4
), held as materialized (
    select id, completed_at from job where id in (select id from old) and state in ('completed', 'halted')
    order by completed_at, id
    for update
), sized as (
    select id, completed_at, sum(said) over (order by completed_at, id) - said as before
    from held cross join lateral (select count(*) as said from job_log where job_id = held.id) as entries
), picked as materialized (
    select id, completed_at from sized where before < $5
), entries as (
    delete from job_log using picked where job_id = picked.id returning 1
), gone as (
    delete from job using picked where job.id = picked.id returning picked.completed_at
)
select (select count(*)::integer from old) as found, count(*)::integer as jobs,
    (select count(*)::integer from entries) as entries, max(completed_at) as latest
from gone

-- The same in the archive.
-- name: delete_archived_jobs
with old as materialized (
    select id, completed_at from job_archive
    where organisation_id = $1 and completed_at <= $2 and completed_at >= $3
    order by completed_at, id limit $4
), held as materialized (
    select job.id, job.completed_at from job_archive as job
    join old on job.id = old.id and job.completed_at = old.completed_at
    order by job.completed_at, job.id
    for update of job
), sized as (
    select id, completed_at, sum(said) over (order by completed_at, id) - said as before
    from held cross join lateral (
        select count(*) as said from job_log_archive as entry
        where entry.job_id = held.id and entry.completed_at = held.completed_at
    ) as entries
), picked as materialized (
    select id, completed_at from sized where before < $5
), entries as (
    delete from job_log_archive as entry using picked
    where entry.job_id = picked.id and entry.completed_at = picked.completed_at returning 1
), gone as (
    delete from job_archive as job using picked
    where job.id = picked.id and job.completed_at = picked.completed_at returning picked.completed_at
)
select (select count(*)::integer from old) as found, count(*)::integer as jobs,
    (select count(*)::integer from entries) as entries, max(completed_at) as latest
from gone
