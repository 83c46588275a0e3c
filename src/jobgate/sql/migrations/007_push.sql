-- Runs before the code that needs it. Deliveries of events to the listeners that consumers name.

create table push_target (
    organisation_id integer not null,
    id uuid not null default gen_random_uuid(),
    url text not null,
    kinds text[] not null,
    is_paused boolean not null default false,
    disabled_reason text,                                       -- set: nothing is sent, and nothing more is queued
    secret bytea not null,                                      -- wrapped by the outer key
    previous_secret bytea,                                      -- signs besides until then
    previous_until timestamptz,
    created_at timestamptz not null default clock_timestamp(),
    -- How it answered.
    failures integer not null default 0,                        -- in a row
    failing_since timestamptz,
    closed_until timestamptz not null default '-infinity',      -- nothing is sent before
    last_success_at timestamptz,
    last_failure_at timestamptz,
    last_failure text,
    primary key (organisation_id, id)
) with (fillfactor = 70);

-- What was announced to a target, and how it ended. The id is the webhook-id: it never changes between tries.
create table push_delivery (
    organisation_id integer not null,
    id uuid not null default gen_random_uuid(),
    number bigint not null generated always as identity,        -- the order in which they were announced
    target_id uuid not null,
    kind text not null,
    session_id text,
    body json not null,
    state text not null default 'queued' check (state in ('queued', 'delivered', 'failed')),
    tries integer not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    primary key (organisation_id, id)
) with (fillfactor = 85);
create index push_delivery_by_number on push_delivery (organisation_id, number);
create index push_delivery_by_target on push_delivery (organisation_id, target_id, number);
create index push_delivery_by_session on push_delivery (organisation_id, session_id, number) where session_id is not null;
create index push_delivery_by_state on push_delivery (organisation_id, state, number);

create table push_try (
    organisation_id integer not null,
    delivery_id uuid not null,
    number integer not null,
    ended_at timestamptz not null default clock_timestamp(),
    ms integer not null,
    status integer,                                             -- of HTTP; null: there was no answer
    error text,                                                 -- why there was none, or none that counts
    answer text,                                                -- its first 1 KiB
    primary key (organisation_id, delivery_id, number)
);

-- Deliveries that have not ended. Senders look for due ones across organisations, so it says when and for whom, not what.
create table outbox (
    organisation_id integer not null,
    target_id uuid not null,
    delivery_id uuid not null,
    due_at timestamptz not null default clock_timestamp(),
    rung integer not null default 0,                            -- tries since it was queued
    claims integer not null default 0,                          -- grows with every claim: the fence of a try
    lease_until timestamptz not null default '-infinity',       -- a sender is at it
    primary key (organisation_id, delivery_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
create index outbox_line on outbox (organisation_id, target_id, due_at);
create index outbox_under_way on outbox (organisation_id, target_id) where lease_until > '-infinity';

alter table push_target enable row level security;
alter table push_target force row level security;
create policy tenant on push_target
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table push_delivery enable row level security;
alter table push_delivery force row level security;
create policy tenant on push_delivery
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table push_try enable row level security;
alter table push_try force row level security;
create policy tenant on push_try
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
