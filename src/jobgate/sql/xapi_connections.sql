-- Connections: the far ends of pull and push; how far the jobs that go on where their last run ended have come; and the
-- files that are being written.

-- Connections as their consumers see them, newest first; $2: all, or these.
-- name: find_connections
select id, name, kind, endpoint, username, version, folder, prefix, created_at, updated_at
from xapi_connection where organisation_id = $1 and ($2::uuid[] is null or id = any($2)) and number < $3
order by number desc limit $4

-- How many connections has the organisation?
-- name: count_connections
select count(*) from xapi_connection where organisation_id = $1

-- name: insert_connection
insert into xapi_connection (organisation_id, id, name, kind, endpoint, username, password, version, folder, prefix)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- A connection that is to be changed.
-- name: lock_connection
select kind, endpoint from xapi_connection where organisation_id = $1 and id = $2 for update

-- Change what is given.
-- name: update_connection
update xapi_connection set name = coalesce($3, name), endpoint = coalesce($4, endpoint),
    username = coalesce($5, username), password = coalesce($6, password), version = coalesce($7, version),
    folder = coalesce($8, folder), prefix = coalesce($9, prefix), updated_at = clock_timestamp()
where organisation_id = $1 and id = $2

-- A connection that a job is being saved with: it stays until that is done.
-- name: keep_connection
select kind from xapi_connection where organisation_id = $1 and id = $2 for key share

-- A connection with all that is needed to use it.
-- name: open_connection
select kind, endpoint, username, password, version, folder, prefix
from xapi_connection where organisation_id = $1 and id = $2

-- One connection, or all: nobody saves a job with them before the transaction ends.
-- name: lock_connections
select id from xapi_connection where organisation_id = $1 and ($2::uuid is null or id = $2) order by id for update

-- The names of jobs that use one of these connections.
-- name: find_connection_users
select name from definition
where organisation_id = $1 and type = any($2::text[]) and params ->> 'connection' = any($3::text[])
order by number limit 1

-- name: delete_connections
delete from xapi_connection where organisation_id = $1 and id = any($2::uuid[])

-- -- progress -------------------------------------------------------------------------------------------------------

-- How far a saved job has come with a service.
-- name: find_progress
select position from xapi_progress where organisation_id = $1 and definition_id = $2 and service = $3

-- The same, which no other run changes before the transaction ends.
-- name: lock_progress
select position from xapi_progress where organisation_id = $1 and definition_id = $2 and service = $3 for update

-- A job whose definition was deleted meanwhile leaves none.
-- name: save_progress
insert into xapi_progress (organisation_id, definition_id, service, position)
select organisation_id, id, $3, $4 from definition where organisation_id = $1 and id = $2
on conflict (organisation_id, definition_id, service)
do update set position = excluded.position, updated_at = clock_timestamp()

-- -- files that are written -----------------------------------------------------------------------------------------

-- Be the only job that writes a file: no row as long as another one does that has not ended. The length is that of what
-- counts; null: nothing was written since the file was as it is.
-- name: claim_file
insert into xapi_file (organisation_id, name, job_id) values ($1, $2, $3)
on conflict (organisation_id, name) do update set job_id = excluded.job_id
where xapi_file.job_id = excluded.job_id or not exists (
    select from job where id = xapi_file.job_id and organisation_id = $1 and state in ('queued', 'running'))
returning length

-- What a file has counts up to here, with whatever the transaction writes down.
-- name: count_file
update xapi_file set length = $4 where organisation_id = $1 and name = $2 and job_id = $3

-- name: release_file
delete from xapi_file where organisation_id = $1 and name = $2 and job_id = $3
