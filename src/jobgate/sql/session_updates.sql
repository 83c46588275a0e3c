-- What jobs do to stored sessions. Rows are locked in the order of their ids by everything that locks several.

-- Lock the named sessions and say which job wrote them last: as a whole, or the column in question.
-- name: lock_sessions
select session_id, user_id, greatest(set_by, status_by) as status_by, greatest(set_by, metadata_by) as metadata_by
from session where organisation_id = $1 and session_id = any($2::text[])
order by id for update

-- Set statuses. A session keeps the time of its submission until it is Incomplete again, and the time of its last change
-- while nothing changes.
-- name: update_session_statuses
update session set status = entry.status, status_by = entry.job_id,
    dt_completed = case entry.status
        when 'Completed' then coalesce(session.dt_completed, date_trunc('second', clock_timestamp()))
        when 'Discarded' then session.dt_completed end,
    updated_at = case when session.status = entry.status then session.updated_at else clock_timestamp() end
from unnest($2::text[], $3::text[], $4::bigint[]) as entry (session_id, status, job_id)
where session.organisation_id = $1 and session.session_id = entry.session_id

-- Replace metadata as a whole.
-- name: update_session_metadata
update session set metadata = entry.metadata, metadata_by = entry.job_id,
    updated_at = case when session.metadata::text = entry.metadata::text then session.updated_at else clock_timestamp() end
from unnest($2::text[], $3::json[], $4::bigint[]) as entry (session_id, metadata, job_id)
where session.organisation_id = $1 and session.session_id = entry.session_id

-- Which of these sessions were taken with subscore definitions?
-- name: find_sessions_with_subscores
select session_id from session
where organisation_id = $1 and session_id = any($2::text[]) and json_array_length(subscore_definitions) > 0

-- Lock the named sessions, and say which job wrote what their subscores are made of.
-- name: lock_sessions_for_subscores
select session_id, id, user_id, greatest(set_by, subscores_by) as written_by
from session where organisation_id = $1 and session_id = any($2::text[])
order by id for update

-- What the subscores of these sessions are made of, but for the responses.
-- name: find_subscore_parts
select session_id, id, subscore_definitions, items from session where organisation_id = $1 and id = any($2::bigint[])

-- The scores of all responses of these sessions, in the order in which they were met.
-- name: find_scored_responses
select session_no, response_id, item_reference, attempted, coalesce(manual_score, score),
    coalesce(max_manual_score, max_score)
from response where organisation_id = $1 and session_no = any($2::bigint[])
order by session_no, position

-- Store subscores.
-- name: update_session_subscores
update session set subscores = entry.subscores, subscores_by = entry.job_id,
    updated_at = case when session.subscores::text = entry.subscores::text then session.updated_at
        else clock_timestamp() end
from unnest($2::text[], $3::json[], $4::bigint[]) as entry (session_id, subscores, job_id)
where session.organisation_id = $1 and session.session_id = entry.session_id

-- What follows when these sessions are Completed or scored.
-- name: find_follow_up_needs
select session_id, num_questions, is_adaptive, json_array_length(subscore_definitions) > 0 as has_subscores
from session where organisation_id = $1 and session_id = any($2::text[])
