-- Traces of somebody: found piece by piece, and deleted. $6 and $7 are patterns, of which what mentions somebody matches one.

-- The next statements, with those in full that may mention somebody, as many as have $8 bytes together, or one more.
-- name: search_statements
select id, stored, number, raw from (
    select *, sum(size) over (order by stored, number) - size as before from (
        select id, stored, number, found.raw, coalesce(octet_length(found.raw::text), 0) as size from (
            select id, stored, number, raw from xapi_statement
            where organisation_id = $1 and store_id = $2 and (stored, number) > ($3, $4)
            order by stored, number limit $5) as next
        cross join lateral (
            select case when next.raw::text like any($6::text[]) or next.raw::text ilike any($7::text[]) then next.raw end as raw
            offset 0) as found
    ) as searched
) as weighed
where before < $8 order by stored, number

-- The next documents that somebody has, with the owners that may mention somebody.
-- name: search_documents
select number, kind, case when agent::text like any($5::text[]) or agent::text ilike any($6::text[]) then agent end as agent
from xapi_document
where organisation_id = $1 and store_id = $2 and number > $3 and agent_id is not null
order by number limit $4

-- name: delete_documents
delete from xapi_document where organisation_id = $1 and ctid = any(array(
    select place from unnest($3::bigint[]) as wanted (number)
    cross join lateral (
        select ctid as place from xapi_document
        where organisation_id = $1 and store_id = $2 and number = wanted.number offset 0) as there))

-- The next tokens of these agents.
-- name: find_tokens_of
select number from xapi_token where organisation_id = $1 and store_id = $2 and agent_id = any($3::uuid[]) and number > $4
order by number limit $5

-- name: delete_tokens
delete from xapi_token where organisation_id = $1 and ctid = any(array(
    select place from unnest($3::bigint[]) as wanted (number)
    cross join lateral (
        select ctid as place from xapi_token
        where organisation_id = $1 and store_id = $2 and number = wanted.number offset 0) as there))

-- The next groups, with the members in which somebody may be mentioned.
-- name: search_groups
select id, number, case when members::text like any($5::text[]) or members::text ilike any($6::text[]) then members end as members
from xapi_agent
where organisation_id = $1 and store_id = $2 and number > $3 and members is not null
order by number limit $4

-- These agents, as far as the catalogue knows them.
-- name: find_persons_of
select id, person_id from xapi_agent where organisation_id = $1 and store_id = $2 and id = any($3::uuid[])

-- name: delete_agents
delete from xapi_agent where organisation_id = $1 and store_id = $2 and id = any($3::uuid[])

-- Persons that have nobody besides these agents.
-- name: count_persons_without
select count(*) from xapi_person as person
where organisation_id = $1 and store_id = $2 and id = any($3::uuid[]) and not exists (
    select from xapi_agent as agent
    where agent.organisation_id = $1 and agent.store_id = $2 and agent.person_id = person.id
        and agent.id <> all($4::uuid[]))
