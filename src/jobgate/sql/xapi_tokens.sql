-- Tokens of cmi5: what is told once, and kept as a digest.

-- -- sweeping: what was made up to $3, behind ($4, $5), at most $6 -------------------------------------------------------

-- name: count_old_tokens
select count(*) from (
    select from xapi_token
    where organisation_id = $1 and store_id = $2 and created_at <= $3 and (created_at, number) > ($4, $5)
    limit $6) as next

-- name: delete_old_tokens
with old as materialized (
    select ctid as place, created_at, number from xapi_token
    where organisation_id = $1 and store_id = $2 and created_at <= $3 and (created_at, number) > ($4, $5)
    order by created_at, number limit $6
), gone as (
    delete from xapi_token where ctid = any(array(select place from old))
)
select created_at as stored, number from old order by created_at, number
