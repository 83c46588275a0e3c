-- Runs before the code that needs it. Datasets over named sessions, and statistics of questions.

alter table dataset_member
    add column session_ids text[];                              -- null: the line names none
alter table dataset_user
    add column sessions bigint[],                               -- session.id of the attempts that count; analyses only
    add column activities text[];                               -- of each of them

-- What adds up to the statistics of a question in a group, over the attempts of the users in it and below it.
-- `activity_id` is '' where a question is looked at across activities. A response is rated when it has a mark and a
-- maximum above 0; a share is mark by maximum; a total, and the rest without this question, are shares of what the
-- session's rated responses come to. The rest is summed where there is one.
create table dataset_question (
    organisation_id integer not null,
    build bigint not null,
    number integer not null,                                    -- dataset_group.number
    activity_id text not null,
    question_reference text not null,
    item_reference text not null,
    question_type text not null,
    responses bigint not null,
    attempts bigint not null,
    unmarked bigint not null,                                   -- attempted, but not marked yet
    rated bigint not null,
    mark double precision not null,                             -- from here on: sums over rated responses
    mark_square double precision not null,
    share double precision not null,
    share_square double precision not null,
    total double precision not null,
    total_square double precision not null,
    share_total double precision not null,
    rest_rated bigint not null,
    rest_share double precision not null,
    rest_share_square double precision not null,
    rest double precision not null,
    rest_square double precision not null,
    share_rest double precision not null,
    whole_rated bigint not null,                                -- within sessions that have nothing unmarked
    whole_mark double precision not null,
    whole_mark_square double precision not null,
    max_score double precision,                                 -- the largest maximum
    primary key (organisation_id, build, number, activity_id, question_reference)
);

-- How often an alternative was chosen.
create table dataset_option (
    organisation_id integer not null,
    build bigint not null,
    number integer not null,
    activity_id text not null,
    question_reference text not null,
    area integer not null,                                      -- gap, stem or cell, from 0; -1: one list for all
    value text not null,
    chosen bigint not null,
    primary key (organisation_id, build, number, activity_id, question_reference, area, value)
);

-- What adds up to the statistics of an activity in a group. A session is whole when nothing in it waits for a mark.
create table dataset_activity (
    organisation_id integer not null,
    build bigint not null,
    number integer not null,
    activity_id text not null,
    sessions bigint not null,
    whole_sessions bigint not null,
    whole_mark double precision not null,
    whole_mark_square double precision not null,
    primary key (organisation_id, build, number, activity_id)
);

alter table dataset_question enable row level security;
alter table dataset_question force row level security;
create policy tenant on dataset_question
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table dataset_option enable row level security;
alter table dataset_option force row level security;
create policy tenant on dataset_option
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
alter table dataset_activity enable row level security;
alter table dataset_activity force row level security;
create policy tenant on dataset_activity
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
