-- Runs before the code that needs it. Datasets: what was asked for, who belongs to which group, and what was compiled.

create table dataset (
    organisation_id integer not null,
    dataset_id uuid not null,
    type text not null,
    file_count integer not null check (file_count between 0 and 100),
    filters json not null default '{}',
    options json not null default '{}',
    labels json not null default '{}',                          -- group key to label
    set_at timestamptz not null default clock_timestamp(),
    build bigint,                                               -- the job whose results are read; null: none yet
    compiled_at timestamptz,
    primary key (organisation_id, dataset_id)
);

create table dataset_file (                                     -- uploads; a file that is sent again is another upload
    organisation_id integer not null,
    dataset_id uuid not null,
    number integer not null,
    upload uuid not null,
    lines integer not null,
    uploaded_at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, dataset_id, number)
);

create table dataset_member (                                   -- one uploaded line
    organisation_id integer not null,
    dataset_id uuid not null,
    number integer not null,                                    -- the file
    user_id text not null,
    group_path text[] not null                                  -- {}: the root
);
create index dataset_member_by_user on dataset_member (organisation_id, dataset_id, user_id);

-- The results of one compilation. `build` is the id of its job, so that a reader sees the older results to the end.
create table dataset_build (
    organisation_id integer not null,
    dataset_id uuid not null,
    build bigint not null,
    primary key (organisation_id, dataset_id, build)
);

-- Tables that are filled and read at once have one index each: before their first analysis the planner could not choose.

-- Groups are numbered so that a group comes right before all that are below it: `number` to `last` is a whole subtree.
create table dataset_group (
    organisation_id integer not null,
    build bigint not null,
    number integer not null,                                    -- 0: the root
    last integer not null,
    parent integer not null,                                    -- -1: none
    path text[] not null,
    statistics json not null default '{}',
    primary key (organisation_id, build, number)
);

create table dataset_path (                                     -- a group's number by its path
    organisation_id integer not null,
    build bigint not null,
    hash bigint not null,                                       -- a path can be too long for an index
    number integer not null,
    path text[] not null,
    primary key (organisation_id, build, hash, number)
);

-- A user's totals, once for each group that a line put the user into. `before` is the last such group with a smaller
-- number (-1: none): where it lies outside a subtree, the row is the user's first inside, and counts there.
create table dataset_user (
    organisation_id integer not null,
    build bigint not null,
    number integer not null,                                    -- dataset_group.number
    before integer not null,
    user_id text not null,
    score double precision,                                     -- null: no attempt
    max_score double precision,
    attempted_max_score double precision,
    unscored_max_score double precision,
    seen_activities integer not null,
    primary key (organisation_id, build, number, user_id)
);

alter table dataset enable row level security;
alter table dataset force row level security;
create policy tenant on dataset
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table dataset_file enable row level security;
alter table dataset_file force row level security;
create policy tenant on dataset_file
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table dataset_member enable row level security;
alter table dataset_member force row level security;
create policy tenant on dataset_member
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table dataset_build enable row level security;
alter table dataset_build force row level security;
create policy tenant on dataset_build
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table dataset_group enable row level security;
alter table dataset_group force row level security;
create policy tenant on dataset_group
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table dataset_path enable row level security;
alter table dataset_path force row level security;
create policy tenant on dataset_path
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table dataset_user enable row level security;
alter table dataset_user force row level security;
create policy tenant on dataset_user
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
