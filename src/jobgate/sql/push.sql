-- Push: targets, deliveries, their tries, and the outbox of what is still to be sent.

-- -- announcing ---------------------------------------------------------------------------------------------------

-- Does anybody in the organisation want to hear of one of these kinds?
-- name: has_push_target
select exists (
    select from push_target where organisation_id = $1 and disabled_reason is null and kinds && $2::text[]
)

-- One delivery for each session and target that wants to hear of the kind.
-- name: insert_deliveries
with made as (
    insert into push_delivery (organisation_id, target_id, kind, session_id, body)
    select $1, target.id, $2, entry.session_id, entry.body
    from unnest($3::text[], $4::json[]) with ordinality as entry (session_id, body, place), push_target as target
    where target.organisation_id = $1 and target.disabled_reason is null and $2 = any(target.kinds)
    order by entry.place, target.created_at
    returning target_id, id
)
insert into outbox (organisation_id, target_id, delivery_id) select $1, target_id, id from made

-- One delivery for one target; no row: the target is unknown, or disabled.
-- name: insert_delivery
with made as (
    insert into push_delivery (organisation_id, target_id, kind, body)
    select $1, id, $3, $4 from push_target where organisation_id = $1 and id = $2 and disabled_reason is null
    returning target_id, id
), queued as (
    insert into outbox (organisation_id, target_id, delivery_id) select $1, target_id, id from made
)
select id from made

-- Who took these sessions?
-- name: find_session_users
select session_id, user_id from session where organisation_id = $1 and session_id = any($2::text[])

-- -- targets ------------------------------------------------------------------------------------------------------

-- Only one target at a time joins an organisation.
-- name: lock_organisation
select from organisation where id = $1 for no key update

-- How many targets has the organisation?
-- name: count_targets
select count(*) from push_target where organisation_id = $1

-- A new target.
-- name: insert_target
insert into push_target (organisation_id, id, url, kinds, is_paused, secret) values ($1, $2, $3, $4, $5, $6)

-- Targets as their consumers see them, newest first; $2: all, or these.
-- name: find_targets
select id, url, kinds, is_paused, disabled_reason, created_at, last_success_at, last_failure_at, last_failure
from push_target where organisation_id = $1 and ($2::uuid[] is null or id = any($2))
order by created_at desc, id desc

-- Change what is given; a new secret ($7) leaves the one before it signing for $8. Enabling ($6) opens a closed circuit.
-- name: update_target
update push_target set url = coalesce($3, url), kinds = coalesce($4::text[], kinds),
    is_paused = coalesce($5, is_paused), disabled_reason = case when $6 then null else disabled_reason end,
    failing_since = case when $6 then null else failing_since end,
    closed_until = case when $6 then '-infinity' else closed_until end,
    previous_secret = case when $7::bytea is null then previous_secret else secret end,
    previous_until = case when $7::bytea is null then previous_until else clock_timestamp() + $8::interval end,
    secret = coalesce($7::bytea, secret)
where organisation_id = $1 and id = $2

-- Forget a target, or all of the organisation ($2 null). What waits for it is given up by the next sender that looks.
-- name: delete_targets
delete from push_target where organisation_id = $1 and ($2::uuid is null or id = $2)

-- -- deliveries ---------------------------------------------------------------------------------------------------

-- One page of deliveries, newest first: those before number $2, in a state ($3), of a target ($4), at most $5. Five
-- statements, because each must walk its own index whatever the planner thinks of the filters; what is peculiar to one
-- comes last.

-- All of an organisation.
-- name: page_deliveries
select number from push_delivery
where organisation_id = $1 and number < $2 and ($3::text is null or state = $3) and ($4::uuid is null or target_id = $4)
order by number desc limit $5

-- In a state, of any or one target.
-- name: page_deliveries_in_state
select number from push_delivery
where organisation_id = $1 and number < $2 and state = $3 and ($4::uuid is null or target_id = $4)
order by number desc limit $5

-- Of a target, in any or one state.
-- name: page_deliveries_of_target
select number from push_delivery
where organisation_id = $1 and number < $2 and ($3::text is null or state = $3) and target_id = $4
order by number desc limit $5

-- About a session ($6).
-- name: page_deliveries_of_session
select number from push_delivery
where organisation_id = $1 and number < $2 and ($3::text is null or state = $3) and ($4::uuid is null or target_id = $4)
    and session_id = $6
order by number desc limit $5

-- With these ids ($6), about any or one session ($7).
-- name: page_deliveries_named
with named as materialized (select * from push_delivery where organisation_id = $1 and id = any($6::uuid[]))
select number from named
where number < $2 and ($3::text is null or state = $3) and ($4::uuid is null or target_id = $4)
    and ($7::text is null or session_id = $7)
order by number desc limit $5

-- Deliveries by their numbers, newest first.
-- name: read_deliveries
select id, target_id, kind, session_id, state, created_at, ended_at, body,
    (select due_at from outbox where outbox.organisation_id = $1 and delivery_id = push_delivery.id) as due_at
from push_delivery where organisation_id = $1 and number = any($2::bigint[])
order by number desc

-- The newest tries of these deliveries, oldest first.
-- name: find_tries
select delivery_id, number, ended_at, ms, status, error, answer
from unnest($2::uuid[]) as wanted (id), lateral (
    select * from push_try where organisation_id = $1 and delivery_id = wanted.id order by number desc limit 20
) as try
order by delivery_id, number

-- Queue ended deliveries again whose targets can be sent to; those that were.
-- name: redeliver
with again as (
    update push_delivery set state = 'queued', ended_at = null
    where organisation_id = $1 and id = any($2::uuid[]) and state <> 'queued'
        and exists (select from push_target as target where target.organisation_id = $1
            and target.id = push_delivery.target_id and target.disabled_reason is null)
    returning target_id, id
), queued as (
    insert into outbox (organisation_id, target_id, delivery_id) select $1, target_id, id from again
)
select id from again

-- Which of these deliveries are there, and in which state?
-- name: find_delivery_states
select id, state from push_delivery where organisation_id = $1 and id = any($2::uuid[])

-- -- sending ------------------------------------------------------------------------------------------------------

-- Some of the targets that something is due for, but for those in $1; any of them, so that none is always the last.
-- Walks from target to target: what waits in one line costs the others nothing.
-- name: find_due_lines
with recursive line as (
    (select organisation_id, target_id from outbox order by organisation_id, target_id limit 1)
    union all
    select next.organisation_id, next.target_id from line, lateral (
        select organisation_id, target_id from outbox
        where (organisation_id, target_id) > (line.organisation_id, line.target_id)
        order by organisation_id, target_id limit 1
    ) as next
)
select organisation_id, target_id from line
where not target_id = any($1::uuid[]) and exists (
    select from outbox
    where organisation_id = line.organisation_id and target_id = line.target_id
        and due_at <= statement_timestamp() and lease_until <= statement_timestamp()
)
order by random() limit $2

-- A target, locked, as its sender sees it: whether and for how long it is closed, and how many tries are under way.
-- name: lock_target
select url, is_paused, disabled_reason, secret,
    case when previous_until > clock_timestamp() then previous_secret end as previous_secret, failures,
    case when closed_until > clock_timestamp()
        then extract(epoch from closed_until - clock_timestamp())::float8 else 0 end as closed_s,
    (select count(*) from outbox where organisation_id = $1 and target_id = $2
        and lease_until > '-infinity' and lease_until > statement_timestamp()) as under_way
from push_target where organisation_id = $1 and id = $2
for no key update

-- Take the deliveries that are the longest due, at most $3, for $4.
-- name: claim_deliveries
with picked as materialized (
    select delivery_id from outbox
    where organisation_id = $1 and target_id = $2
        and due_at <= statement_timestamp() and lease_until <= statement_timestamp()
    order by due_at limit $3
    for update skip locked
), claimed as (
    update outbox set claims = claims + 1, lease_until = clock_timestamp() + $4::interval
    where organisation_id = $1 and delivery_id = any(array(select delivery_id from picked))
    returning delivery_id, claims, rung
)
select id, claims, rung, kind, body from claimed join push_delivery on organisation_id = $1 and id = delivery_id

-- Write down how tries ended whose claims still hold: delivered, failed, or (queued) once more after a while.
-- name: record_tries
with mine as materialized (
    select told.* from unnest($2::uuid[], $3::integer[], $4::text[], $5::interval[], $6::integer[], $7::integer[],
        $8::text[], $9::text[]) as told (id, claims, state, again, ms, status, error, answer)
    join outbox on organisation_id = $1 and delivery_id = told.id and outbox.claims = told.claims
    order by told.id for update of outbox
), ended as (
    delete from outbox using mine where organisation_id = $1 and delivery_id = mine.id and mine.state <> 'queued'
), put_off as (
    update outbox set due_at = clock_timestamp() + mine.again, rung = rung + 1, lease_until = '-infinity'
    from mine where organisation_id = $1 and delivery_id = mine.id and mine.state = 'queued'
), written as (
    update push_delivery set state = mine.state, tries = tries + 1,
        ended_at = case when mine.state <> 'queued' then clock_timestamp() end
    from mine where organisation_id = $1 and push_delivery.id = mine.id
    returning mine.id, tries
)
insert into push_try (organisation_id, delivery_id, number, ms, status, error, answer)
select $1, id, tries, ms, status, error, answer from written join mine using (id)
returning delivery_id

-- The target took something. Once a second is enough to say so.
-- name: count_success
update push_target set failures = 0, failing_since = null, last_success_at = clock_timestamp()
where organisation_id = $1 and id = $2
    and (failures > 0 or last_success_at is null or last_success_at < clock_timestamp() - interval '1 second')

-- The target did not take $4 deliveries. It is left alone for $5 or, from the failure $6 in a row on, for $7; it is
-- disabled where it said so ($8), or has only failed for $9.
-- name: count_failures
update push_target set failures = failures + $4, failing_since = coalesce(failing_since, clock_timestamp()),
    closed_until = greatest(closed_until, clock_timestamp() + $5::interval,
        case when failures + $4 >= $6 then clock_timestamp() + $7::interval end),
    last_failure_at = clock_timestamp(), last_failure = $3,
    disabled_reason = coalesce(disabled_reason, $8,
        case when failing_since < clock_timestamp() - $9::interval then 'nothing was accepted for five days' end)
where organisation_id = $1 and id = $2
returning disabled_reason

-- Give claimed deliveries back, so that their leases need not run out first.
-- name: release_deliveries
update outbox set lease_until = '-infinity'
from unnest($2::uuid[], $3::integer[]) as mine (id, claims)
where organisation_id = $1 and delivery_id = mine.id and outbox.claims = mine.claims

-- Give up some of what waits for a target that nothing can be sent to.
-- name: give_up_deliveries
with given_up as (
    delete from outbox where organisation_id = $1 and delivery_id in (
        select delivery_id from outbox where organisation_id = $1 and target_id = $2 limit 500 for update skip locked
    ) returning delivery_id
)
update push_delivery set state = 'failed', ended_at = clock_timestamp()
from given_up where organisation_id = $1 and id = given_up.delivery_id

-- -- upkeep -------------------------------------------------------------------------------------------------------

-- One process at a time looks after old deliveries; held until the transaction ends.
-- name: try_upkeep_lock
select pg_try_advisory_xact_lock(7061629)

-- How much waits, and since when the oldest due delivery does.
-- name: outbox_gauges
select count(*) as depth,
    (extract(epoch from clock_timestamp() - min(due_at) filter (where due_at <= clock_timestamp())))::float8 as oldest_s
from outbox

-- Targets that more than $1 deliveries wait for.
-- name: find_long_lines
select organisation_id, target_id from outbox group by organisation_id, target_id having count(*) > $1

-- Disable a target for a reason.
-- name: disable_target
update push_target set disabled_reason = coalesce(disabled_reason, $3) where organisation_id = $1 and id = $2

-- Which organisations are there?
-- name: list_organisations
select id from organisation order by id

-- Delete some deliveries that were announced before $2 ago, with all that belongs to them.
-- name: delete_old_deliveries
with old as materialized (
    select id from (
        select id, created_at from push_delivery where organisation_id = $1 order by number limit 1000
    ) as oldest where created_at < clock_timestamp() - $2::interval
), waiting as (
    delete from outbox using old where organisation_id = $1 and delivery_id = old.id
), tries as (
    delete from push_try using old where organisation_id = $1 and delivery_id = old.id
)
delete from push_delivery using old where organisation_id = $1 and push_delivery.id = old.id
