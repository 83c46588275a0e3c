-- Definitions, their ticks, and the jobs that these cause.

-- -- definitions ----------------------------------------------------------------------------------------------------

-- What time is it? Schedules run by this clock and no other.
-- name: read_clock
select clock_timestamp()

-- A new definition.
-- name: insert_definition
insert into definition (organisation_id, id, consumer_key, name, type, params, entries, schedule, zone, overlap, catch_up_s,
    active, store_id, service)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)

-- A definition as it is, and nobody else changes, executes or ticks it before this transaction ends.
-- name: lock_definition
select id, consumer_key, name, type, params, entries, schedule, zone, overlap, catch_up_s, active, last_due_at, store_id,
    service
from definition where organisation_id = $1 and id = $2 for no key update

-- Write a definition anew.
-- name: update_definition
update definition set name = $3, params = $4, entries = $5, schedule = $6, zone = $7, overlap = $8, catch_up_s = $9,
    active = $10, store_id = $11, service = $12, updated_at = clock_timestamp()
where organisation_id = $1 and id = $2

-- When a definition is due next; null: not at all.
-- name: plan_definition
with forgotten as (
    delete from definition_due where organisation_id = $1 and definition_id = $2 and $3::timestamptz is null
)
insert into definition_due (organisation_id, definition_id, due_at)
select $1, $2, $3 where $3::timestamptz is not null
on conflict (organisation_id, definition_id) do update set due_at = excluded.due_at

-- Definitions with what is known about their runs, the newest first, before the number $2. The page comes before the
-- look-ups: they are for its definitions only, whatever the plan.
-- name: find_definitions
select id, number, consumer_key, name, type, params, schedule, zone, overlap, catch_up_s, active, store_id, service,
    created_at, updated_at, due.due_at as next_run_at, runs - coalesce(open.count, 0) as ran, open.running, open.waiting,
    open.is_requested, last.started_at as last_run_at
from (
    select * from definition
    where organisation_id = $1 and number < $2 and ($3::uuid[] is null or id = any($3))
        and ($4::text is null or type = $4) and ($5::text is null or strpos(lower(name), lower($5)) > 0)
        and ($6::integer is null or store_id = $6) and ($7::text is null or service = $7)
    order by number desc limit $8
) as definition
left join definition_due as due on due.organisation_id = $1 and due.definition_id = definition.id
cross join lateral (
    select count(*)::integer, bool_or(state = 'running') is true as running,
        bool_or(state = 'queued') is true as waiting,
        bool_or(state = 'queued' and due_at is null) is true as is_requested
    from job where job.definition_id = definition.id and state in ('queued', 'running')
) as open
left join lateral (
    select started_at from every_job where every_job.definition_id = definition.id and started_at is not null
    order by id desc limit 1
) as last on true
order by number desc

-- Forget definitions, with their ticks and how far they have come; what of them waits is halted, what runs goes on. $2: one,
-- or all; $3: of one type; $5: bound to one store; $6: so many at most.
-- name: delete_definitions
with gone as (
    delete from definition where organisation_id = $1 and id in (
        select id from definition
        where organisation_id = $1 and ($2::uuid is null or id = $2) and ($3::text is null or type = $3)
            and ($5::integer is null or store_id = $5)
        limit $6)
    returning id
), unplanned as (
    delete from definition_due where organisation_id = $1 and definition_id in (select id from gone)
), unticked as (
    delete from tick where organisation_id = $1 and definition_id in (select id from gone)
), unmarked as (
    delete from xapi_progress where organisation_id = $1 and definition_id in (select id from gone)
), waiting as materialized (
    select job.id from job where definition_id in (select id from gone) and state = 'queued' order by job.id for update
), halted as (
    update job set state = 'halted', error = $4::json, completed_at = clock_timestamp()
    from waiting where job.id = waiting.id and job.state = 'queued'
)
select id from gone

-- -- executing ------------------------------------------------------------------------------------------------------

-- The executions of these definitions that have not ended, oldest first; one that has not got ahead has no cursor.
-- name: find_open_executions
select definition_id, reference, trigger_id, due_at, state = 'queued' and cursor is null as is_pending
from job where definition_id = any($1::uuid[]) and state in ('queued', 'running')
order by id

-- An execution that waits gets this trigger, unless it has begun meanwhile, or has one.
-- name: adopt_execution
update job set trigger_id = $2 where reference = $1 and state = 'queued'
    and trigger_id = '00000000-0000-0000-0000-000000000000'
returning reference

-- Queue an execution that somebody asks for, after the one ($6) that has not ended.
-- name: insert_execution
with counted as (
    update definition set runs = runs + 1 where organisation_id = $1 and id = $2
    returning type, params, entries
)
insert into job (reference, organisation_id, consumer_key, type, params, entries, definition_id, trigger_id, after, run_at)
select $3, $1, $4, type, params, entries, $2, $5, $6,
    case when $6::uuid is null then clock_timestamp() else 'infinity' end
from counted

-- Halt the execution that neither a trigger nor a tick asked for, before it has begun: it does not count as a run.
-- name: withdraw_execution
with withdrawn as (
    update job set state = 'halted', error = $3::json, completed_at = clock_timestamp()
    where definition_id = $2 and state = 'queued' and cursor is null and due_at is null
        and trigger_id = '00000000-0000-0000-0000-000000000000'
    returning id
)
update definition set runs = runs - 1 where organisation_id = $1 and id = $2 and exists (select from withdrawn)

-- -- reading executions ---------------------------------------------------------------------------------------------

-- A walk along the executions of a definition, newest first, before the id $3, at most $4.
-- name: walk_executions
select id from every_job
where organisation_id = $1 and definition_id = $2 and id < $3 and ($5::text[] is null or state = any($5))
    and created_at between coalesce($6::timestamptz, '-infinity') and coalesce($7::timestamptz, 'infinity')
    and ($8::uuid is null or trigger_id = $8)
order by id desc limit $4

-- The same along the executions that a call asked for.
-- name: walk_executions_of_trigger
select id from every_job
where organisation_id = $1 and ($2::uuid is null or definition_id = $2) and id < $3
    and ($5::text[] is null or state = any($5))
    and created_at between coalesce($6::timestamptz, '-infinity') and coalesce($7::timestamptz, 'infinity')
    and trigger_id = $8 and trigger_id <> '00000000-0000-0000-0000-000000000000'
order by id desc limit $4

-- These executions, newest first, and how they went: those with one of these outcomes ($3), with a log entry at least so
-- severe that contains the text, and with the value $7 at the path $6 of their parameters.
-- name: find_executions
select id, reference, definition_id, trigger_id, created_at, completed_at, outcome
from every_job cross join lateral (
    select case state when 'queued' then 0 when 'running' then 1 when 'halted' then 3
        else (array[2, 5, 4])[1 + coalesce((
            select max(severity) from every_job_log where job_id = every_job.id and severity > 0), 0)] end as outcome
) as judged
where organisation_id = $1 and id = any($2::bigint[]) and ($3::integer[] is null or outcome = any($3))
    and ($4::smallint is null and $5::text is null or exists (
        select from every_job_log where job_id = every_job.id and severity >= coalesce($4, 0)
            and ($5::text is null or strpos(lower(message), lower($5)) > 0)))
    and ($6::text[] is null or coalesce(params::jsonb #> $6, 'null') = ($7::json)::jsonb)
order by id desc

-- The newest $2 log entries of each of these jobs that are at least so severe and contain the text, oldest first.
-- name: find_execution_logs
select entry.id, entry.job_id, entry.at, entry.severity, entry.message
from unnest($1::bigint[]) as wanted (job_id) cross join lateral (
    select * from every_job_log where every_job_log.job_id = wanted.job_id and severity >= coalesce($3::smallint, 0)
        and ($4::text is null or strpos(lower(message), lower($4)) > 0)
    order by id desc limit $2
) as entry
order by entry.job_id, entry.id

-- How the newest execution of each of these definitions ended, of those that have ended.
-- name: find_last_ends
select last.definition_id, last.completed_at, case state when 'halted' then 3
    else (array[2, 5, 4])[1 + coalesce((
        select max(severity) from every_job_log where job_id = last.id and severity > 0), 0)] end as outcome
from unnest($2::uuid[]) as wanted (definition_id) cross join lateral (
    select id, every_job.definition_id, state, completed_at from every_job
    where organisation_id = $1 and every_job.definition_id = wanted.definition_id and state in ('completed', 'halted')
    order by id desc limit 1
) as last

-- -- ticking --------------------------------------------------------------------------------------------------------

-- Which definitions are due by $1, of all organisations? The most overdue first.
-- name: find_due_definitions
select organisation_id, definition_id from definition_due where due_at <= $1 order by due_at limit $2

-- Those of them that are still due, and that nobody else is at.
-- name: lock_due_definitions
select definition_id, due.due_at, schedule, zone, overlap, catch_up_s
from definition_due as due join definition on definition.organisation_id = $1 and definition.id = due.definition_id
where due.organisation_id = $1 and due.definition_id = any($2::uuid[]) and due.due_at <= $3
order by definition_id
for no key update of due, definition skip locked

-- Ticks, and the jobs of those that start one, which may have to wait for another ($6). What has ticked before starts
-- nothing.
-- name: record_ticks
with asked as (
    select * from unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::uuid[], $6::uuid[])
        as asked (definition_id, due_at, outcome, reference, after)
), ticked as (
    insert into tick (organisation_id, definition_id, due_at, outcome, reference)
    select $1, definition_id, due_at, outcome, reference from asked
    on conflict (organisation_id, definition_id, due_at) do nothing
    returning definition_id, reference
), counted as (
    update definition set runs = runs + 1
    from ticked where organisation_id = $1 and id = definition_id and reference is not null
)
insert into job (reference, organisation_id, consumer_key, type, params, entries, definition_id, trigger_id, due_at, after,
    run_at)
select reference, $1, consumer_key, type, params, entries, asked.definition_id, '00000000-0000-0000-0000-000000000000',
    asked.due_at, after, case when after is null then clock_timestamp() else 'infinity' end
from (select * from ticked where reference is not null) as ticked
join (select * from asked where reference is not null) as asked using (reference)
join definition on definition.organisation_id = $1 and definition.id = asked.definition_id
order by asked.due_at, asked.definition_id

-- When definitions that have ticked are due next; null: not any more.
-- name: plan_definitions
with planned as (
    select * from unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[]) as planned (definition_id, ticked_at, due_at)
), ended as (
    delete from definition_due using planned
    where organisation_id = $1 and definition_due.definition_id = planned.definition_id and planned.due_at is null
), moved as (
    update definition_due set due_at = planned.due_at from planned
    where organisation_id = $1 and definition_due.definition_id = planned.definition_id and planned.due_at is not null
)
update definition set last_due_at = planned.ticked_at from planned where organisation_id = $1 and id = planned.definition_id

-- Forget ticks of these definitions that were due before $3.
-- name: delete_past_ticks
delete from tick where organisation_id = $1 and definition_id = any($2::uuid[]) and due_at < $3

-- -- forgetting -----------------------------------------------------------------------------------------------------

-- Delete executions that ended so ($1) before $2 ago, the oldest first, with what they logged.
-- name: delete_old_executions
with old as materialized (
    select id from job where definition_id is not null and state = $1 and completed_at < clock_timestamp() - $2::interval
    order by completed_at limit $3 for update skip locked
), entries as (
    delete from job_log where job_id in (select id from old)
)
delete from job using old where job.id = old.id

-- The same in the archive.
-- name: delete_old_archived_executions
with old as materialized (
    select id, completed_at from job_archive
    where definition_id is not null and state = $1 and completed_at < clock_timestamp() - $2::interval
    order by completed_at limit $3 for update skip locked
), entries as (
    delete from job_log_archive using old
    where job_log_archive.job_id = old.id and job_log_archive.completed_at = old.completed_at
)
delete from job_archive using old where job_archive.id = old.id and job_archive.completed_at = old.completed_at
