-- Runs before the code that needs it. Jobs that are saved under a name, their ticks, and the jobs that these caused.

create table definition (
    organisation_id integer not null,
    id uuid not null,
    number bigint not null generated always as identity,        -- the order in which they were saved
    consumer_key text not null,                                 -- who saved it: its ticks cause jobs of that consumer
    name text not null,
    type text not null,
    params json not null,
    entries integer not null,                                   -- how much work one run is
    schedule json,                                              -- null: it runs when it is executed
    zone text not null default 'UTC',
    overlap text not null default 'skip' check (overlap in ('skip', 'queue', 'allow')),
    catch_up_s integer not null,
    active boolean not null default true,
    store_id integer,
    service text,
    last_due_at timestamptz,                                    -- the nominal time of its last tick, whatever became of it
    runs integer not null default 0,                            -- executions that were ever queued
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, id)
) with (fillfactor = 70);
create index definition_by_number on definition (organisation_id, number);
create index definition_of_type on definition (organisation_id, type, number);

-- The next nominal time of every definition that has one. Sweepers look for due ones across organisations, so it says when
-- and for whom, not what.
create table definition_due (
    organisation_id integer not null,
    definition_id uuid not null,
    due_at timestamptz not null,
    primary key (organisation_id, definition_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index definition_due_next on definition_due (due_at);

-- One nominal time of a definition: it comes once, whoever looks, and whatever clocks do.
create table tick (
    organisation_id integer not null,
    definition_id uuid not null,
    due_at timestamptz not null,
    outcome text not null check (outcome in ('started', 'skipped', 'missed')),
    reference uuid,                                             -- the job that it started
    primary key (organisation_id, definition_id, due_at)
);

alter table job
    add column definition_id uuid,                              -- set: the job is an execution
    add column trigger_id uuid,                                 -- the call that asked for it; all zeros: nobody did
    add column due_at timestamptz;                              -- the nominal time of its tick
create index job_of_definition on job (definition_id, id) where definition_id is not null;
create index job_open_of_definition on job (definition_id, id)
    where definition_id is not null and state in ('queued', 'running');
create index job_of_trigger on job (trigger_id, id) where trigger_id <> '00000000-0000-0000-0000-000000000000';

-- How badly it went is asked of every execution that is shown.
create index job_log_trouble on job_log (job_id, severity) where severity > 0;

alter table definition enable row level security;
alter table definition force row level security;
create policy tenant on definition
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table tick enable row level security;
alter table tick force row level security;
create policy tenant on tick
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
