-- Statements: in, and out again, with all that hangs on them.

-- The time of the next statement: later than all that the store has, whatever the clock says, so that whoever has read up
-- to a time has read all that will ever be stored up to then.
-- name: next_stored
select greatest(clock_timestamp(), max(stored) + interval '1 microsecond') from xapi_statement
where organisation_id = $1 and store_id = $2

-- Which of these statements are voiding ones?
-- name: find_voiding
select id from xapi_statement where organisation_id = $1 and store_id = $2 and id = any($3::uuid[]) and voiding

-- What the store has under these ids.
-- name: find_raws
select id, raw from xapi_statement where organisation_id = $1 and store_id = $2 and id = any($3::uuid[])

-- name: insert_statements
insert into xapi_statement (organisation_id, store_id, client, pseudonymized, pseudonym_key, targeting, id, raw, stored,
    timestamp, voiding, validated, valid, actor_id, verb_id, object_id, type_id, registration, statement_ref, agent_ids,
    activity_ids, attachments)
select $1, $2, $3, $4::text is not null, $4, $5, id, raw, stored, timestamp, voiding, judged, case when judged then true end,
    actor_id, verb_id, object_id, type_id, registration, statement_ref, agent_ids::uuid[], activity_ids::uuid[],
    attachments::text[]
from unnest($6::uuid[], $7::json[], $8::timestamptz[], $9::timestamptz[], $10::boolean[], $11::boolean[], $12::uuid[],
    $13::uuid[], $14::uuid[], $15::uuid[], $16::uuid[], $17::uuid[], $18::text[], $19::text[], $20::text[])
    as given (id, raw, stored, timestamp, voiding, judged, actor_id, verb_id, object_id, type_id, registration,
        statement_ref, agent_ids, activity_ids, attachments)
order by stored
returning id, number

-- name: link_agents
insert into xapi_statement_agent (organisation_id, store_id, agent_id, stored, number, place)
select $1, $2, * from unnest($3::uuid[], $4::timestamptz[], $5::bigint[], $6::smallint[])

-- name: link_activities
insert into xapi_statement_activity (organisation_id, store_id, activity_id, stored, number, place)
select $1, $2, * from unnest($3::uuid[], $4::timestamptz[], $5::bigint[], $6::smallint[])

-- name: insert_attachments
insert into xapi_attachment (organisation_id, store_id, sha2, content_type, content)
select $1, $2, * from unnest($3::text[], $4::text[], $5::bytea[])
on conflict (organisation_id, store_id, sha2) do nothing

-- name: link_attachments
insert into xapi_statement_attachment (organisation_id, store_id, sha2, number)
select $1, $2, * from unnest($3::text[], $4::bigint[])

-- Void what these statements void, and those of them that a voiding statement has been waiting for.
-- name: void_statements
update xapi_statement as target set voided = true
from xapi_statement as voiding
where voiding.organisation_id = $1 and voiding.store_id = $2 and voiding.voiding and target.organisation_id = $1
    and target.store_id = $2 and target.id = voiding.statement_ref and not target.voiding and not target.voided
    and (voiding.id = any($3::uuid[]) or (target.id = any($3::uuid[]) and voiding.statement_ref = any($3::uuid[])))

-- Delete statements with their links; the digests of what was attached to them come back.
-- name: delete_statements
with gone as (
    delete from xapi_statement where organisation_id = $1 and store_id = $2 and id = any($3::uuid[])
    returning number, stored, agent_ids, activity_ids, attachments
), agents as (
    delete from xapi_statement_agent as link
    using (select stored, number, unnest(agent_ids) as agent_id from gone) as old
    where link.organisation_id = $1 and link.store_id = $2 and link.agent_id = old.agent_id and link.stored = old.stored
        and link.number = old.number
), activities as (
    delete from xapi_statement_activity as link
    using (select stored, number, unnest(activity_ids) as activity_id from gone) as old
    where link.organisation_id = $1 and link.store_id = $2 and link.activity_id = old.activity_id
        and link.stored = old.stored and link.number = old.number
), contents as (
    delete from xapi_statement_attachment as link
    using (select number, unnest(attachments) as sha2 from gone) as old
    where link.organisation_id = $1 and link.store_id = $2 and link.sha2 = old.sha2 and link.number = old.number
)
select attachments from gone

-- Delete those of these contents that no statement has attached.
-- name: delete_loose_attachments
delete from xapi_attachment as content
where organisation_id = $1 and store_id = $2 and sha2 = any($3::text[]) and not exists (
    select from xapi_statement_attachment as link
    where link.organisation_id = $1 and link.store_id = $2 and link.sha2 = content.sha2)

-- -- clearing -------------------------------------------------------------------------------------------------------

-- name: count_statements
select count(*) from xapi_statement where organisation_id = $1 and store_id = $2 and stored <= $3

-- name: find_old_statements
select id from xapi_statement where organisation_id = $1 and store_id = $2 and stored <= $3
order by stored, number limit $4
