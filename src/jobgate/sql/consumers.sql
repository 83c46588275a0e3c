-- Who may call.

-- A consumer with its live secrets, oldest first.
-- name: find_consumer
select consumer.*,
    array(select organisation_id from consumer_organisation where consumer_key = consumer.key) as others
from consumer where key = $1

-- Its secrets that still speak for it, oldest first.
-- name: find_secrets
select id, wrapped from consumer_secret where consumer_key = $1 and state <> 'revoked' order by created_at, id

-- name: list_consumers
select consumer.key, consumer.name, consumer.organisation_id, consumer.domains, consumer.endpoints, consumer.unlimited,
    consumer.active, consumer.created_at,
    array(select organisation_id from consumer_organisation where consumer_key = consumer.key order by 1) as others,
    (select count(*) from consumer_secret where consumer_key = consumer.key and state <> 'revoked') as secrets
from consumer order by consumer.created_at

-- name: insert_organisation
insert into organisation (id, name) values ($1, $2) on conflict (id) do nothing

-- Give the next free number to organisations that come without one.
-- name: sync_organisation_ids
select setval(pg_get_serial_sequence('organisation', 'id'), greatest((select max(id) from organisation), 1))

-- name: insert_consumer
insert into consumer (key, name, organisation_id, domains, endpoints, rates, unlimited, minimum_version)
values ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: insert_consumer_organisation
insert into consumer_organisation (consumer_key, organisation_id) values ($1, $2) on conflict do nothing

-- name: insert_secret
insert into consumer_secret (id, consumer_key, wrapped) values ($1, $2, $3)

-- Every live secret but the newest retires or ends.
-- name: retire_secrets
update consumer_secret set state = $2
where consumer_key = $1 and state <> 'revoked' and id <> $3

-- name: revoke_secret
update consumer_secret set state = 'revoked' where consumer_key = $1 and id = $2 and state <> 'revoked'

-- name: set_consumer_active
update consumer set active = $2 where key = $1

-- Secrets to try the outer key on.
-- name: newest_secrets
select consumer_key, id, wrapped from consumer_secret where state <> 'revoked' order by created_at desc limit 100

-- Every live secret, without what is secret.
-- name: list_secrets
select consumer_key, id, state, created_at from consumer_secret where state <> 'revoked' order by created_at, id

-- Does it exist?
-- name: find_organisation
select id, name from organisation where id = $1
