-- Runs before the code that needs it. Learners' sessions and their responses.

create table session (
    organisation_id integer not null,
    session_id text not null,
    id bigint not null generated always as identity,            -- breaks ties of updated_at; responses hang on it
    user_id text not null,
    activity_id text not null,
    status text not null check (status in ('Incomplete', 'Completed', 'Discarded', 'Pending Scoring')),
    num_questions integer not null default 0,
    num_attempted integer not null default 0,
    score double precision,
    max_score double precision,
    session_duration integer not null default 0,                -- seconds
    dt_saved timestamptz not null,
    dt_started timestamptz not null,
    dt_completed timestamptz,
    metadata json not null default '{}',
    items json not null default '[]',
    subscore_definitions json not null default '[]',
    subscores json not null default '[]',
    updated_at timestamptz not null,
    -- The job that last wrote the session as a whole, its status, its metadata, its subscores: an older job that comes
    -- late does not overwrite a newer one.
    set_by bigint not null default 0,
    status_by bigint not null default 0,
    metadata_by bigint not null default 0,
    subscores_by bigint not null default 0,
    primary key (organisation_id, session_id)
) with (fillfactor = 85);
create index session_by_update on session (organisation_id, updated_at, id);
create index session_by_activity on session (organisation_id, activity_id, user_id, dt_completed desc);
-- Pages of some activities and of some users walk these in order, so a page costs the same however long the list is.
create index session_by_activity_update on session (organisation_id, activity_id, updated_at, id);
create index session_by_user on session (organisation_id, user_id, updated_at, id);

create table response (
    organisation_id integer not null,
    session_no bigint not null,                                 -- session.id
    position integer not null,
    response_id text not null,
    question_type text not null default '',
    question_reference text not null default '',
    item_reference text not null default '',
    automarkable boolean not null default true,
    attempted boolean not null default false,
    score double precision,
    max_score double precision,
    manual_score double precision,
    max_manual_score double precision,
    dt_score_updated timestamptz,
    response json,
    question json,                                              -- the question as the learner met it
    primary key (organisation_id, session_no, position)
);

alter table session enable row level security;
alter table session force row level security;
create policy tenant on session
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table response enable row level security;
alter table response force row level security;
create policy tenant on response
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
