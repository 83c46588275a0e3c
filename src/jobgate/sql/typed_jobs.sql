-- Runs of saved jobs, as the typed views of definitions tell them.

-- The last run of each definition that has ended, and what it said last. One that never began was none.
-- name: find_last_runs
select wanted.definition_id, run.state, run.started_at, run.completed_at, run.error, said.message, said.counters,
    said.severity
from unnest($2::uuid[]) as wanted (definition_id)
cross join lateral (
    select id, state, started_at, completed_at, error from every_job as job
    where job.definition_id = wanted.definition_id and organisation_id = $1 and state in ('completed', 'halted')
        and started_at is not null
    order by id desc limit 1
) as run
left join lateral (
    select message, counters, severity from every_job_log where job_id = run.id order by id desc limit 1
) as said on true

-- What the runs of a definition ($3) of a type ($2) said, newest first: at most $7 entries, those before $4, $5, $6. A run
-- has an entry of its start (0), what it said (1), and one of its end (2). Every run but that of $4 gives one at least.
-- name: find_run_log
select run.id as run, run.state, run.error, entry.*
from (
    select id, state, started_at, completed_at, error from every_job
    where definition_id = $3 and organisation_id = $1 and type = $2 and id <= $4 and started_at is not null
    order by id desc limit $7::integer + 1
) as run
cross join lateral (
    (
        select 2 as place, 0::bigint as number, run.completed_at as at, message, counters, severity
        from (select) as ended left join lateral (
            select message, counters, severity from every_job_log where job_id = run.id order by id desc limit 1
        ) as said on true
        where run.state in ('completed', 'halted')
    )
    union all (
        select 1, id, at, message, counters, severity from every_job_log
        where job_id = run.id and (run.id, 1, id) < ($4, $5::integer, $6::bigint)
        order by id desc limit $7
    )
    union all
    select 0, 0, run.started_at, null, null, null
) as entry
where (run.id, entry.place, entry.number) < ($4::bigint, $5::integer, $6::bigint)
order by run.id desc, entry.place desc, entry.number desc limit $7
