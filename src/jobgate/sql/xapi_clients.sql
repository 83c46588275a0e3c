-- LRSs under test.

-- name: find_clients
select client.number, client.slug, client.name, store.slug as store, client.endpoint, client.username,
    client.created_at, client.updated_at
from xapi_client as client
join xapi_store as store on store.organisation_id = $1 and store.id = client.store_id
where client.organisation_id = $1 and ($2::text[] is null or client.slug = any($2))
    and ($3::text is null or store.slug = $3) and client.number < $4::bigint
order by client.number desc limit $5

-- name: insert_client
insert into xapi_client (organisation_id, id, slug, name, store_id, endpoint, username, password)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- Nobody deletes it before the transaction ends.
-- name: keep_client
select id, endpoint, username, password from xapi_client where organisation_id = $1 and slug = $2 for key share

-- name: lock_client
select id, store_id, endpoint from xapi_client where organisation_id = $1 and slug = $2 for update

-- What is null stays.
-- name: update_client
update xapi_client set name = coalesce($3, name), store_id = $4, endpoint = coalesce($5, endpoint),
    username = coalesce($6, username), password = coalesce($7, password), updated_at = clock_timestamp()
where organisation_id = $1 and id = $2

-- name: delete_clients
delete from xapi_client where organisation_id = $1 and slug = any($2::text[])

-- name: is_client_used
select exists (
    select from definition where organisation_id = $1 and type = 'testsuite' and params->>'client' = $2)
