-- What statements name: activities, agents, verbs and types.

-- name: find_known_activities
select known.* from unnest($3::uuid[]) as wanted (id)
cross join lateral (
    select id, definition, is_category from xapi_activity
    where organisation_id = $1 and store_id = $2 and id = wanted.id limit 1
) as known

-- Write activities, all at one time: later than all that the store has, whatever the clock says, so that a push goes on
-- where it was and misses none. The same with agents.
-- name: upsert_activities
with next as (
    select greatest(clock_timestamp(), (
        select updated from xapi_activity where organisation_id = $1 and store_id = $2
        order by updated desc, number desc limit 1
    ) + interval '1 microsecond') as moment
)
insert into xapi_activity (organisation_id, store_id, stored, updated, id, iri, definition, type, is_category, is_profile)
select $1, $2, next.moment, next.moment, given.*
from next, unnest($3::uuid[], $4::text[], $5::json[], $6::text[], $7::boolean[], $8::boolean[]) as given
on conflict (organisation_id, store_id, id) do update set definition = excluded.definition, type = excluded.type,
    is_category = excluded.is_category, is_profile = excluded.is_profile, updated = excluded.updated

-- Add agents, or what is new about them; an agent keeps the name that it has until it is given another. Most are known, and
-- are not written again.
-- name: upsert_agents
with next as (
    select greatest(clock_timestamp(), (
        select updated from xapi_agent where organisation_id = $1 and store_id = $2
        order by updated desc, number desc limit 1
    ) + interval '1 microsecond') as moment
)
insert into xapi_agent (organisation_id, store_id, pseudonymized, stored, updated, id, kind, field_1, field_2, name, is_group,
    members)
select $1, $2, $3, next.moment, next.moment, given.*
from next, unnest($4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[], $10::json[])
    as given (id, kind, field_1, field_2, name, is_group, members)
left join lateral (
    select id, name, is_group, members from xapi_agent
    where organisation_id = $1 and store_id = $2 and id = given.id limit 1
) as known on true
where known.id is null or (given.name is not null and given.name is distinct from known.name)
    or (given.is_group and not known.is_group)
    or (given.members is not null and given.members::text is distinct from known.members::text)
on conflict (organisation_id, store_id, id) do update set name = coalesce(excluded.name, xapi_agent.name),
    is_group = xapi_agent.is_group or excluded.is_group, members = coalesce(excluded.members, xapi_agent.members),
    updated = excluded.updated

-- Add verbs and types, and what is new about their displays.
-- name: upsert_terms
insert into xapi_term (organisation_id, store_id, kind, id, iri, display)
select $1, $2, given.*
from unnest($3::text[], $4::uuid[], $5::text[], $6::json[]) as given (kind, id, iri, display)
left join lateral (
    select id, display from xapi_term
    where organisation_id = $1 and store_id = $2 and kind = given.kind and id = given.id limit 1
) as known on true
where known.id is null or not known.display::jsonb @> given.display::jsonb
on conflict (organisation_id, store_id, kind, id) do update
    set display = (xapi_term.display::jsonb || excluded.display::jsonb)::json, updated = clock_timestamp()

-- -- reading activities ---------------------------------------------------------------------------------------------

-- Activities, those that became known last first, before the number $3: where they are, and how long.
-- name: walk_activities
select number, octet_length(definition::text) as size from xapi_activity
where organisation_id = $1 and store_id = $2 and number < $3 and $4::uuid[] is null and $5::text is null
order by number desc limit $6

-- The same of those with these ids, of a type if one is given.
-- name: walk_activities_by_id
select number, size from unnest($4::uuid[]) as wanted (id) cross join lateral (
    select number, type, octet_length(definition::text) as size from xapi_activity
    where organisation_id = $1 and store_id = $2 and id = wanted.id limit 1) as there
where number < $3 and ($5::text is null or type = $5)
order by number desc limit $6

-- The same of a type.
-- name: walk_activities_of_type
select number, octet_length(definition::text) as size from xapi_activity
where organisation_id = $1 and store_id = $2 and number < $3 and $4::uuid[] is null and type = $5
order by number desc limit $6

-- name: read_activities
select id, iri, definition, type, is_category, is_profile, stored, updated from xapi_activity
where organisation_id = $1 and store_id = $2 and number = any($3::bigint[])
order by number desc

-- -- sweeping: what came up to $3, behind ($4, $5), at most $6 --------------------------------------------------------

-- name: count_old_activities
select count(*) from (
    select from xapi_activity
    where organisation_id = $1 and store_id = $2 and stored <= $3 and (stored, number) > ($4, $5) limit $6) as next

-- name: delete_old_activities
with old as materialized (
    select ctid as place, stored, number from xapi_activity
    where organisation_id = $1 and store_id = $2 and stored <= $3 and (stored, number) > ($4, $5)
    order by stored, number limit $6
), gone as (
    delete from xapi_activity where ctid = any(array(select place from old))
)
select stored, number from old order by stored, number

-- name: count_old_agents
select count(*) from (
    select from xapi_agent
    where organisation_id = $1 and store_id = $2 and stored <= $3 and (stored, number) > ($4, $5) limit $6) as next

-- name: delete_old_agents
with old as materialized (
    select ctid as place, stored, number, person_id from xapi_agent
    where organisation_id = $1 and store_id = $2 and stored <= $3 and (stored, number) > ($4, $5)
    order by stored, number limit $6
), gone as (
    delete from xapi_agent where ctid = any(array(select place from old))
)
select stored, number, person_id from old order by stored, number

-- -- forgetting -----------------------------------------------------------------------------------------------------

-- Delete those of these agents that no statement names, other than by its authority, and no document is of. Each is looked up
-- by its key, whatever the statistics say.
-- name: delete_unnamed_agents
delete from xapi_agent where organisation_id = $1 and ctid = any(array(
    select agent.place from unnest($3::uuid[]) as wanted (id)
    cross join lateral (
        select ctid as place from xapi_agent
        where organisation_id = $1 and store_id = $2 and id = wanted.id offset 0) as agent
    left join lateral (
        select true as is_named from xapi_statement_agent
        where organisation_id = $1 and store_id = $2 and agent_id = wanted.id and place < 2 limit 1) as link on true
    left join lateral (
        select true as has_document from xapi_document
        where organisation_id = $1 and store_id = $2 and agent_id = wanted.id limit 1) as document on true
    where is_named is null and has_document is null))
returning person_id

-- Agents that are no pseudonyms, in the order in which they became known.
-- name: find_original_agents
select id, number from xapi_agent
where organisation_id = $1 and store_id = $2 and number > $3 and not pseudonymized and person_id is null and stored <= $4
order by number limit $5

-- name: find_groups
select id, number, members from xapi_agent
where organisation_id = $1 and store_id = $2 and number > $3 and members is not null and not pseudonymized
order by number limit $4

-- name: find_known_agents
select known.id from unnest($3::uuid[]) as wanted (id)
cross join lateral (
    select id from xapi_agent where organisation_id = $1 and store_id = $2 and id = wanted.id limit 1
) as known

-- name: set_members
with next as (
    select greatest(clock_timestamp(), (
        select updated from xapi_agent where organisation_id = $1 and store_id = $2
        order by updated desc, number desc limit 1
    ) + interval '1 microsecond') as moment
)
update xapi_agent as agent set members = given.members, updated = next.moment
from next, unnest($3::uuid[], $4::json[]) as given (id, members) cross join lateral (
    select ctid as place from xapi_agent
    where organisation_id = $1 and store_id = $2 and id = given.id offset 0) as there
where agent.ctid = there.place and agent.organisation_id = $1

-- Delete those of these persons that have no agent any more.
-- name: delete_empty_persons
delete from xapi_person as person
where organisation_id = $1 and store_id = $2 and id = any($3::uuid[]) and not exists (
    select from xapi_agent as agent
    where agent.organisation_id = $1 and agent.store_id = $2 and agent.person_id = person.id)
