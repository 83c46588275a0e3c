-- Sessions as a whole: storing them, finding them page by page, reading them. Jobs that change a column: session_updates.

-- Who has these sessions, and which job set them; locked in the order that every writer keeps.
-- name: lock_session_holders
select session_id, user_id, set_by from session
where organisation_id = $1 and session_id = any($2::text[])
order by id for update

-- Create sessions or replace them. Status and metadata that a newer job wrote stay; subscores speak of what is gone.
-- What another user holds, or a newer job set, is left alone and missing from the answer. A session without definitions of
-- subscores takes those of its activity in the item bank.
-- name: store_sessions
insert into session (organisation_id, session_id, user_id, activity_id, status, num_questions, num_attempted, score,
    max_score, session_duration, dt_saved, dt_started, dt_completed, metadata, items, subscore_definitions,
    custom_state, is_adaptive, activity_version, set_by, updated_at)
select $1, entry.session_id, entry.user_id, entry.activity_id, coalesce(entry.status, 'Completed'),
    entry.num_questions, entry.num_attempted, entry.score, entry.max_score, coalesce(entry.session_duration, 0),
    coalesce(entry.dt_saved, clock.second), coalesce(entry.dt_started, clock.second),
    coalesce(entry.dt_completed, case when coalesce(entry.status, 'Completed') = 'Completed' then clock.second end),
    coalesce(entry.metadata, '{}'), coalesce(entry.items, '[]'),
    coalesce(entry.subscores, activity.body -> 'data' -> 'subscores', '[]'),
    entry.custom_state, draft.is_adaptive, activity.version, draft.set_by, clock_timestamp()
from (select date_trunc('second', clock_timestamp()) as second) as clock,
    unnest($2::json[], $3::boolean[], $4::bigint[]) as draft (session, is_adaptive, set_by)
    cross join json_to_record(draft.session) as entry (session_id text, user_id text, activity_id text, status text,
        num_questions integer, num_attempted integer, score float8, max_score float8, session_duration integer,
        dt_saved timestamptz, dt_started timestamptz, dt_completed timestamptz, metadata json, items json,
        subscores json, custom_state json)
    left join lateral (
        select version, body from bank_entry
        where organisation_id = $1 and kind = 'activity' and reference = entry.activity_id
        order by version desc limit 1
    ) as activity on true
order by entry.session_id
on conflict (organisation_id, session_id) do update set
    activity_id = excluded.activity_id,
    status = case when session.status_by > excluded.set_by then session.status else excluded.status end,
    dt_completed = case when session.status_by > excluded.set_by then session.dt_completed else excluded.dt_completed end,
    metadata = case when session.metadata_by > excluded.set_by then session.metadata else excluded.metadata end,
    num_questions = excluded.num_questions, num_attempted = excluded.num_attempted, score = excluded.score,
    max_score = excluded.max_score, session_duration = excluded.session_duration, dt_saved = excluded.dt_saved,
    dt_started = excluded.dt_started, items = excluded.items, subscore_definitions = excluded.subscore_definitions,
    custom_state = excluded.custom_state, is_adaptive = excluded.is_adaptive,
    activity_version = excluded.activity_version, subscores = '[]', set_by = excluded.set_by,
    updated_at = clock_timestamp()
where session.user_id = excluded.user_id and session.set_by <= excluded.set_by
returning session_id, id

-- Forget the responses of sessions that were replaced.
-- name: delete_responses
delete from response where organisation_id = $1 and session_no = any($2::bigint[])

-- Store the responses of sessions; one with a score that says no time was scored now. One that brings no question gets a
-- copy of the one in the item bank, so that editing it there changes nothing here.
-- name: insert_responses
insert into response (organisation_id, session_no, position, response_id, question_type, question_reference,
    item_reference, automarkable, attempted, score, max_score, manual_score, max_manual_score, dt_score_updated,
    response, question, question_version)
select $1, draft.session_no, entry.position - 1, entry.response_id,
    coalesce(entry.question_type, bank.body ->> 'type', ''), coalesce(entry.question_reference, ''),
    coalesce(entry.item_reference, ''), coalesce(entry.automarkable, true), entry.attempted, entry.score,
    entry.max_score, entry.manual_score, entry.max_manual_score,
    coalesce(entry.dt_score_updated, case when coalesce(entry.score, entry.manual_score) is not null then clock.second end),
    entry.response, coalesce(entry.question, bank.body -> 'data'), coalesce(entry.question_version, bank.version)
from (select date_trunc('second', clock_timestamp()) as second) as clock,
    unnest($2::bigint[], $3::json[]) as draft (session_no, responses)
    cross join rows from (json_to_recordset(draft.responses) as (response_id text, question_type text,
        question_reference text, item_reference text, automarkable boolean, attempted boolean, score float8,
        max_score float8, manual_score float8, max_manual_score float8, dt_score_updated timestamptz, response json,
        question json, question_version integer))
    with ordinality as entry (response_id, question_type, question_reference, item_reference, automarkable, attempted,
        score, max_score, manual_score, max_manual_score, dt_score_updated, response, question, question_version,
        position)
    left join lateral (
        select version, body from bank_entry
        where (select exists (select from bank_entry where organisation_id = $1 and kind = 'question'))
            and organisation_id = $1 and kind = 'question' and reference = entry.question_reference
            and entry.question is null and version = coalesce(entry.question_version, version)
        order by version desc limit 1
    ) as bank on true

-- A place in the order of jobs for what is written without one: newer than every job accepted before.
-- name: next_job_id
select nextval(pg_get_serial_sequence('job', 'id'))

-- One page of session ids. Eight statements, because each must walk its own index in its own direction whatever the
-- planner thinks of the filters: all of an organisation, those of some activities, those of some users (one short walk
-- each, then the first of all), those with some ids; from the oldest update on, or from the newest back.
-- $2, $3: the update and id after which the page begins; $4: the bound at the other end; $5: how many; $6: statuses;
-- $7 to $10: bounds of start and completion; then what is peculiar to the statement, and last whether only sessions with
-- an adaptive report are wanted (of all sessions of an organisation, `page_reports_asc` and `_desc` find those).

-- Updated after a point and before a bound.
-- name: page_sessions_asc
select session_id, updated_at, id from session
where organisation_id = $1 and (updated_at, id) > ($2, $3) and updated_at < $4
    and ($6::text[] is null or status = any($6))
    and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
    and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
order by updated_at, id limit $5

-- Updated before a point and not before a bound.
-- name: page_sessions_desc
select session_id, updated_at, id from session
where organisation_id = $1 and (updated_at, id) < ($2, $3) and updated_at >= $4
    and ($6::text[] is null or status = any($6))
    and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
    and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
order by updated_at desc, id desc limit $5

-- The same for some activities ($11).
-- name: page_sessions_of_activities_asc
select found.session_id, found.updated_at, found.id from unnest($11::text[]) as wanted (activity_id)
cross join lateral (
    select session_id, updated_at, id from session
    where organisation_id = $1 and activity_id = wanted.activity_id
        and (updated_at, id) > ($2, $3) and updated_at < $4
        and ($6::text[] is null or status = any($6))
        and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
        and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
        and ($12 is not true or report_by > set_by)
    order by updated_at, id limit $5
) as found
order by found.updated_at, found.id limit $5

-- The same for some activities ($11), newest first.
-- name: page_sessions_of_activities_desc
select found.session_id, found.updated_at, found.id from unnest($11::text[]) as wanted (activity_id)
cross join lateral (
    select session_id, updated_at, id from session
    where organisation_id = $1 and activity_id = wanted.activity_id
        and (updated_at, id) < ($2, $3) and updated_at >= $4
        and ($6::text[] is null or status = any($6))
        and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
        and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
        and ($12 is not true or report_by > set_by)
    order by updated_at desc, id desc limit $5
) as found
order by found.updated_at desc, found.id desc limit $5

-- The same for some users ($11), of any or some activities ($12).
-- name: page_sessions_of_users_asc
select found.session_id, found.updated_at, found.id from unnest($11::text[]) as wanted (user_id)
cross join lateral (
    select session_id, updated_at, id from session
    where organisation_id = $1 and user_id = wanted.user_id and ($12::text[] is null or activity_id = any($12))
        and (updated_at, id) > ($2, $3) and updated_at < $4
        and ($6::text[] is null or status = any($6))
        and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
        and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
        and ($13 is not true or report_by > set_by)
    order by updated_at, id limit $5
) as found
order by found.updated_at, found.id limit $5

-- The same for some users ($11), of any or some activities ($12), newest first.
-- name: page_sessions_of_users_desc
select found.session_id, found.updated_at, found.id from unnest($11::text[]) as wanted (user_id)
cross join lateral (
    select session_id, updated_at, id from session
    where organisation_id = $1 and user_id = wanted.user_id and ($12::text[] is null or activity_id = any($12))
        and (updated_at, id) < ($2, $3) and updated_at >= $4
        and ($6::text[] is null or status = any($6))
        and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
        and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
        and ($13 is not true or report_by > set_by)
    order by updated_at desc, id desc limit $5
) as found
order by found.updated_at desc, found.id desc limit $5

-- The same for some sessions ($11), of any or some users ($12) and activities ($13).
-- name: page_sessions_named_asc
with named as materialized (
    select * from session where organisation_id = $1 and session_id = any($11::text[])
)
select session_id, updated_at, id from named
where ($12::text[] is null or user_id = any($12)) and ($13::text[] is null or activity_id = any($13))
    and (updated_at, id) > ($2, $3) and updated_at < $4
    and ($6::text[] is null or status = any($6))
    and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
    and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
    and ($14 is not true or report_by > set_by)
order by updated_at, id limit $5

-- The same for some sessions ($11), of any or some users ($12) and activities ($13), newest first.
-- name: page_sessions_named_desc
with named as materialized (
    select * from session where organisation_id = $1 and session_id = any($11::text[])
)
select session_id, updated_at, id from named
where ($12::text[] is null or user_id = any($12)) and ($13::text[] is null or activity_id = any($13))
    and (updated_at, id) < ($2, $3) and updated_at >= $4
    and ($6::text[] is null or status = any($6))
    and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
    and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
    and ($14 is not true or report_by > set_by)
order by updated_at desc, id desc limit $5

-- The sessions with these ids, in the order of the ids. Only where wanted ($3 to $7): metadata, or the named attributes
-- of it; subscores; items; responses, the scores of them or the whole. What weighs more than $8 bytes in all is left out:
-- nobody could be told it.
-- name: read_sessions
with found as materialized (
    select wanted.place, session.id, session.session_id, user_id, activity_id, status, num_questions, num_attempted,
        score, max_score, session_duration, dt_saved, dt_started, dt_completed,
        case when $3 then metadata when $4::text[] is not null then
            (select coalesce(json_object_agg(key, value), '{}') from json_each(metadata) where key = any($4))
        end as metadata,
        case when $5 then subscores end as subscores,
        case when $6 then items end as items,
        case $7::text
            when 'scores' then (
                select coalesce(json_agg(json_build_object('item_reference', item_reference, 'response_id', response_id,
                    'score', coalesce(manual_score, response.score),
                    'max_score', coalesce(max_manual_score, response.max_score), 'dt_score_updated',
                    to_char(dt_score_updated at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) order by position), '[]')
                from response where organisation_id = $1 and session_no = session.id)
            when 'whole' then (
                select coalesce(json_agg(json_build_object('response_id', response_id, 'question_type', question_type,
                    'question_reference', question_reference, 'item_reference', item_reference,
                    'automarkable', automarkable, 'attempted', attempted,
                    'score', response.score, 'max_score', response.max_score,
                    'manual_score', manual_score, 'max_manual_score', max_manual_score, 'dt_score_updated',
                    to_char(dt_score_updated at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                    'error', score_error, 'response', response.response) order by position), '[]')
                from response where organisation_id = $1 and session_no = session.id)
        end as responses
    from unnest($2::text[]) with ordinality as wanted (session_id, place)
    join session on session.organisation_id = $1 and session.session_id = wanted.session_id
), weighed as (
    select *, sum(coalesce(octet_length(metadata::text), 0) + coalesce(octet_length(subscores::text), 0)
        + coalesce(octet_length(items::text), 0) + coalesce(octet_length(responses::text), 0)) over () <= $8 as fits
    from found
)
select session_id, user_id, activity_id, status, num_questions, num_attempted, score, max_score, session_duration,
    dt_saved, dt_started, dt_completed, case when fits then metadata end as metadata,
    case when fits then subscores end as subscores, case when fits then items end as items,
    case when fits then responses end as responses, fits
from weighed order by place
