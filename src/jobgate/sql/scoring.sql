-- The scores of stored sessions: what they are made of, and what became of them. Rows of `session` are locked in the order
-- of their ids, by everything that locks several.

-- Lock the named sessions; which job scored them last, and how much there is to read of each.
-- name: lock_sessions_to_rescore
select session_id, id, user_id, greatest(set_by, scores_by) as written_by,
    octet_length(items::text) + (
        select coalesce(sum(coalesce(octet_length(response::text), 0) + coalesce(octet_length(question::text), 0) + 500), 0)
        from response where organisation_id = $1 and session_no = session.id
    )::bigint as weight
from session where organisation_id = $1 and session_id = any($2::text[])
order by id for update

-- All responses of these sessions with the questions that they were given to, in the order in which they were met.
-- name: find_answered_questions
select session_no, position, response_id, item_reference, attempted, automarkable, score, max_score, manual_score,
    max_manual_score, score_error, question, response
from response where organisation_id = $1 and session_no = any($2::bigint[])
order by session_no, position

-- Store the scores of responses; one that was scored like this before keeps the time of it.
-- name: update_response_scores
update response set score = entry.score, max_score = entry.max_score, attempted = entry.attempted,
    automarkable = entry.automarkable, score_error = entry.score_error,
    dt_score_updated = case when entry.moved then date_trunc('second', clock_timestamp()) else dt_score_updated end
from unnest($2::bigint[], $3::integer[], $4::float8[], $5::float8[], $6::boolean[], $7::boolean[], $8::text[],
    $9::boolean[]) as entry (session_no, position, score, max_score, attempted, automarkable, score_error, moved)
where organisation_id = $1 and response.session_no = entry.session_no and response.position = entry.position

-- Lock the named sessions; which job set them, and how many responses each has at most.
-- name: lock_sessions_to_mark
select session_id, id, user_id, set_by, num_questions as weight
from session where organisation_id = $1 and session_id = any($2::text[])
order by id for update

-- The scores of all responses of these sessions, automatic and manual, in the order in which they were met.
-- name: find_marks
select session_no, position, response_id, item_reference, attempted, score, max_score, manual_score, max_manual_score,
    score_error, manual_by
from response where organisation_id = $1 and session_no = any($2::bigint[])
order by session_no, position

-- Store the scores that people gave, or forget them; one that was given before keeps the time of it.
-- name: update_manual_scores
update response set manual_score = entry.score, max_manual_score = entry.max_score, manual_by = entry.job_id,
    dt_score_updated = case when entry.moved then date_trunc('second', clock_timestamp()) else dt_score_updated end
from unnest($2::bigint[], $3::integer[], $4::float8[], $5::float8[], $6::bigint[], $7::boolean[])
    as entry (session_no, position, score, max_score, job_id, moved)
where organisation_id = $1 and response.session_no = entry.session_no and response.position = entry.position

-- What the totals of these sessions are now, and the items that they are summed up by.
-- name: find_session_totals
select id, num_attempted, score, max_score, items from session where organisation_id = $1 and id = any($2::bigint[])

-- Store the totals of sessions, their items where these have changed, and the job that scored them. The time of the last
-- change stays while nothing changes.
-- name: update_session_totals
update session set num_attempted = entry.num_attempted, score = entry.score, max_score = entry.max_score,
    items = coalesce(entry.items, session.items), scores_by = greatest(session.scores_by, entry.job_id),
    updated_at = case when entry.changed then clock_timestamp() else session.updated_at end
from unnest($2::bigint[], $3::integer[], $4::float8[], $5::float8[], $6::json[], $7::bigint[], $8::boolean[])
    as entry (id, num_attempted, score, max_score, items, job_id, changed)
where session.organisation_id = $1 and session.id = entry.id

-- Tell Postgres that a transaction is still wanted.
-- name: stay_awake
select
