-- Datasets: definitions, uploaded files, and the results that jobs compile from them.

-- How many files a dataset takes, and of which type it is.
-- name: find_dataset_place
select file_count, type from dataset where organisation_id = $1 and dataset_id = $2

-- The same, and nobody sets the dataset anew before the caller's transaction ends.
-- name: hold_dataset
select file_count, type from dataset where organisation_id = $1 and dataset_id = $2 for key share

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
create temporary table uploaded_line (user_id text not null, group_path text[] not null, session_ids text[])
on commit drop

-- name: insert_dataset_members
insert into dataset_member (organisation_id, dataset_id, number, user_id, group_path, session_ids)
select $1, $2, $3, user_id, group_path, session_ids from uploaded_line

-- A user among the lines on the stage for whom more than $3 sessions are named, or who is in more than $4 such lines.
-- name: find_crowded_member
select user_id from (select distinct user_id from uploaded_line where session_ids is not null) as learner
cross join lateral (
    select count(distinct session_id) as sessions, count(distinct line) as lines
    from (
        select row_number() over () as line, session_ids from dataset_member
        where organisation_id = $1 and dataset_id = $2 and dataset_member.user_id = learner.user_id
            and session_ids is not null
        limit $4::integer + 1
    ) as naming
    left join lateral unnest(session_ids) as named (session_id) on true
) as known
where sessions > $3::integer or lines > $4 limit 1

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
    build = case when dataset.type = excluded.type then dataset.build end,
    file_count = case when excluded.file_count = 0 then dataset.file_count else excluded.file_count end,
    set_at = clock_timestamp()

-- name: delete_dataset_files
delete from dataset_file where organisation_id = $1 and dataset_id = $2

-- The files that arrived.
-- name: list_dataset_files
select number, upload from dataset_file where organisation_id = $1 and dataset_id = $2 order by number

-- How many users, and how many groups are named by lines; whether a line names sessions.
-- name: measure_dataset
select
    exists (select from dataset_member
        where organisation_id = $1 and dataset_id = $2 and session_ids is not null) as is_named,
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

-- Whether there is anything to count at these activities, or (null) at any.
-- name: has_attempts
select exists (select from session
        where organisation_id = $1 and activity_id = any($2::text[]) and status = 'Completed')
    or $2 is null and exists (select from session where organisation_id = $1 and status = 'Completed')

-- name: insert_dataset_build
insert into dataset_build (organisation_id, dataset_id, build) values ($1, $2, $3)

-- The groups of a dataset: the root, every path that a line names, and all that lead there. Sorted, a path comes
-- right before those that begin with it.
-- name: insert_dataset_groups
with named as materialized (
    select group_path from dataset_member where organisation_id = $1 and dataset_id = $2 union select '{}'
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

-- The next $4 users after $3 who are in a dataset.
-- name: list_dataset_members
select distinct user_id from dataset_member
where organisation_id = $1 and dataset_id = $2 and user_id > $3
order by user_id limit $4

-- The next $4 users after $3 who have a session at one of these activities: one walk for each activity.
-- name: list_participants
select distinct user_id from unnest($2::text[]) as wanted (activity_id)
cross join lateral (
    select distinct user_id from session
    where organisation_id = $1 and session.activity_id = wanted.activity_id and user_id > $3
    order by user_id limit $4
) as participant
order by user_id limit $4

-- The next $3 users after $2 who have a session.
-- name: list_learners
select distinct user_id from session where organisation_id = $1 and user_id > $2 order by user_id limit $3

-- How many have a session at one of these activities, or (null) at any.
-- name: count_learners
select count(*) from (
    select user_id from session where organisation_id = $1 and ($2::text[] is null or activity_id = any($2))
    group by user_id
) as learner

-- Total up these users ($4) and put them into their groups, or (not $9) those with an attempt into the root. Which of
-- their sessions count is said by one of three branches: the latest completed attempt at each of the activities $5; the
-- same at any activity ($5 null); those that the files name ($8). All is lateral, so that everything is reached user by
-- user through an index, whatever the planner believes of tables that were just filled.
-- name: compile_dataset_users
with standing as materialized (
    select learner.user_id, latest.*, part.*
    from unnest($4::text[]) as learner (user_id)
    cross join lateral (
        select count(distinct activity_id)::integer as seen_activities, sum(score) as score, sum(max_score) as max_score,
            array_agg(id) as sessions, array_agg(activity_id) as activities
        from (
            (select distinct on (activity_id) id, activity_id, coalesce(score, 0) as score,
                coalesce(max_score, 0) as max_score
            from session
            where not $8 and $5::text[] is not null
                and organisation_id = $1 and session.user_id = learner.user_id and activity_id = any($5)
                and status = 'Completed'
                and dt_completed between coalesce($6, '-infinity'::timestamptz)
                    and coalesce($7, 'infinity'::timestamptz)
            order by activity_id, dt_completed desc, id desc)
            union all
            (select distinct on (activity_id) id, activity_id, coalesce(score, 0), coalesce(max_score, 0)
            from session
            where not $8 and $5 is null
                and organisation_id = $1 and session.user_id = learner.user_id
                and status = 'Completed'
                and dt_completed between coalesce($6, '-infinity'::timestamptz)
                    and coalesce($7, 'infinity'::timestamptz)
            order by activity_id, dt_completed desc, id desc)
            union all
            (select attempt.* from (
                select distinct unnest(session_ids) as session_id from dataset_member
                where $8 and organisation_id = $1 and dataset_id = $2 and dataset_member.user_id = learner.user_id
            ) as named
            cross join lateral (
                select id, activity_id, coalesce(score, 0), coalesce(max_score, 0) from session
                where organisation_id = $1 and session.session_id = named.session_id
                    and session.user_id = learner.user_id and status = 'Completed'
                    and ($5 is null or activity_id = any($5))
                    and dt_completed between coalesce($6, '-infinity'::timestamptz)
                        and coalesce($7, 'infinity'::timestamptz)
                limit 1
            ) as attempt)
        ) as attempt
    ) as latest
    cross join lateral (
        select coalesce(sum(maximum) filter (where attempted), 0) as attempted_max_score,
            coalesce(sum(maximum) filter (where attempted and mark is null), 0) as unscored_max_score
        from (
            select attempted, coalesce(max_manual_score, max_score) as maximum, coalesce(manual_score, score) as mark
            from response
            where organisation_id = $1 and session_no = any(latest.sessions)
        ) as answered
    ) as part
    where $9 or seen_activities > 0
), placed as (
    insert into dataset_user (organisation_id, build, number, before, user_id, score, max_score, attempted_max_score,
        unscored_max_score, seen_activities, sessions, activities)
    select $1, $3, number, before, user_id, score, max_score,
        case when seen_activities > 0 then attempted_max_score end,
        case when seen_activities > 0 then unscored_max_score end, seen_activities,
        case when $10 then sessions end, case when $10 then activities end
    from standing
    cross join lateral (
        select number, coalesce(lag(number) over (order by number), -1) as before
        from (
            -- Hashed before it is looked up: row-level security keeps functions out of an index condition.
            select distinct group_path, hash_array_extended(group_path, 0) as hash from dataset_member
            where $9 and organisation_id = $1 and dataset_id = $2 and dataset_member.user_id = standing.user_id
        ) as spot
        cross join lateral (
            select number from dataset_path
            where organisation_id = $1 and build = $3 and hash = spot.hash and path = spot.group_path
            limit 1
        ) as node
        union all
        select 0, -1 where not $9
    ) as place
    returning number
)
select (select count(*) from standing)::integer as users, (select count(*) from placed)::integer as places,
    (select coalesce(sum(cardinality(sessions)), 0) from standing)::integer as sessions

-- How many sessions the files name for these users.
-- name: count_named_sessions
select count(*) from (
    select distinct user_id, session_id from dataset_member cross join lateral unnest(session_ids) as named (session_id)
    where organisation_id = $1 and dataset_id = $2 and user_id = any($3::text[])
) as named

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

-- Add the next rows of users (after group $3 and user $4: $5 of them, less if they have more than $7 sessions) to the
-- statistics of questions, in their groups and in all above: a row counts in a group when it lies in it and the user's
-- row before does not. Within one activity a question is known by its reference, else by its response id; across
-- activities ($6) it needs a reference.
-- name: compile_dataset_questions
with recursive place as materialized (
    select number, before, user_id, sessions, activities
    from (
        select *, row_number() over walk as nth, sum(cardinality(sessions)) over walk as reached
        from (
            select * from dataset_user
            where organisation_id = $1 and build = $2 and (number, user_id) > ($3, $4)
            order by number, user_id limit $5
        ) as following
        window walk as (order by number, user_id)
    ) as weighed
    where nth = 1 or reached <= $7
), above (number, before, node) as (
    select distinct number, before, number from place
    union all
    select above.number, before, parent from above
    join dataset_group on organisation_id = $1 and build = $2 and dataset_group.number = node
    where parent > before
), answer as materialized (
    select number, before, attempt.id, case when $6 then '' else attempt.activity_id end as activity_id, response.*,
        mark / maximum as share, total / most as total_share, (total - mark) / nullif(most - maximum, 0) as rest_share
    from place
    cross join lateral unnest(sessions, activities) as attempt (id, activity_id)
    cross join lateral (
        select question_reference, item_reference, question_type, attempted, maximum as offered, is_open,
            case when maximum > 0 then mark end as mark,
            case when maximum > 0 and mark is not null then maximum end as maximum,
            sum(mark) filter (where maximum > 0) over session as total,
            sum(maximum) filter (where maximum > 0 and mark is not null) over session as most,
            not bool_or(is_open) over session as is_whole,
            case when attempted and question_type = any('{mcq,choicematrix,hotspot,tokenhighlight,clozedropdown,
                clozeassociation,imageclozeassociation,association,orderlist,sortlist,classification}')
                then response -> 'value' end as chosen
        from (
            select *, attempted and mark is null and coalesce(maximum, 1) > 0 as is_open
            from (
                select coalesce(nullif(question_reference, ''), case when not $6 then response_id end, '')
                        as question_reference,
                    item_reference, coalesce(nullif(question_type, ''), question ->> 'type', '') as question_type,
                    attempted, response, coalesce(max_manual_score, max_score) as maximum,
                    coalesce(manual_score, score, case when not attempted then 0 end) as mark
                from response
                where organisation_id = $1 and session_no = attempt.id
            ) as stored
        ) as judged
        window session as ()
    ) as response
), tally as (
    select number, before, activity_id, question_reference,
        max(item_reference) as item_reference, max(question_type) as question_type, max(offered) as max_score,
        count(*) as responses,
        count(*) filter (where attempted) as attempts,
        count(*) filter (where is_open) as unmarked,
        count(share) as rated,
        coalesce(sum(mark), 0) as mark,
        coalesce(sum(mark * mark), 0) as mark_square,
        coalesce(sum(share), 0) as share,
        coalesce(sum(share * share), 0) as share_square,
        coalesce(sum(total_share) filter (where share is not null), 0) as total,
        coalesce(sum(total_share * total_share) filter (where share is not null), 0) as total_square,
        coalesce(sum(share * total_share), 0) as share_total,
        count(share * rest_share) as rest_rated,
        coalesce(sum(share) filter (where rest_share is not null), 0) as rest_share,
        coalesce(sum(share * share) filter (where rest_share is not null), 0) as rest_share_square,
        coalesce(sum(rest_share) filter (where share is not null), 0) as rest,
        coalesce(sum(rest_share * rest_share) filter (where share is not null), 0) as rest_square,
        coalesce(sum(share * rest_share), 0) as share_rest,
        count(share) filter (where is_whole) as whole_rated,
        coalesce(sum(mark) filter (where is_whole), 0) as whole_mark,
        coalesce(sum(mark * mark) filter (where is_whole), 0) as whole_mark_square
    from answer where question_reference <> '' group by number, before, activity_id, question_reference
), questions as (
    insert into dataset_question as known (organisation_id, build, number, activity_id, question_reference,
        item_reference, question_type, max_score, responses, attempts, unmarked, rated, mark, mark_square, share,
        share_square, total, total_square, share_total, rest_rated, rest_share, rest_share_square, rest, rest_square,
        share_rest, whole_rated, whole_mark, whole_mark_square)
    select $1, $2, node, activity_id, question_reference, max(item_reference), max(question_type), max(max_score),
        sum(responses), sum(attempts), sum(unmarked), sum(rated), sum(mark), sum(mark_square), sum(share),
        sum(share_square), sum(total), sum(total_square), sum(share_total), sum(rest_rated), sum(rest_share),
        sum(rest_share_square), sum(rest), sum(rest_square), sum(share_rest), sum(whole_rated), sum(whole_mark),
        sum(whole_mark_square)
    from tally join above using (number, before) group by node, activity_id, question_reference
    on conflict (organisation_id, build, number, activity_id, question_reference) do update set
        max_score = greatest(known.max_score, excluded.max_score),
        responses = known.responses + excluded.responses,
        attempts = known.attempts + excluded.attempts,
        unmarked = known.unmarked + excluded.unmarked,
        rated = known.rated + excluded.rated,
        mark = known.mark + excluded.mark,
        mark_square = known.mark_square + excluded.mark_square,
        share = known.share + excluded.share,
        share_square = known.share_square + excluded.share_square,
        total = known.total + excluded.total,
        total_square = known.total_square + excluded.total_square,
        share_total = known.share_total + excluded.share_total,
        rest_rated = known.rest_rated + excluded.rest_rated,
        rest_share = known.rest_share + excluded.rest_share,
        rest_share_square = known.rest_share_square + excluded.rest_share_square,
        rest = known.rest + excluded.rest,
        rest_square = known.rest_square + excluded.rest_square,
        share_rest = known.share_rest + excluded.share_rest,
        whole_rated = known.whole_rated + excluded.whole_rated,
        whole_mark = known.whole_mark + excluded.whole_mark,
        whole_mark_square = known.whole_mark_square + excluded.whole_mark_square
), choices as (
    insert into dataset_option as known (organisation_id, build, number, activity_id, question_reference, area, value,
        chosen)
    select $1, $2, node, activity_id, question_reference, area, value, sum(chosen)
    from (
        select number, before, activity_id, question_reference, area, value, count(*) as chosen
        from answer
        cross join lateral (
            select distinct left(choice #>> '{}', 100) as value,
                case when question_type = any('{mcq,hotspot,tokenhighlight}') then -1 else place - 1 end as area
            from json_array_elements(case json_typeof(chosen) when 'array' then chosen end)
                with ordinality as entry (choices, place)
            cross join lateral json_array_elements(case json_typeof(choices)
                when 'array' then choices else json_build_array(choices) end) as choice
            where place <= 100 and json_typeof(choice) in ('string', 'number', 'boolean') and choice #>> '{}' <> ''
            limit 200
        ) as picked
        where question_reference <> ''
        group by number, before, activity_id, question_reference, area, value
    ) as tally join above using (number, before)
    group by node, activity_id, question_reference, area, value
    on conflict (organisation_id, build, number, activity_id, question_reference, area, value) do update
    set chosen = known.chosen + excluded.chosen
), attempts as (
    insert into dataset_activity as known (organisation_id, build, number, activity_id, sessions, whole_sessions,
        whole_mark, whole_mark_square)
    select $1, $2, node, activity_id, count(*), count(*) filter (where is_whole),
        coalesce(sum(total) filter (where is_whole), 0), coalesce(sum(total * total) filter (where is_whole), 0)
    from (
        select number, before, activity_id, id, bool_and(is_whole) as is_whole, coalesce(max(total), 0) as total
        from answer where not $6 group by number, before, activity_id, id
    ) as session join above using (number, before)
    group by node, activity_id
    on conflict (organisation_id, build, number, activity_id) do update set
        sessions = known.sessions + excluded.sessions,
        whole_sessions = known.whole_sessions + excluded.whole_sessions,
        whole_mark = known.whole_mark + excluded.whole_mark,
        whole_mark_square = known.whole_mark_square + excluded.whole_mark_square
)
select number, user_id, count(*) over ()::integer as places from place order by number desc, user_id desc limit 1

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

-- name: delete_build_questions
delete from dataset_question where ctid = any(array(
    select ctid from dataset_question where organisation_id = $1 and build = $2 limit $3))

-- name: delete_build_options
delete from dataset_option where ctid = any(array(
    select ctid from dataset_option where organisation_id = $1 and build = $2 limit $3))

-- name: delete_build_activities
delete from dataset_activity where ctid = any(array(
    select ctid from dataset_activity where organisation_id = $1 and build = $2 limit $3))

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

-- The questions of a group and their statistics, by a column ($4), upwards (1) or downwards (-1); what lacks it
-- comes last. Spread that is lost in the rounding of its sums is none: nothing can correlate with it.
-- name: list_dataset_questions
select activity_id, question_reference, item_reference, question_type, responses, attempts, unmarked, max_score,
    mean_score, stddev_score, p_value, point_biserial, corrected_point_biserial
from (
    select activity_id, question_reference, item_reference, question_type, responses, attempts, unmarked, max_score,
        mark / nullif(rated, 0) as mean_score,
        sqrt(greatest(mark_square / nullif(rated, 0) - (mark / nullif(rated, 0)) ^ 2, 0)) as stddev_score,
        share / nullif(rated, 0) as p_value,
        case when rated * share_square - share * share > 1e-10 * rated * share_square
            and rated * total_square - total * total > 1e-10 * rated * total_square
            then (rated * share_total - share * total)
                / sqrt(rated * share_square - share * share) / sqrt(rated * total_square - total * total)
        end as point_biserial,
        case when rest_rated * rest_share_square - rest_share * rest_share > 1e-10 * rest_rated * rest_share_square
            and rest_rated * rest_square - rest * rest > 1e-10 * rest_rated * rest_square
            then (rest_rated * share_rest - rest_share * rest)
                / sqrt(rest_rated * rest_share_square - rest_share * rest_share)
                / sqrt(rest_rated * rest_square - rest * rest)
        end as corrected_point_biserial
    from dataset_question
    where organisation_id = $1 and build = $2 and number = $3
) as question
order by
    $5::integer * case $4::text
        when 'responses' then responses
        when 'attempts' then attempts
        when 'unmarked' then unmarked
        when 'max_score' then max_score
        when 'mean_score' then mean_score
        when 'stddev_score' then stddev_score
        when 'p_value' then p_value
        when 'point_biserial' then point_biserial
        when 'corrected_point_biserial' then corrected_point_biserial
    end nulls last,
    case when $4 = 'question_reference' and $5 < 0 then question_reference end desc,
    question_reference, activity_id
limit $6 offset $7

-- The $6 alternatives that were chosen most often, for each of these questions.
-- name: list_dataset_options
select place, area, value, chosen
from unnest($4::text[], $5::text[]) with ordinality as wanted (activity_id, question_reference, place)
cross join lateral (
    select area, value, chosen from dataset_option
    where organisation_id = $1 and build = $2 and number = $3 and dataset_option.activity_id = wanted.activity_id
        and dataset_option.question_reference = wanted.question_reference
    order by chosen desc, area, value limit $6
) as picked
order by place, area, chosen desc, value

-- The activities of a group. Alpha needs every whole session to have been asked every question once.
-- name: list_dataset_activities
select activity_id, sessions, whole_sessions, questions,
    whole_mark / nullif(whole_sessions, 0) as mean_score,
    sqrt(greatest(variance, 0)) as stddev_score,
    case when is_even and questions > 1 and variance > 1e-10 * whole_mark_square / whole_sessions
        then questions / (questions - 1.0::float8) * (1 - parts / variance)
    end as cronbach_alpha
from (
    select activity_id, sessions, whole_sessions, whole_mark, whole_mark_square,
        whole_mark_square / nullif(whole_sessions, 0) - (whole_mark / nullif(whole_sessions, 0)) ^ 2 as variance
    from dataset_activity
    where organisation_id = $1 and build = $2 and number = $3
) as activity
cross join lateral (
    select count(*) as questions, bool_and(whole_rated = whole_sessions) as is_even,
        sum(greatest(whole_mark_square / whole_rated - (whole_mark / whole_rated) ^ 2, 0)) as parts
    from dataset_question
    where organisation_id = $1 and build = $2 and number = $3 and dataset_question.activity_id = activity.activity_id
        and whole_rated > 0
) as question
order by activity_id limit $4
