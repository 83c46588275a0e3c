-- Reading statements. A walk follows one index in the order of `stored`, from a place ($3, $4) to a bound ($5), and tells
-- the next places; whether what lies there is wanted is judged for many places at once.

-- Keep to the order of an index, until the transaction ends: where Postgres expects few rows it would rather collect and
-- sort them, but some agents, and some registrations, are everywhere. And plan for the store as large as it is by now.
-- name: walk_in_order
select set_config('enable_sort', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)

-- name: walk_statements_asc
select stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and (stored, number) > ($3, $4) and stored <= $5
order by stored, number limit $6

-- name: walk_statements_desc
select stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and (stored, number) < ($3, $4) and stored > $5
order by stored desc, number desc limit $6

-- name: walk_verb_asc
select stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and verb_id = $7 and (stored, number) > ($3, $4) and stored <= $5
order by stored, number limit $6

-- name: walk_verb_desc
select stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and verb_id = $7 and (stored, number) < ($3, $4) and stored > $5
order by stored desc, number desc limit $6

-- name: walk_registration_asc
select stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and registration = $7 and (stored, number) > ($3, $4) and stored <= $5
order by stored, number limit $6

-- name: walk_registration_desc
select stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and registration = $7 and (stored, number) < ($3, $4) and stored > $5
order by stored desc, number desc limit $6

-- name: walk_agent_asc
select stored, number from xapi_statement_agent
where organisation_id = $1 and store_id = $2 and agent_id = $7 and (stored, number) > ($3, $4) and stored <= $5
order by stored, number limit $6

-- name: walk_agent_desc
select stored, number from xapi_statement_agent
where organisation_id = $1 and store_id = $2 and agent_id = $7 and (stored, number) < ($3, $4) and stored > $5
order by stored desc, number desc limit $6

-- name: walk_activity_asc
select stored, number from xapi_statement_activity
where organisation_id = $1 and store_id = $2 and activity_id = $7 and (stored, number) > ($3, $4) and stored <= $5
order by stored, number limit $6

-- name: walk_activity_desc
select stored, number from xapi_statement_activity
where organisation_id = $1 and store_id = $2 and activity_id = $7 and (stored, number) < ($3, $4) and stored > $5
order by stored desc, number desc limit $6

-- Statements that are found by what others are found by.
-- name: walk_referring_asc
select stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and statement_ref is not null and targeting
    and (stored, number) > ($3, $4) and stored <= $5
order by stored, number limit $6

-- name: walk_referring_desc
select stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and statement_ref is not null and targeting
    and (stored, number) < ($3, $4) and stored > $5
order by stored desc, number desc limit $6

-- Those that refer to the statements in some places ($3, $4), or to one that does; at most $5.
-- name: find_referring
with recursive reached as (
    select found.id, found.stored, found.number, false as is_referring
    from unnest($3::timestamptz[], $4::bigint[]) as wanted (stored, number)
    cross join lateral (
        select id, stored, number from xapi_statement
        where organisation_id = $1 and store_id = $2 and stored = wanted.stored and number = wanted.number limit 1
    ) as found
    union
    select found.*, true
    from reached cross join lateral (
        select id, stored, number from xapi_statement
        where organisation_id = $1 and store_id = $2 and statement_ref = reached.id and targeting
        order by stored, number limit $5
    ) as found
)
select stored, number from reached where is_referring limit $5

-- Which of the places ($3, $4) have a statement that is not voided and has what is asked for ($6 to $11), or leads to one
-- that has all of it over at most $5 references? In order, at most $12. Links are looked up one by one (`limit`): left to
-- choose, Postgres would rather collect all that an agent or an activity has.
-- name: judge_statements
with recursive chain as (
    select wanted.place, found.*, 0 as steps
    from unnest($3::timestamptz[], $4::bigint[]) with ordinality as wanted (stored, number, place)
    cross join lateral (
        select id, stored, number, verb_id, registration, statement_ref, targeting from xapi_statement
        where organisation_id = $1 and store_id = $2 and stored = wanted.stored and number = wanted.number
            and not voided limit 1
    ) as found
    union all
    select chain.place, target.*, chain.steps + 1
    from chain cross join lateral (
        select id, stored, number, verb_id, registration, statement_ref, targeting from xapi_statement
        where organisation_id = $1 and store_id = $2 and id = chain.statement_ref limit 1
    ) as target
    where chain.targeting and chain.steps < $5
)
select distinct place from chain
where ($6::uuid is null or verb_id = $6) and ($7::uuid is null or registration = $7)
    and ($8::uuid is null or (
        select link.place <= $9 from xapi_statement_agent as link
        where link.organisation_id = $1 and link.store_id = $2 and link.agent_id = $8 and link.stored = chain.stored
            and link.number = chain.number limit 1))
    and ($10::uuid is null or (
        select link.place <= $11 from xapi_statement_activity as link
        where link.organisation_id = $1 and link.store_id = $2 and link.activity_id = $10 and link.stored = chain.stored
            and link.number = chain.number limit 1))
order by place limit $12

-- The statement with this id, if it is voided or not ($4).
-- name: find_statement
select stored, number from xapi_statement where organisation_id = $1 and store_id = $2 and id = $3 and voided = $4

-- The statements in these places, in order, as long as all that is told of them fits into $6 bytes: in an answer a byte of
-- JSON may become three, and three bytes of a content ($5) four.
-- name: read_statements
select place, raw, attachments, weight > $6 as is_too_heavy
from (
    select wanted.place, found.raw, found.attachments,
        sum(octet_length(found.raw::text) * 3 + coalesce(contents.weight, 0)) over (order by wanted.place) as weight
    from unnest($3::timestamptz[], $4::bigint[]) with ordinality as wanted (stored, number, place)
    cross join lateral (
        select raw, attachments from xapi_statement
        where organisation_id = $1 and store_id = $2 and stored = wanted.stored and number = wanted.number limit 1
    ) as found
    left join lateral (
        select sum(octet_length(content) / 3 * 4 + 300)::bigint as weight from xapi_attachment
        where $5 and organisation_id = $1 and store_id = $2 and sha2 = any(found.attachments)
    ) as contents on true
) as weighed
where weight <= $6 or place = 1
order by place

-- name: read_contents
select sha2, content_type, content from xapi_attachment
where organisation_id = $1 and store_id = $2 and sha2 = any($3::text[])
order by sha2

-- What the catalogue has on activities, and on verbs.
-- name: describe_activities
select iri, definition from xapi_activity where organisation_id = $1 and store_id = $2 and id = any($3::uuid[])

-- name: describe_verbs
select iri, display from xapi_term
where organisation_id = $1 and store_id = $2 and kind = 'verb' and id = any($3::uuid[])
