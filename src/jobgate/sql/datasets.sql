-- Datasets: definitions, uploaded files, and the results that jobs compile from them.

-- How many files a dataset takes.
-- name: dataset_file_count
select file_count from dataset where organisation_id = $1 and dataset_id = $2

-- The same, and nobody sets the dataset anew before the caller's transaction ends.
-- name: hold_dataset
select file_count from dataset where organisation_id = $1 and dataset_id = $2 for key share

-- A file that arrived. Its row stays locked, so that equal files follow one another.
-- name: put_dataset_file
insert into dataset_file (organisation_id, dataset_id, number, upload, lines) values ($1, $2, $3, $4, $5)
on conflict (organisation_id, dataset_id, number) do update
set upload = excluded.upload, lines = excluded.lines, uploaded_at = clock_timestamp()

-- Forget lines of one file, or of all (null), of at least $5 of them that come after user $4: a statement must stay
-- short, so this one is repeated from where it ended.
-- name: delete_dataset_members
with bite as materialized (
    select user_id from dataset_member
    where organisation_id = $1 and dataset_id = $2 and ($3::integer is null or number = $3) and user_id > $4
    order by user_id limit $5
), gone as (
    delete from dataset_member
    where organisation_id = $1 and dataset_id = $2 and ($3::integer is null or number = $3)
        and user_id > $4 and user_id <= (select max(user_id) from bite)
)
select max(user_id) from bite

-- Where COPY can write: it refuses tables with row-level security.
-- name: stage_dataset_members
create temporary table uploaded_line (user_id text not null, group_path text[] not null) on commit drop

-- name: insert_dataset_members
insert into dataset_member (organisation_id, dataset_id, number, user_id, group_path)
select $1, $2, $3, user_id, group_path from uploaded_line

-- name: clear_dataset_stage
truncate uploaded_line

-- name: count_dataset_lines
select coalesce(sum(lines), 0) from dataset_file where organisation_id = $1 and dataset_id = $2

-- name: find_dataset
select organisation_id, dataset_id, type, file_count, filters, options, labels, build from dataset
where organisation_id = $1 and dataset_id = $2

-- Wait for those who hold the dataset, and keep them away until the caller's transaction ends.
-- name: lock_dataset
select from dataset where organisation_id = $1 and dataset_id = $2 for update

-- A dataset as it was just set; without files of its own it keeps those of the older one.
-- name: replace_dataset
insert into dataset (organisation_id, dataset_id, type, file_count, filters, options, labels)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (organisation_id, dataset_id) do update
set type = excluded.type, filters = excluded.filters, options = excluded.options, labels = excluded.labels,
    file_count = case when excluded.file_count = 0 then dataset.file_count else excluded.file_count end,
    set_at = clock_timestamp()

-- name: delete_dataset_files
delete from dataset_file where organisation_id = $1 and dataset_id = $2

-- The files that arrived.
-- name: list_dataset_files
select number, upload from dataset_file where organisation_id = $1 and dataset_id = $2 order by number

-- How many users, and how many groups are named by lines.
-- name: measure_dataset
select
    (select count(*) from (
        select distinct user_id from dataset_member where organisation_id = $1 and dataset_id = $2) as learner) as users,
    (select count(*) from (
        select distinct hash_array_extended(group_path, 0)
        from dataset_member where organisation_id = $1 and dataset_id = $2) as place) as paths

-- The first $2 activities that have sessions: one step of the index for each.
-- name: list_activities
with recursive activity (activity_id, nth) as (
    (select activity_id, 1 from session where organisation_id = $1 order by activity_id limit 1)
    union all
    select following.activity_id, nth + 1
    from activity
    cross join lateral (
        select activity_id from session
        where organisation_id = $1 and session.activity_id > activity.activity_id order by activity_id limit 1
    ) as following
    where nth < $2
)
select activity_id from activity

-- name: insert_dataset_build
insert into dataset_build (organisation_id, dataset_id, build) values ($1, $2, $3)

-- The groups of a dataset: every path that a line names, and all that lead there. Sorted, a path comes right before
-- those that begin with it.
-- name: insert_dataset_groups
with named as materialized (
    select distinct group_path from dataset_member where organisation_id = $1 and dataset_id = $2
), numbered as materialized (
    select path, cardinality(path) as depth, row_number() over (order by path)::integer - 1 as number
    from (
        select group_path[:depth] as path
        from named cross join generate_series(0, cardinality(group_path)) as depth
        group by 1
    ) as node
), reach as (
    select path[:above.depth] as path, max(number) as last
    from numbered cross join generate_series(0, numbered.depth) as above (depth)
    group by 1
), placed as (
    insert into dataset_path (organisation_id, build, hash, number, path)
    select $1, $3, hash_array_extended(path, 0), number, path from numbered
)
insert into dataset_group (organisation_id, build, number, last, parent, path)
select $1, $3, numbered.number, reach.last, coalesce(parent.number, -1), numbered.path
from numbered
join reach on reach.path = numbered.path
left join numbered as parent on numbered.depth > 0 and parent.path = numbered.path[:numbered.depth - 1]

-- Total up the next $5 users after $4 and put them into their groups. Of several attempts at an activity the latest
-- counts that was completed: another is not finished, not scored, or given up. All is lateral, so that everything is
-- reached user by user through an index, whatever the planner believes of tables that were just filled.
-- name: compile_dataset_users
with learner as materialized (
    select distinct user_id from dataset_member
    where organisation_id = $1 and dataset_id = $2 and user_id > $4
    order by user_id limit $5
), placed as (
    insert into dataset_user (organisation_id, build, number, before, user_id, score, max_score, attempted_max_score,
        unscored_max_score, seen_activities)
    select $1, $3, number, before, learner.user_id, score, max_score,
        case when seen_activities > 0 then attempted_max_score end,
        case when seen_activities > 0 then unscored_max_score end, seen_activities
    from learner
    cross join lateral (
        select count(*)::integer as seen_activities, sum(score) as score, sum(max_score) as max_score,
            array_agg(id) as ids
        from (
            select distinct on (activity_id) id, coalesce(score, 0) as score, coalesce(max_score, 0) as max_score
            from session
            where organisation_id = $1 and session.user_id = learner.user_id and activity_id = any($6::text[])
                and status = 'Completed'
                and dt_completed between coalesce($7, '-infinity'::timestamptz) and coalesce($8, 'infinity'::timestamptz)
            order by activity_id, dt_completed desc, id desc
        ) as attempt
    ) as latest
    cross join lateral (
        select coalesce(sum(maximum) filter (where attempted), 0) as attempted_max_score,
            coalesce(sum(maximum) filter (where attempted and mark is null), 0) as unscored_max_score
        from (
            select attempted, coalesce(max_manual_score, max_score) as maximum, coalesce(manual_score, score) as mark
            from response
            where organisation_id = $1 and session_no = any(latest.ids)
        ) as answered
    ) as part
    cross join lateral (
        select number, coalesce(lag(number) over (order by number), -1) as before
        from (
            -- Hashed before it is looked up: row-level security keeps functions out of an index condition.
            select distinct group_path, hash_array_extended(group_path, 0) as hash from dataset_member
            where organisation_id = $1 and dataset_id = $2 and dataset_member.user_id = learner.user_id
        ) as spot
        cross join lateral (
            select number from dataset_path
            where organisation_id = $1 and build = $3 and hash = spot.hash and path = spot.group_path
            limit 1
        ) as node
    ) as place
)
select max(user_id) as last, count(*)::integer as users from learner

-- The statistics of the groups after $3, up to $4: each over the users in it and below it, every user once.
-- name: compile_dataset_groups
update dataset_group as node set statistics = (
    select json_build_object(
        'group_count', (select count(*) from dataset_group as child
            where child.organisation_id = $1 and child.build = $2
                and child.number between node.number and node.last and child.parent = node.number),
        'population', count(*),
        'mean_seen_activities', avg(seen_activities)::float8,
        'mean_attempted_percent', avg(100 * attempted_max_score / nullif(max_score, 0)),
        'lowest_score', min(score),
        'highest_score', max(score),
        'mean_score', avg(score),
        'median_score', percentile_cont(0.5) within group (order by score),
        'p25_score', percentile_cont(0.25) within group (order by score),
        'p75_score', percentile_cont(0.75) within group (order by score),
        'p90_score', percentile_cont(0.9) within group (order by score),
        'stddev_score', stddev_pop(score),
        'lowest_percent', min(percent),
        'highest_percent', max(percent),
        'mean_percent', avg(percent),
        'median_percent', percentile_cont(0.5) within group (order by percent),
        'p25_percent', percentile_cont(0.25) within group (order by percent),
        'p75_percent', percentile_cont(0.75) within group (order by percent),
        'p90_percent', percentile_cont(0.9) within group (order by percent),
        'stddev_percent', stddev_pop(percent))
    from (
        select score, max_score, attempted_max_score, seen_activities, 100 * score / nullif(max_score, 0) as percent
        from dataset_user
        where organisation_id = $1 and build = $2 and number between node.number and node.last
            and before < node.number
    ) as standing)
where organisation_id = $1 and build = $2 and number > $3 and number <= $4

-- Show readers this build, unless they see a newer one.
-- name: publish_dataset_build
update dataset set build = $3, compiled_at = clock_timestamp()
where organisation_id = $1 and dataset_id = $2 and (build is null or build < $3)

-- A build that nobody will read any more: not the published one, and none that was started after $3.
-- name: find_stale_build
select stale.build
from dataset_build as stale join dataset using (organisation_id, dataset_id)
where stale.organisation_id = $1 and dataset_id = $2 and stale.build <= $3
    and stale.build is distinct from dataset.build
order by stale.build limit 1

-- name: delete_build_users
delete from dataset_user where ctid = any(array(
    select ctid from dataset_user where organisation_id = $1 and build = $2 limit $3))

-- name: delete_build_groups
delete from dataset_group where ctid = any(array(
    select ctid from dataset_group where organisation_id = $1 and build = $2 limit $3))

-- name: delete_build_paths
delete from dataset_path where ctid = any(array(
    select ctid from dataset_path where organisation_id = $1 and build = $2 limit $3))

-- name: delete_build
delete from dataset_build where organisation_id = $1 and dataset_id = $2 and build = $3

-- name: find_dataset_group
select number, last, dataset_group.path, statistics
from dataset_path join dataset_group using (organisation_id, build, number)
where organisation_id = $1 and build = $2 and hash = hash_array_extended($3::text[], 0) and dataset_path.path = $3::text[]

-- The groups directly below the one with number $3.
-- name: list_dataset_groups
select path, statistics from dataset_group
where organisation_id = $1 and build = $2 and number between $3 and $4 and parent = $3
order by number limit $5

-- The users in a group and below it, by a column ($5) or by name, upwards (1) or downwards (-1); who lacks it comes last.
-- name: list_dataset_users
select user_id, score, max_score, attempted_max_score, unscored_max_score, seen_activities from dataset_user
where organisation_id = $1 and build = $2 and number between $3 and $4 and before < $3
order by
    $6::integer * case $5::text
        when 'score' then score
        when 'max_score' then max_score
        when 'attempted_max_score' then attempted_max_score
        when 'unscored_max_score' then unscored_max_score
        when 'seen_activities' then seen_activities
    end nulls last,
    case when $5 = 'user_id' and $6 < 0 then user_id end desc,
    user_id
limit $7 offset $8
