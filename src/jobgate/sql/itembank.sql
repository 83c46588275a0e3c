-- The item bank: entries of three kinds with all their versions. The largest version of an entry is its current one.

-- Let nobody else set entries of this organisation until the transaction ends: versions are counted.
-- name: lock_bank
select pg_advisory_xact_lock(7061629, $1)

-- Add a version to every entry that says something new, the first one to an entry that was not there.
-- The current version of each, in order.
-- name: set_bank_entries
with wanted as materialized (
    select wanted.place, wanted.reference, wanted.body, coalesce(latest.version, 0) as version,
        latest.body::text is distinct from wanted.body::text as is_new
    from unnest($3::text[], $4::json[]) with ordinality as wanted (reference, body, place)
    left join lateral (
        select version, body from bank_entry
        where organisation_id = $1 and kind = $2 and reference = wanted.reference
        order by version desc limit 1
    ) as latest on true
), added as (
    insert into bank_entry (organisation_id, kind, reference, version, body, set_at)
    select $1, $2, reference, version + 1, body, clock_timestamp() from wanted where is_new order by place
)
select version + is_new::integer as version from wanted order by place

-- One page of entries, the newest first, before the one with id $3. Each in its current version, or in version $4 if it
-- has that. What weighs more than $6 bytes in all is left out: nobody could be told it.
-- name: page_bank_entries
with found as materialized (
    select entry.id, entry.reference, chosen.version, chosen.set_at, chosen.body
    from bank_entry as entry
    cross join lateral (
        select version, set_at, body from bank_entry
        where organisation_id = $1 and kind = $2 and reference = entry.reference and version = coalesce($4, version)
        order by version desc limit 1
    ) as chosen
    where entry.organisation_id = $1 and entry.kind = $2 and entry.version = 1 and entry.id < $3
    order by entry.id desc limit $5
), weighed as (
    select *, sum(octet_length(body::text)) over () <= $6 as fits from found
)
select id, reference, version, set_at, case when fits then body end as body, fits from weighed order by id desc

-- The same for some references ($7).
-- name: page_bank_entries_named
with named as materialized (
    select id, reference from bank_entry
    where organisation_id = $1 and kind = $2 and reference = any($7::text[]) and version = 1
), found as materialized (
    select named.id, named.reference, chosen.version, chosen.set_at, chosen.body
    from named
    cross join lateral (
        select version, set_at, body from bank_entry
        where organisation_id = $1 and kind = $2 and reference = named.reference and version = coalesce($4, version)
        order by version desc limit 1
    ) as chosen
    where named.id < $3
    order by named.id desc limit $5
), weighed as (
    select *, sum(octet_length(body::text)) over () <= $6 as fits from found
)
select id, reference, version, set_at, case when fits then body end as body, fits from weighed order by id desc

-- One page of the current questions of items ($2), item by item and in the order of each, after question $4 of item $3.
-- What weighs more than $6 bytes in all is left out.
-- name: page_questions_of_items
with found as materialized (
    select wanted.place as item_place, asked.place, wanted.reference as item_reference, question.reference,
        question.version, question.set_at, question.body
    from unnest($2::text[]) with ordinality as wanted (reference, place)
    cross join lateral (
        select body from bank_entry
        where organisation_id = $1 and kind = 'item' and reference = wanted.reference
        order by version desc limit 1
    ) as item
    cross join json_array_elements(item.body -> 'questions') with ordinality as asked (question, place)
    cross join lateral (
        select reference, version, set_at, body from bank_entry
        where organisation_id = $1 and kind = 'question' and reference = asked.question ->> 'reference'
        order by version desc limit 1
    ) as question
    where (wanted.place, asked.place) > ($3, $4)
    order by wanted.place, asked.place limit $5
), weighed as (
    select *, sum(octet_length(body::text)) over () <= $6 as fits from found
)
select item_place, place, item_reference, reference, version, set_at, case when fits then body end as body, fits
from weighed order by item_place, place

-- What items hand over to a session: the current version of each, or the one that is asked for ($3).
-- name: find_items_to_take
select wanted.reference, wanted.version as asked, chosen.version, chosen.body -> 'tags' as tags,
    chosen.body -> 'irt' as irt, chosen.body -> 'metadata' ->> 'scoring_type' as scoring_type
from unnest($2::text[], $3::integer[]) as wanted (reference, version)
cross join lateral (
    select version, body from bank_entry
    where organisation_id = $1 and kind = 'item' and reference = wanted.reference
        and version = coalesce(wanted.version, version)
    order by version desc limit 1
) as chosen
