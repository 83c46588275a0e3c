-- What is logged about stores.

-- name: insert_store_log
insert into xapi_log (organisation_id, store_id, type, level, service, api, method, description, data)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
