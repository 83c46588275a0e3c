-- Pseudonyms: the keys that they are made with.

-- name: find_pseudonym_key
select id, secret from xapi_pseudonym_key where organisation_id = $1 order by created_at desc, id limit 1

-- name: insert_pseudonym_key
insert into xapi_pseudonym_key (organisation_id, id, secret) values ($1, $2, $3)

-- -- statements -----------------------------------------------------------------------------------------------------

-- How many statements up to $3, that instant included, and behind ($4, $5), have no pseudonyms: at most $6 of them.
-- name: count_originals
select count(*) from (
    select from xapi_statement
    where organisation_id = $1 and store_id = $2 and not pseudonymized and stored <= $3 and (stored, number) > ($4, $5)
    limit $6) as next

-- The oldest of them, as many as have $7 bytes together, or one more.
-- name: find_originals
select id, number, raw, stored, agent_ids, attachments from (
    select *, sum(octet_length(raw::text)) over (order by stored, number) - octet_length(raw::text) as before from (
        select id, number, raw, stored, agent_ids, attachments from xapi_statement
        where organisation_id = $1 and store_id = $2 and not pseudonymized and stored <= $3 and (stored, number) > ($4, $5)
        order by stored, number limit $6) as next
) as weighed
where before < $7 order by stored, number

-- Statements under pseudonyms, and found by these; those that had no links get none.
-- name: replace_originals
with given as materialized (
    select *, agent_texts::uuid[] as agent_ids, gone_texts::uuid[] as gone_ids
    from unnest($4::uuid[], $5::bigint[], $6::timestamptz[], $7::json[], $8::uuid[], $9::uuid[], $10::text[], $11::text[],
        $12::text[], $13::text[])
        as row (id, number, stored, raw, actor_id, object_id, agent_texts, agent_places, gone_texts, attachments)
), unlinked as (
    delete from xapi_statement_agent where ctid = any(array(
        select place from (select number, stored, unnest(gone_ids) as agent_id from given) as gone cross join lateral (
            select ctid as place from xapi_statement_agent
            where organisation_id = $1 and store_id = $2 and agent_id = gone.agent_id and stored = gone.stored
                and number = gone.number offset 0) as there))
), linked as (
    insert into xapi_statement_agent as known (organisation_id, store_id, agent_id, stored, number, place)
    select $1, $2, link.id, stored, number, link.place
    from given cross join lateral unnest(agent_ids, agent_places::smallint[]) as link (id, place)
    on conflict (organisation_id, store_id, agent_id, stored, number) do update set place = excluded.place
    where known.place <> excluded.place
)
update xapi_statement as statement
set pseudonymized = true, pseudonym_key = $3, raw = given.raw, actor_id = given.actor_id, object_id = given.object_id,
    agent_ids = given.agent_ids, attachments = given.attachments::text[]
from given cross join lateral (
    select ctid as place from xapi_statement
    where organisation_id = $1 and store_id = $2 and id = given.id offset 0) as there
where statement.ctid = there.place and statement.organisation_id = $1

-- name: unlink_attachments
delete from xapi_statement_attachment as link using unnest($3::text[], $4::bigint[]) as gone (sha2, number)
where link.organisation_id = $1 and link.store_id = $2 and link.sha2 = gone.sha2 and link.number = gone.number

-- -- documents ------------------------------------------------------------------------------------------------------

-- name: find_original_documents
select number, agent, agent_id from xapi_document
where organisation_id = $1 and store_id = $2 and number > $3 and kind in ('states', 'agent-profiles')
    and not pseudonymized and stored <= $4 and updated <= $4
order by number limit $5

-- Delete documents that would be the same as another, once both are under pseudonyms: the one that was changed last stays.
-- Each is looked up by its key, whatever the statistics say.
-- name: delete_outdone_documents
with given as materialized (
    select * from unnest($3::bigint[], $4::uuid[]) as given (number, pseudonym_id)
), named as (
    select there.*, pseudonym_id from given cross join lateral (
        select ctid as spot, number, kind, activity_id, document_id, registration, updated from xapi_document
        where organisation_id = $1 and store_id = $2 and number = given.number offset 0) as there
    union
    select there.*, pseudonym_id from (select distinct pseudonym_id from given) as wanted cross join lateral (
        select ctid as spot, number, kind, activity_id, document_id, registration, updated from xapi_document
        where organisation_id = $1 and store_id = $2 and agent_id = wanted.pseudonym_id offset 0) as there
), ranked as (
    select spot, row_number() over (
        partition by kind, activity_id, pseudonym_id, document_id, registration order by updated desc, number desc) as place
    from named
)
delete from xapi_document where organisation_id = $1 and ctid = any(array(select spot from ranked where place > 1))

-- name: replace_document_agents
update xapi_document as document
set pseudonymized = true, agent = given.agent, agent_id = given.agent_id
from unnest($3::bigint[], $4::uuid[], $5::json[]) as given (number, agent_id, agent) cross join lateral (
    select ctid as place from xapi_document
    where organisation_id = $1 and store_id = $2 and number = given.number offset 0) as there
where document.ctid = there.place and document.organisation_id = $1
