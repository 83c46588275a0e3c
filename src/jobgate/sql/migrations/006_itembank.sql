-- Runs before the code that needs it. The item bank: questions, items and activities, with every version that they had.

-- Rows are added, never changed: the current version is the one with the largest number.
create table bank_entry (
    organisation_id integer not null,
    kind text not null check (kind in ('question', 'item', 'activity')),
    reference text not null,
    version integer not null check (version > 0),
    id bigint not null generated always as identity,            -- that of its first version is an entry's place in lists
    body json not null,
    set_at timestamptz not null,
    primary key (organisation_id, kind, reference, version)
);
create index bank_entry_by_age on bank_entry (organisation_id, kind, id) where version = 1;

alter table session
    add column activity_version integer;                        -- of the item bank, where the activity is there

alter table bank_entry enable row level security;
alter table bank_entry force row level security;
create policy tenant on bank_entry
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
