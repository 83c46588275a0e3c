-- Reports of adaptive sessions: what they are made of, how they are stored, found and read. A session has a report while
-- the job that wrote it is newer than the one that set the session (report_by > set_by).

-- Lock the named sessions, and say which of them are adaptive and which job wrote what their reports are made of.
-- name: lock_sessions_for_reports
select session_id, id, user_id, is_adaptive, greatest(set_by, report_by) as written_by
from session where organisation_id = $1 and session_id = any($2::text[])
order by id for update

-- The items of these sessions.
-- name: find_session_items
select id, items from session where organisation_id = $1 and id = any($2::bigint[]) order by id

-- Store reports. A session keeps the time of its last change while its report stays the same.
-- name: store_adaptive_reports
with entry as (
    select * from unnest($2::bigint[], $3::json[], $4::bigint[]) as entry (session_no, report, job_id)
), written as (
    insert into adaptive_report (organisation_id, session_no, report)
    select $1, session_no, report from entry
    on conflict (organisation_id, session_no) do update set report = excluded.report
        where adaptive_report.report::text <> excluded.report::text
    returning session_no
)
update session set report_by = entry.job_id,
    updated_at = case when report_by > set_by and session.id not in (select session_no from written)
        then updated_at else clock_timestamp() end
from entry where session.organisation_id = $1 and session.id = entry.session_no

-- What `page_sessions_asc` finds, of the sessions that have a report.
-- name: page_reports_asc
select session_id, updated_at, id from session
where organisation_id = $1 and report_by > set_by and (updated_at, id) > ($2, $3) and updated_at < $4
    and ($6::text[] is null or status = any($6))
    and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
    and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
order by updated_at, id limit $5

-- What `page_sessions_desc` finds, of the sessions that have a report.
-- name: page_reports_desc
select session_id, updated_at, id from session
where organisation_id = $1 and report_by > set_by and (updated_at, id) < ($2, $3) and updated_at >= $4
    and ($6::text[] is null or status = any($6))
    and ($7::timestamptz is null or dt_started >= $7) and ($8::timestamptz is null or dt_started <= $8)
    and ($9::timestamptz is null or dt_completed >= $9) and ($10::timestamptz is null or dt_completed <= $10)
order by updated_at desc, id desc limit $5

-- The reports of the sessions with these ids, in the order of the ids. What weighs more than $3 bytes in all is left out:
-- nobody could be told it.
-- name: read_adaptive_reports
with found as materialized (
    select wanted.place, session.session_id, user_id, activity_id, status, report, custom_state
    from unnest($2::text[]) with ordinality as wanted (session_id, place)
    join session on session.organisation_id = $1 and session.session_id = wanted.session_id
    join adaptive_report on adaptive_report.organisation_id = $1 and adaptive_report.session_no = session.id
), weighed as (
    select *, sum(octet_length(report::text) + coalesce(octet_length(custom_state::text), 0)) over () <= $3 as fits
    from found
)
select session_id, user_id, activity_id, status, case when fits then report end as report,
    case when fits then custom_state end as custom_state, fits
from weighed order by place
