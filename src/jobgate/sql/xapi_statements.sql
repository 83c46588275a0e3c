-- Statements: in, and out again, with all that hangs on them.

-- The time of the next statement: later than all that the store has, whatever the clock says, so that whoever has read up
-- to a time has read all that will ever be stored up to then.
-- name: next_stored
select greatest(clock_timestamp(), (
    select stored from xapi_statement where organisation_id = $1 and store_id = $2 order by stored desc, number desc limit 1
) + interval '1 microsecond')

-- Which of these statements are voiding ones?
-- name: find_voiding
select wanted.id from unnest($3::uuid[]) as wanted (id)
cross join lateral (
    select voiding from xapi_statement where organisation_id = $1 and store_id = $2 and id = wanted.id limit 1
) as found
where voiding

-- What the store has under these ids.
-- name: find_raws
select found.id, found.raw from unnest($3::uuid[]) as wanted (id)
cross join lateral (
    select id, raw from xapi_statement where organisation_id = $1 and store_id = $2 and id = wanted.id limit 1
) as found

-- Add statements, with the rows that they are found by.
-- name: insert_statements
with given as materialized (
    select nextval(pg_get_serial_sequence('xapi_statement', 'number')) as number, *, agent_texts::uuid[] as agent_ids,
        activity_texts::uuid[] as activity_ids
    from unnest($6::uuid[], $7::json[], $8::timestamptz[], $9::timestamptz[], $10::boolean[], $11::boolean[],
        $12::uuid[], $13::uuid[], $14::uuid[], $15::uuid[], $16::uuid[], $17::uuid[], $18::text[], $19::text[],
        $20::text[], $21::text[], $22::text[])
        as row (id, raw, stored, timestamp, voiding, judged, actor_id, verb_id, object_id, type_id, registration,
            statement_ref, agent_texts, agent_places, activity_texts, activity_places, attachments)
), agents as (
    insert into xapi_statement_agent (organisation_id, store_id, agent_id, stored, number, place)
    select $1, $2, link.id, stored, number, link.place
    from given cross join lateral unnest(agent_ids, agent_places::smallint[]) as link (id, place)
), activities as (
    insert into xapi_statement_activity (organisation_id, store_id, activity_id, stored, number, place)
    select $1, $2, link.id, stored, number, link.place
    from given cross join lateral unnest(activity_ids, activity_places::smallint[]) as link (id, place)
), contents as (
    insert into xapi_statement_attachment (organisation_id, store_id, sha2, number)
    select $1, $2, sha2, number from given cross join lateral unnest(attachments::text[]) as sha2
)
insert into xapi_statement (organisation_id, store_id, client, pseudonymized, pseudonym_key, targeting, id, number, raw,
    stored, timestamp, voiding, validated, valid, actor_id, verb_id, object_id, type_id, registration, statement_ref,
    agent_ids, activity_ids, attachments)
overriding system value
select $1, $2, $3, $4::text is not null, $4, $5, id, number, raw, stored, timestamp, voiding, judged,
    case when judged then true end, actor_id, verb_id, object_id, type_id, registration, statement_ref, agent_ids,
    activity_ids, attachments::text[]
from given

-- name: insert_attachments
insert into xapi_attachment (organisation_id, store_id, sha2, content_type, content)
select $1, $2, * from unnest($3::text[], $4::text[], $5::bytea[])
on conflict (organisation_id, store_id, sha2) do nothing

-- Void what these statements void.
-- name: void_targets
update xapi_statement set voided = true
where organisation_id = $1 and not voiding and not voided and ctid = any(array(
    select place from unnest($3::uuid[]) as wanted (id)
    cross join lateral (
        select ctid as place from xapi_statement
        where organisation_id = $1 and store_id = $2 and id = wanted.id offset 0) as there))

-- Void those of these statements that a voiding statement has been waiting for.
-- name: void_awaited
update xapi_statement set voided = true
where organisation_id = $1 and store_id = $2 and not voiding and not voided and id = any(array(
    select wanted.id from unnest($3::uuid[]) as wanted (id)
    cross join lateral (
        select from xapi_statement
        where organisation_id = $1 and store_id = $2 and statement_ref = wanted.id and voiding limit 1
    ) as waiting))

-- Delete statements with their links; the digests of what was attached to them come back. Links are looked up one by one by
-- their keys: while there are no statistics, which is so until a minute after a store was filled, a join would compare all
-- links of the store with all that go.
-- name: delete_statements
with gone as (
    delete from xapi_statement where organisation_id = $1 and store_id = $2 and id = any($3::uuid[])
    returning number, stored, agent_ids, activity_ids, attachments
), agents as (
    delete from xapi_statement_agent where ctid = any(array(
        select place from (select number, stored, unnest(agent_ids) as agent_id from gone) as old cross join lateral (
            select ctid as place from xapi_statement_agent
            where organisation_id = $1 and store_id = $2 and agent_id = old.agent_id and stored = old.stored
                and number = old.number offset 0) as there))
), activities as (
    delete from xapi_statement_activity where ctid = any(array(
        select place from (select number, stored, unnest(activity_ids) as activity_id from gone) as old cross join lateral (
            select ctid as place from xapi_statement_activity
            where organisation_id = $1 and store_id = $2 and activity_id = old.activity_id and stored = old.stored
                and number = old.number offset 0) as there))
), contents as (
    delete from xapi_statement_attachment where ctid = any(array(
        select place from (select number, unnest(attachments) as sha2 from gone) as old cross join lateral (
            select ctid as place from xapi_statement_attachment
            where organisation_id = $1 and store_id = $2 and sha2 = old.sha2 and number = old.number offset 0) as there))
)
select attachments from gone

-- Delete those of these contents that no statement has attached.
-- name: delete_loose_attachments
delete from xapi_attachment as content
where organisation_id = $1 and store_id = $2 and sha2 = any($3::text[]) and not exists (
    select from xapi_statement_attachment as link
    where link.organisation_id = $1 and link.store_id = $2 and link.sha2 = content.sha2)

-- -- sweeping -------------------------------------------------------------------------------------------------------

-- How many statements were recorded up to $3, that instant included, behind ($4, $5): at most $6 of them.
-- name: count_old_statements
select count(*) from (
    select from xapi_statement
    where organisation_id = $1 and store_id = $2 and stored <= $3 and (stored, number) > ($4, $5) limit $6) as next

-- The oldest of them.
-- name: find_old_statements
select id, stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and stored <= $3 and (stored, number) > ($4, $5)
order by stored, number limit $6

-- -- validating -----------------------------------------------------------------------------------------------------

-- How many statements that nobody has judged were stored up to $3 behind ($4, $5), at most $6.
-- name: count_unjudged
select count(*) from (
    select from xapi_statement
    where organisation_id = $1 and store_id = $2 and not validated and stored <= $3 and (stored, number) > ($4, $5)
    limit $6) as next

-- The first of them, as many as have $7 bytes together, and one at least.
-- name: find_unjudged
select id, number, stored, raw, pseudonymized from (
    select *, sum(octet_length(raw::text)) over (order by stored, number) - octet_length(raw::text) as before from (
        select id, number, stored, raw, pseudonymized from xapi_statement
        where organisation_id = $1 and store_id = $2 and not validated and stored <= $3 and (stored, number) > ($4, $5)
        order by stored, number limit $6) as next
) as weighed
where before < $7 order by stored, number

-- Write verdicts on those statements that are still as they were read. They are looked up by their keys, one by one: a join
-- would go through all that is not judged, of which there may be more than statistics know.
-- name: write_verdicts
update xapi_statement as statement set validated = true, valid = found.valid
from (
    select place, judged.valid
    from unnest($3::uuid[], $4::bigint[], $5::boolean[], $6::boolean[]) as judged (id, number, pseudonymized, valid)
    cross join lateral (
        select ctid as place from xapi_statement
        where organisation_id = $1 and store_id = $2 and id = judged.id and number = judged.number
            and pseudonymized = judged.pseudonymized limit 1) as there
) as found
where statement.ctid = found.place and not statement.validated
returning statement.number

-- Statements that were judged and broke a rule.
-- name: find_invalid
select id, stored, number from xapi_statement
where organisation_id = $1 and store_id = $2 and not valid and stored <= $3 and (stored, number) > ($4, $5)
order by stored, number limit $6
