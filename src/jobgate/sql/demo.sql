-- The demo.

-- Does the organisation have sessions already?
-- name: has_sessions
select exists (select from session where organisation_id = $1)
