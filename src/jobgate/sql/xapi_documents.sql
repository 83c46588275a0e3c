-- Documents: states, activity profiles and agent profiles.

-- -- clearing -------------------------------------------------------------------------------------------------------

-- name: count_documents
select count(*) from xapi_document
where organisation_id = $1 and store_id = $2 and kind = $4 and stored <= $3 and updated <= $3

-- name: delete_old_documents
delete from xapi_document where organisation_id = $1 and store_id = $2 and number in (
    select number from xapi_document
    where organisation_id = $1 and store_id = $2 and kind = $5 and stored <= $3 and updated <= $3
    order by stored, number limit $4)
