-- Records that leave a store, in the order of a time and their numbers, behind a place ($3, $4) and up to a cutoff ($5): at
-- most $6 of them and, beyond the first, $7 bytes.

-- name: leave_statements
select number, id, raw, stored, stored as moment, pseudonymized, client, attachments
from (
    select *, sum(octet_length(raw::text)) over next as size, row_number() over next as place
    from (
        select number, id, raw, stored, pseudonymized, client, attachments from xapi_statement
        where organisation_id = $1 and store_id = $2 and (stored, number) > ($3, $4::bigint) and stored <= $5
        order by stored, number limit $6
    ) as found
    window next as (order by stored, number)
) as measured
where size <= $7::bigint or place = 1 order by stored, number

-- name: count_leaving_statements
select count(*) from xapi_statement
where organisation_id = $1 and store_id = $2 and (stored, number) > ($3, $4::bigint) and stored <= $5

-- The contents of attachments: how long they are.
-- name: measure_attachments
select sha2, octet_length(content) as size from xapi_attachment
where organisation_id = $1 and store_id = $2 and sha2 = any($3::text[])

-- name: leave_activities
select number, id, iri, definition, stored, updated, stored as moment
from (
    select *, sum(octet_length(definition::text)) over next as size, row_number() over next as place
    from (
        select number, id, iri, definition, stored, updated from xapi_activity
        where organisation_id = $1 and store_id = $2 and (stored, number) > ($3, $4::bigint) and stored <= $5
        order by stored, number limit $6
    ) as found
    window next as (order by stored, number)
) as measured
where size <= $7::bigint or place = 1 order by stored, number

-- name: leave_changed_activities
select number, id, iri, definition, stored, updated, updated as moment
from (
    select *, sum(octet_length(definition::text)) over next as size, row_number() over next as place
    from (
        select number, id, iri, definition, stored, updated from xapi_activity
        where organisation_id = $1 and store_id = $2 and (updated, number) > ($3, $4::bigint) and updated <= $5
        order by updated, number limit $6
    ) as found
    window next as (order by updated, number)
) as measured
where size <= $7::bigint or place = 1 order by updated, number

-- name: count_leaving_activities
select count(*) from xapi_activity
where organisation_id = $1 and store_id = $2 and (stored, number) > ($3, $4::bigint) and stored <= $5

-- name: count_leaving_changed_activities
select count(*) from xapi_activity
where organisation_id = $1 and store_id = $2 and (updated, number) > ($3, $4::bigint) and updated <= $5

-- name: leave_agents
select number, id, kind, field_1, field_2, name, is_group, members, stored, updated, stored as moment
from (
    select *, sum(octet_length(members::text)) over next as size, row_number() over next as place
    from (
        select number, id, kind, field_1, field_2, name, is_group, members, stored, updated from xapi_agent
        where organisation_id = $1 and store_id = $2 and (stored, number) > ($3, $4::bigint) and stored <= $5
        order by stored, number limit $6
    ) as found
    window next as (order by stored, number)
) as measured
where coalesce(size, 0) <= $7::bigint or place = 1 order by stored, number

-- name: leave_changed_agents
select number, id, kind, field_1, field_2, name, is_group, members, stored, updated, updated as moment
from (
    select *, sum(octet_length(members::text)) over next as size, row_number() over next as place
    from (
        select number, id, kind, field_1, field_2, name, is_group, members, stored, updated from xapi_agent
        where organisation_id = $1 and store_id = $2 and (updated, number) > ($3, $4::bigint) and updated <= $5
        order by updated, number limit $6
    ) as found
    window next as (order by updated, number)
) as measured
where coalesce(size, 0) <= $7::bigint or place = 1 order by updated, number

-- name: count_leaving_agents
select count(*) from xapi_agent
where organisation_id = $1 and store_id = $2 and (stored, number) > ($3, $4::bigint) and stored <= $5

-- name: count_leaving_changed_agents
select count(*) from xapi_agent
where organisation_id = $1 and store_id = $2 and (updated, number) > ($3, $4::bigint) and updated <= $5

-- Documents of a kind ($8).
-- name: leave_documents
select number, activity_iri, agent, document_id, registration, content, content_type, stored, updated, stored as moment
from (
    select *, sum(octet_length(content)) over next as size, row_number() over next as place
    from (
        select number, activity_iri, agent, document_id, registration, content, content_type, stored, updated
        from xapi_document
        where organisation_id = $1 and store_id = $2 and kind = $8 and (stored, number) > ($3, $4::bigint) and stored <= $5
        order by stored, number limit $6
    ) as found
    window next as (order by stored, number)
) as measured
where size <= $7::bigint or place = 1 order by stored, number

-- name: leave_changed_documents
select number, activity_iri, agent, document_id, registration, content, content_type, stored, updated, updated as moment
from (
    select *, sum(octet_length(content)) over next as size, row_number() over next as place
    from (
        select number, activity_iri, agent, document_id, registration, content, content_type, stored, updated
        from xapi_document
        where organisation_id = $1 and store_id = $2 and kind = $8 and (updated, number) > ($3, $4::bigint) and updated <= $5
        order by updated, number limit $6
    ) as found
    window next as (order by updated, number)
) as measured
where size <= $7::bigint or place = 1 order by updated, number

-- name: count_leaving_documents
select count(*) from xapi_document
where organisation_id = $1 and store_id = $2 and kind = $6 and (stored, number) > ($3, $4::bigint) and stored <= $5

-- name: count_leaving_changed_documents
select count(*) from xapi_document
where organisation_id = $1 and store_id = $2 and kind = $6 and (updated, number) > ($3, $4::bigint) and updated <= $5
