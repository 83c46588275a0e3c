-- Runs before the code that needs it. Finished jobs after a while, with what they logged, by the month of completion.

-- Found through the queue's oldest finished jobs.
create index job_finished on job (completed_at) where state in ('completed', 'halted');
-- The sweeper looks for them every second, among however many that wait for nothing.
create index job_waiting on job (id) where after is not null and state = 'queued';

-- Packets are forgotten in the order in which they came: every look for the next ones passes over all dead ones.
alter table replay set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 5000);

-- As `job` and `job_log`, column by column: jobs move as they are, and back when they are queued again. A migration that
-- adds a column adds it to both, and makes the views below anew. There is no default partition, so that a new month can be
-- attached without stopping readers: jobs move only after their month was made.
create table job_archive (like job, primary key (id, completed_at)) partition by range (completed_at);
create index job_archive_by_reference on job_archive (reference);
create index job_archive_of_consumer on job_archive (consumer_key, state, created_at desc, reference desc);
create index job_archive_of_organisation on job_archive (organisation_id, completed_at);
create index job_archive_of_definition on job_archive (definition_id, id) where definition_id is not null;
create index job_archive_of_trigger on job_archive (trigger_id, id)
    where trigger_id <> '00000000-0000-0000-0000-000000000000';

create table job_log_archive (like job_log, completed_at timestamptz not null) partition by range (completed_at);
create index job_log_archive_of_job on job_log_archive (job_id, id);
create index job_log_archive_trouble on job_log_archive (job_id, severity) where severity > 0;

create view every_job as select * from job union all select * from job_archive;
create view every_job_log as
    select id, job_id, at, severity, message, counters from job_log
    union all select id, job_id, at, severity, message, counters from job_log_archive;

-- Tables are made and dropped by whoever owns them, also where the program has another role.
create function add_archive_month(month timestamptz) returns void
language plpgsql security definer set search_path from current set timezone = 'UTC' set lock_timeout = '100ms' as $$
declare
    parent text;
    partition text;
begin
    foreach parent in array array['job_archive', 'job_log_archive'] loop
        partition := parent || to_char(month, '_YYYY_MM');
        execute format('create table %I (like %I including indexes)', partition, parent);
        execute format('alter table %I attach partition %I for values from (%L) to (%L)',
            parent, partition, month, month + interval '1 month');
    end loop;
end $$;

create function drop_archive_month(month timestamptz) returns void
language plpgsql security definer set search_path from current set timezone = 'UTC' set lock_timeout = '100ms' as $$
begin
    execute format('drop table job_archive_%1$s, job_log_archive_%1$s', to_char(month, 'YYYY_MM'));
end $$;
