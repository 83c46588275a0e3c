-- Agents and persons, as they are read and joined.

-- name: find_agents
select agent.id, number, kind, field_1, field_2, name, is_group, members, pseudonymized, person_id, stored, updated
from xapi_agent as agent
where organisation_id = $1 and store_id = $2 and number < $3 and ($4::uuid[] is null or id = any($4))
    and ($5::uuid is null or person_id = $5) and ($6::boolean is null or pseudonymized = $6)
order by number desc limit $7

-- name: find_persons
select id, number, created_at from xapi_person
where organisation_id = $1 and store_id = $2 and number < $3 and ($4::uuid[] is null or id = any($4))
    and ($5::uuid is null or id in (
        select person_id from xapi_agent where organisation_id = $1 and store_id = $2 and id = $5))
order by number desc limit $6

-- The agents of persons, those that became known first first.
-- name: find_agents_of_persons
select person_id, id, kind, field_1, field_2, name, is_group from xapi_agent
where organisation_id = $1 and store_id = $2 and person_id = any($3::uuid[])
order by number

-- Everybody who shares a person with one of these agents.
-- name: find_peers
select agent.id, agent.person_id, person.number from xapi_agent as agent
join xapi_person as person on person.organisation_id = $1 and person.store_id = $2 and person.id = agent.person_id
where agent.organisation_id = $1 and agent.store_id = $2 and agent.person_id in (
    select person_id from xapi_agent where organisation_id = $1 and store_id = $2 and id = any($3::uuid[]))

-- name: insert_persons
insert into xapi_person (organisation_id, store_id, id) select $1, $2, unnest($3::uuid[])

-- name: join_agents
update xapi_agent as agent set person_id = given.person_id
from unnest($3::uuid[], $4::uuid[]) as given (id, person_id) cross join lateral (
    select ctid as place from xapi_agent
    where organisation_id = $1 and store_id = $2 and id = given.id offset 0) as there
where agent.ctid = there.place and agent.organisation_id = $1 and agent.person_id is distinct from given.person_id
