-- Finished jobs that leave the queue's table for that of their month, and come back when they are queued again.

-- Only one process archives at a time.
-- name: try_archive_lock
select pg_try_advisory_xact_lock(7061632)

-- The oldest jobs that have been finished for so long, at most $2 and (beyond the first) $3 bytes with what they logged;
-- the months that they go to, and whether there are more.
-- name: pick_finished_jobs
with picked as materialized (
    select id, completed_at, coalesce(pg_column_size(params), 0) + coalesce(pg_column_size(results), 0) as size from job
    where state in ('completed', 'halted') and completed_at < clock_timestamp() - $1::interval
    order by completed_at limit $2
    for update skip locked
), sized as (
    select *, sum(weight) over line - weight as before, count(*) over () as waiting
    from picked cross join lateral (
        select size + coalesce(sum(pg_column_size(job_log)), 0) as weight from job_log where job_id = picked.id) as whole
    window line as (order by completed_at, id)
)
select id, date_trunc('month', completed_at, 'UTC') as month, waiting,
    to_regclass('job_archive' || to_char(completed_at at time zone 'UTC', '_YYYY_MM')) is not null as has_month
from sized where before < $3 order by completed_at

-- Make the tables of a month.
-- name: add_archive_month
select add_archive_month($1)

-- Move jobs and what they logged.
-- name: archive_jobs
with moved as (
    delete from job where id = any($1::bigint[]) returning *
), entries as (
    delete from job_log using moved where job_log.job_id = moved.id returning job_log.*, moved.completed_at
), kept as (
    insert into job_log_archive select * from entries
)
insert into job_archive select * from moved

-- Take a consumer's halted jobs out of the archive, as they went in.
-- name: restore_jobs
with target as materialized (
    select id, completed_at from job_archive
    where consumer_key = $1 and reference = any($2::uuid[]) and organisation_id = any($3::integer[]) and state = 'halted'
    order by id for update
), back as (
    delete from job_archive using target
    where job_archive.id = target.id and job_archive.completed_at = target.completed_at
    returning job_archive.*
), entries as (
    delete from job_log_archive using back
    where job_log_archive.job_id = back.id and job_log_archive.completed_at = back.completed_at
    returning job_log_archive.id, job_id, at, severity, message, counters
), told as (
    insert into job_log overriding system value select * from entries
)
insert into job overriding system value select * from back returning reference

-- Months that ended $1 whole months ago, oldest first.
-- name: old_archive_months
select month from (
    select to_date(right(relname, 7), 'YYYY_MM')::timestamp at time zone 'UTC' as month
    from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'job_archive'::regclass) as archived
where month + interval '1 month' <= date_trunc('month', clock_timestamp(), 'UTC') - make_interval(months => $1)
order by month

-- Drop the tables of a month.
-- name: drop_archive_month
select drop_archive_month($1)
