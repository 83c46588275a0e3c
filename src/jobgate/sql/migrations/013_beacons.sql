-- Runs before the code that needs it. Jobs that remote boxes pick up over the API.

create table beacon (
    organisation_id integer not null,
    name text not null,
    number bigint not null generated always as identity,        -- the order in which they were registered
    state text not null default 'active' check (state in ('active', 'paused', 'draining')),
    tags text[] not null default '{}',                          -- what it can do
    created_at timestamptz not null default clock_timestamp(),
    last_seen_at timestamptz,
    primary key (organisation_id, name)
) with (fillfactor = 70);

create table beacon_job (
    organisation_id integer not null,
    id uuid not null default gen_random_uuid(),
    number bigint not null generated always as identity,        -- the order in which they were made
    consumer_key text not null,
    name text not null,
    owner text not null,
    beacon_name text not null,
    tags text[] not null default '{}',                          -- what a beacon must be able to do
    cur_task integer not null default 0,                        -- 0: none begun; n: the n-th is in work
    total_tasks integer not null,
    add_time timestamptz not null default clock_timestamp(),
    q_time timestamptz,                                         -- eligible from then on; null: never by itself
    pickup_time timestamptz,
    start_time timestamptz,
    end_time timestamptz,
    result json,
    result_digest bytea,
    error json,                                                 -- why it ended badly
    cancel boolean not null default false,
    duplicate_of uuid,                                          -- ends as that one does; no beacon gets it
    likeness bytea,                                             -- equal in jobs that do the same
    -- Who holds it. The token is the fence and a secret, of which only the digest is kept.
    fence integer not null default 0,
    token bytea,
    lease_until timestamptz,
    end_digest bytea,                                           -- of what the holder said when it gave the job out of hand
    losses integer not null default 0,
    failures integer not null default 0,
    log_length integer not null default 0,
    -- A scheduled job is never run itself: each of its ticks makes a job.
    schedule json,
    zone text,
    active boolean,
    next_run timestamptz,
    scheduled_id uuid,                                          -- the scheduled job whose tick made this one
    due_at timestamptz,                                         -- the nominal time of that tick
    primary key (organisation_id, id)
) with (fillfactor = 70);
create index beacon_job_by_number on beacon_job (organisation_id, number);
create index beacon_job_line on beacon_job (organisation_id, beacon_name, q_time, number)
    where pickup_time is null and end_time is null and duplicate_of is null and schedule is null;
create index beacon_job_held on beacon_job (organisation_id, beacon_name) where pickup_time is not null and end_time is null;
create index beacon_job_alike on beacon_job (organisation_id, likeness, number)
    where pickup_time is null and end_time is null and duplicate_of is null;
create index beacon_job_duplicates on beacon_job (organisation_id, duplicate_of, number) where duplicate_of is not null;
create index beacon_job_scheduled on beacon_job (organisation_id, number) where schedule is not null;
create index beacon_job_of_schedule on beacon_job (organisation_id, scheduled_id, number) where scheduled_id is not null;

-- What the times of a job say.
create function beacon_job_status(job beacon_job) returns text language sql as $$
    select case when job.schedule is not null then 'scheduled' when job.error is not null then 'halted'
        when job.end_time is not null then 'completed' when job.duplicate_of is not null then 'parked'
        when job.start_time is not null then 'running' when job.pickup_time is not null then 'picked_up'
        when job.q_time is null then 'created' when job.q_time > clock_timestamp() then 'waiting'
        else 'eligible' end
$$;

create table beacon_task (
    organisation_id integer not null,
    job_id uuid not null,
    position integer not null,                                  -- from 0
    task json not null,
    result json,
    primary key (organisation_id, job_id, position)
);

create table beacon_log_line (
    organisation_id integer not null,
    job_id uuid not null,
    number integer not null,                                    -- from 0
    at timestamptz not null default clock_timestamp(),
    line text not null,
    primary key (organisation_id, job_id, number)
);

create table beacon_tick (
    organisation_id integer not null,
    scheduled_id uuid not null,
    due_at timestamptz not null,
    outcome text not null check (outcome in ('started', 'skipped', 'missed')),
    job_id uuid,
    primary key (organisation_id, scheduled_id, due_at)
);

-- When somebody must look at a job again, for those who look across organisations: it says when and for whom, not what.
create table beacon_watch (
    organisation_id integer not null,
    job_id uuid not null,
    beacon_name text not null,
    tags text[] not null,
    reason text not null check (reason in ('job', 'lease', 'tick')),    -- it waits; its lease ends; its schedule is due
    due_at timestamptz not null,
    primary key (organisation_id, job_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index beacon_watch_due on beacon_watch (reason, due_at);
create index beacon_watch_line on beacon_watch (organisation_id, beacon_name, due_at) where reason = 'job';

-- The watch follows the job by itself: no statement can forget it.
create function watch_beacon_job() returns trigger language plpgsql as $$
declare
    reason text;
    due_at timestamptz;
begin
    if new.end_time is null and new.duplicate_of is null then
        if new.schedule is not null then
            reason := 'tick';
            due_at := case when new.active then new.next_run end;
        elsif new.pickup_time is not null then
            reason := 'lease';
            due_at := new.lease_until;
        else
            reason := 'job';
            due_at := new.q_time;
        end if;
    end if;
    if due_at is null then
        delete from beacon_watch where organisation_id = new.organisation_id and job_id = new.id;
    else
        insert into beacon_watch values (new.organisation_id, new.id, new.beacon_name, new.tags, reason, due_at)
        on conflict (organisation_id, job_id) do update set reason = excluded.reason, due_at = excluded.due_at;
    end if;
    return null;
end
$$;
create trigger watch after insert or update of q_time, pickup_time, end_time, lease_until, duplicate_of, active, next_run
    on beacon_job for each row execute function watch_beacon_job();

alter table beacon enable row level security;
alter table beacon force row level security;
create policy tenant on beacon
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table beacon_job enable row level security;
alter table beacon_job force row level security;
create policy tenant on beacon_job
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table beacon_task enable row level security;
alter table beacon_task force row level security;
create policy tenant on beacon_task
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table beacon_log_line enable row level security;
alter table beacon_log_line force row level security;
create policy tenant on beacon_log_line
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table beacon_tick enable row level security;
alter table beacon_tick force row level security;
create policy tenant on beacon_tick
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
