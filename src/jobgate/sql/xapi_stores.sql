-- Stores.

-- name: find_stores
select id, slug, name, status, created_at, updated_at from xapi_store
where organisation_id = $1 and ($2::integer[] is null or id = any($2)) and ($3::text[] is null or slug = any($3))
    and ($4::text is null or status = $4) and id < $5::bigint
order by id desc limit $6

-- name: insert_store
insert into xapi_store (organisation_id, slug, name) values ($1, $2, $3)
on conflict (organisation_id, slug) do nothing
returning id, slug, name, status, created_at, updated_at

-- name: rename_store
update xapi_store set name = $3, updated_at = clock_timestamp() where organisation_id = $1 and slug = $2
returning id, slug, name, status, created_at, updated_at

-- Be the only one who writes into a store, until the transaction ends. Who writes much ($2) has every statement planned for
-- the tables as they are now, and keeps to the order of an index: an early plan may take any index, and would search or
-- sort a whole store for each id or batch once it has grown.
-- name: hold_store
select pg_advisory_xact_lock(7061629, $1),
    set_config('plan_cache_mode', case when $2 then 'force_custom_plan' else 'auto' end, true),
    set_config('enable_sort', case when $2 then 'off' else 'on' end, true)

-- Nobody marks the store for deletion before the transaction ends.
-- name: keep_store
select id from xapi_store where organisation_id = $1 and slug = $2 for share

-- From now on nothing new gets into the store; who is about to put something there has come first.
-- name: mark_store
update xapi_store set status = 'deleting', updated_at = clock_timestamp() where organisation_id = $1 and id = $2

-- name: delete_store
delete from xapi_store where organisation_id = $1 and id = $2

-- -- emptying: what has no times, at most $3 -------------------------------------------------------------------------

-- name: delete_persons_of_store
delete from xapi_person where ctid = any(array(
    select ctid from xapi_person where organisation_id = $1 and store_id = $2 limit $3))

-- name: delete_terms_of_store
delete from xapi_term where ctid = any(array(
    select ctid from xapi_term where organisation_id = $1 and store_id = $2 limit $3))

-- name: delete_attachments_of_store
delete from xapi_attachment where ctid = any(array(
    select ctid from xapi_attachment where organisation_id = $1 and store_id = $2 limit $3))

-- name: delete_clients_of_store
delete from xapi_client where ctid = any(array(
    select ctid from xapi_client where organisation_id = $1 and store_id = $2 limit $3))
