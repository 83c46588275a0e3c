-- Runs before the code that needs it. Jobs, what they logged, and the packets that asked for them.

create table job (
    id bigint generated always as identity primary key,         -- the order of acceptance; sessions remember it
    reference uuid not null unique,
    organisation_id integer not null,
    consumer_key text not null,
    type text not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'halted', 'completed')),
    params json not null,
    entries integer not null default 1,                         -- how much work it is, for sizing set transactions
    results json,
    error json,
    progress json,
    cursor json,                                                -- where a long task goes on
    created_at timestamptz not null default clock_timestamp(),
    run_at timestamptz not null default clock_timestamp(),
    started_at timestamptz,
    completed_at timestamptz,
    fence integer not null default 0,                           -- grows by one at every claim
    owner uuid,                                                 -- the worker that holds it
    lease_until timestamptz,
    cancel boolean not null default false,
    attempt integer not null default 0,                         -- claims
    failures integer not null default 0,                        -- attempts that raised
    losses integer not null default 0,                          -- attempts whose worker went silent
    releases integer not null default 0                         -- attempts given back by a stopping worker
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- `type` is in the index so that a lane passes over the other lane's backlog without visiting rows.
create index job_due on job (run_at, id, type) where state = 'queued';
create index job_running on job (id) where state = 'running';
create index job_of_consumer on job (consumer_key, state, created_at desc, reference desc);

create table job_log (
    id bigint generated always as identity primary key,
    job_id bigint not null,
    at timestamptz not null default clock_timestamp(),
    severity smallint not null check (severity between 0 and 2), -- 0 information, 1 warning, 2 error
    message text not null,
    counters json
);
create index job_log_of_job on job_log (job_id, id);

-- A guarded packet that was accepted, and its answer. `after_id` is the packet accepted before it: equal packets that
-- race see the same predecessor, so the unique key lets one through and shows the others its answer.
create table replay (
    id bigint generated always as identity,
    consumer_key text not null,
    digest bytea not null,
    after_id bigint not null,
    answer bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (consumer_key, id),
    unique (consumer_key, digest, after_id)
);
create index replay_age on replay using brin (created_at);
