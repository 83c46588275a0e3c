-- Documents: states, activity profiles and agent profiles.

-- The time of what is written next: later than all that the store has of these kinds, whatever the clock says.
-- name: next_document_time
select greatest(clock_timestamp(), max(latest.updated) + interval '1 microsecond')
from unnest($3::text[]) as wanted (kind) left join lateral (
    select updated from xapi_document where organisation_id = $1 and store_id = $2 and kind = wanted.kind
    order by updated desc limit 1
) as latest on true

-- Write documents at one time; those that are there as they are given stay untouched.
-- name: put_documents
insert into xapi_document (organisation_id, store_id, stored, updated, kind, activity_iri, activity_id, agent, agent_id,
    document_id, registration, content, content_type)
select $1, $2, $3, $3, * from unnest($4::text[], $5::text[], $6::uuid[], $7::json[], $8::uuid[], $9::text[], $10::uuid[],
    $11::bytea[], $12::text[])
on conflict (organisation_id, store_id, kind, activity_id, agent_id, document_id, registration) do update
    set agent = excluded.agent, content = excluded.content, content_type = excluded.content_type, updated = excluded.updated
where xapi_document.content <> excluded.content or xapi_document.content_type <> excluded.content_type

-- One document, if it is there.
-- name: find_document
select number, content, content_type from xapi_document
where organisation_id = $1 and store_id = $2 and kind = $3 and ($4::uuid is null and activity_id is null or activity_id = $4)
    and ($5::uuid is null and agent_id is null or agent_id = $5) and document_id = $6
    and ($7::uuid is null and registration is null or registration = $7)

-- -- reading --------------------------------------------------------------------------------------------------------

-- Documents of a kind, newest first, before ($4, $5): where they are, and how long.
-- name: walk_documents
select number, stored, octet_length(content) as size from xapi_document
where organisation_id = $1 and store_id = $2 and kind = $3 and (stored, number) < ($4, $5)
    and ($6::text is null or document_id = $6) and ($7::uuid is null or registration = $7)
    and $8::uuid is null and $9::uuid is null
order by stored desc, number desc limit $10

-- The same of an activity.
-- name: walk_documents_of_activity
select number, stored, octet_length(content) as size from xapi_document
where organisation_id = $1 and store_id = $2 and kind = $3 and (stored, number) < ($4, $5)
    and ($6::text is null or document_id = $6) and ($7::uuid is null or registration = $7)
    and activity_id = $8 and $9::uuid is null
order by stored desc, number desc limit $10

-- The same of an agent, who has few, and of an activity if one is given.
-- name: walk_documents_of_agent
select number, stored, octet_length(content) as size from xapi_document
where organisation_id = $1 and store_id = $2 and kind = $3 and (stored, number) < ($4, $5)
    and ($6::text is null or document_id = $6) and ($7::uuid is null or registration = $7)
    and ($8::uuid is null or activity_id = $8) and agent_id = $9
order by stored desc, number desc limit $10

-- These documents as they are.
-- name: read_documents
select number, kind, activity_iri, agent, document_id, registration, content, content_type, stored, updated
from xapi_document where organisation_id = $1 and store_id = $2 and number = any($3::bigint[])
order by stored desc, number desc

-- -- sweeping: what came up to $3 and was not changed since, behind ($4, $5), at most $6 ---------------------------------

-- name: count_old_documents
select count(*) from (
    select from xapi_document
    where organisation_id = $1 and store_id = $2 and kind = $7 and stored <= $3 and updated <= $3
        and (stored, number) > ($4, $5)
    limit $6) as next

-- name: delete_old_documents
with old as materialized (
    select ctid as place, stored, number from xapi_document
    where organisation_id = $1 and store_id = $2 and kind = $7 and stored <= $3 and updated <= $3
        and (stored, number) > ($4, $5)
    order by stored, number limit $6
), gone as (
    delete from xapi_document where ctid = any(array(select place from old))
)
select stored, number from old order by stored, number
