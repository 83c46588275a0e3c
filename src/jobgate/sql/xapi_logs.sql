-- What is logged about stores.

-- An entry about a store; once that is gone, about none. Whoever deletes the store waits for this transaction, and whoever
-- writes waits for the deletion: no entry is left behind.
-- name: insert_store_log
insert into xapi_log (organisation_id, store_id, type, level, service, api, method, description, data)
values ($1, (select id from xapi_store where organisation_id = $1 and id = $2 for key share), $3, $4, $5, $6, $7, $8, $9)

-- The store that runs of a saved job are on, if it has one.
-- name: find_store_of_definition
select store_id from definition where organisation_id = $1 and id = $2

-- -- reading --------------------------------------------------------------------------------------------------------

-- Entries, newest first, before ($2, $3): after $4, up to $5, of a type, at least so severe, with a text in it.
-- name: walk_logs
select log.number, store.slug, log.type, level, service, api, method, description, data, stored
from (
    select * from xapi_log
    where organisation_id = $1 and (stored, number) < ($2, $3) and stored > coalesce($4::timestamptz, '-infinity')
        and stored <= coalesce($5::timestamptz, 'infinity') and ($6::text is null or type = $6) and level >= $7
        and ($8::text is null or strpos(lower(description), lower($8)) > 0) and $9::integer is null
    order by stored desc, number desc limit $10
) as log left join xapi_store as store on store.organisation_id = $1 and store.id = log.store_id
order by stored desc, number desc

-- The same about a store.
-- name: walk_logs_of_store
select log.number, store.slug, log.type, level, service, api, method, description, data, stored
from (
    select * from xapi_log
    where organisation_id = $1 and (stored, number) < ($2, $3) and stored > coalesce($4::timestamptz, '-infinity')
        and stored <= coalesce($5::timestamptz, 'infinity') and ($6::text is null or type = $6) and level >= $7
        and ($8::text is null or strpos(lower(description), lower($8)) > 0) and store_id = $9
    order by stored desc, number desc limit $10
) as log left join xapi_store as store on store.organisation_id = $1 and store.id = log.store_id
order by stored desc, number desc

-- -- sweeping: what came up to $3, behind ($4, $5), at most $6, up to the level $7 --------------------------------------

-- name: count_old_logs
select count(*) from (
    select from xapi_log
    where organisation_id = $1 and $2::integer is null and stored <= $3 and (stored, number) > ($4, $5) and level <= $7
    limit $6) as next

-- name: delete_old_logs
with old as materialized (
    select ctid as place, stored, number from xapi_log
    where organisation_id = $1 and $2::integer is null and stored <= $3 and (stored, number) > ($4, $5) and level <= $7
    order by stored, number limit $6
), gone as (
    delete from xapi_log where ctid = any(array(select place from old))
)
select stored, number from old order by stored, number

-- name: count_old_logs_of_store
select count(*) from (
    select from xapi_log
    where organisation_id = $1 and store_id = $2 and stored <= $3 and (stored, number) > ($4, $5) and level <= $7
    limit $6) as next

-- name: delete_old_logs_of_store
with old as materialized (
    select ctid as place, stored, number from xapi_log
    where organisation_id = $1 and store_id = $2 and stored <= $3 and (stored, number) > ($4, $5) and level <= $7
    order by stored, number limit $6
), gone as (
    delete from xapi_log where ctid = any(array(select place from old))
)
select stored, number from old order by stored, number
