-- Tokens of cmi5: what is told once, and kept as a digest.

-- name: insert_token
insert into xapi_token (organisation_id, store_id, id, digest, activity_iri, agent, agent_id, origin)
values ($1, $2, $3, $4, $5, $6, $7, $8)
returning id, number, activity_iri, agent, origin, created_at

-- Tokens, newest first, before the number $3, for this activity if it is said.
-- name: walk_tokens
select id, number, activity_iri, agent, origin, created_at from xapi_token
where organisation_id = $1 and store_id = $2 and number < $3 and ($4::text is null or activity_iri = $4)
    and $5::uuid is null
order by number desc limit $6

-- The same of an agent, who has few.
-- name: walk_tokens_of_agent
select id, number, activity_iri, agent, origin, created_at from xapi_token
where organisation_id = $1 and store_id = $2 and number < $3 and ($4::text is null or activity_iri = $4)
    and agent_id = $5
order by number desc limit $6

-- The token with this id, if it has this digest, and is for this activity and this agent, if they are said.
-- name: find_token
select id, number, activity_iri, agent, origin, created_at from xapi_token
where organisation_id = $1 and store_id = $2 and id = $3 and digest = $4
    and ($5::text is null or activity_iri = $5) and ($6::uuid is null or agent_id = $6)

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
