-- Pseudonyms: the keys that they are made with.

-- name: find_pseudonym_key
select id, secret from xapi_pseudonym_key where organisation_id = $1 order by created_at desc, id limit 1

-- name: insert_pseudonym_key
insert into xapi_pseudonym_key (organisation_id, id, secret) values ($1, $2, $3)
