-- Runs before the code that needs it. xAPI data: stores, and what is kept in them.

create table xapi_store (
    organisation_id integer not null,
    id integer not null generated always as identity,
    slug text not null,
    name text not null,
    status text not null default 'ready' check (status in ('ready', 'deleting')),
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, id),
    unique (organisation_id, slug)
);

-- Keys in a store begin with it, and name the organisation last: before there are statistics, two columns that all rows
-- have in common look to Postgres as good as an id, and it would walk any index that begins with both.

-- Statements, agents and activities are known by 16 bytes made from their identifiers, so that keys are short.
create table xapi_statement (
    organisation_id integer not null,
    store_id integer not null,
    id uuid not null,
    number bigint not null generated always as identity,        -- breaks ties of stored
    raw json not null,
    stored timestamptz not null,
    timestamp timestamptz,
    client text not null,                                       -- who brought it: a consumer, or a job's
    voided boolean not null default false,
    voiding boolean not null default false,                     -- it is one, and has an effect
    validated boolean not null,
    valid boolean,
    pseudonymized boolean not null default false,
    pseudonym_key text,                                         -- the id of the key that its pseudonyms were made with
    actor_id uuid,
    verb_id uuid,
    object_id uuid,
    type_id uuid,
    registration uuid,
    statement_ref uuid,                                         -- the statement that it is about
    targeting boolean not null default true,                    -- it is found by what that one is found by
    -- What it links to: by these its rows in the tables of links are found again.
    agent_ids uuid[] not null default '{}',
    activity_ids uuid[] not null default '{}',
    attachments text[] not null default '{}',                   -- the digests of those whose content is kept
    primary key (store_id, id, organisation_id)
);
create index xapi_statement_by_stored on xapi_statement (store_id, stored, number);
create index xapi_statement_by_verb on xapi_statement (store_id, verb_id, stored, number);
create index xapi_statement_by_registration on xapi_statement (store_id, registration, stored, number)
    where registration is not null;
create index xapi_statement_about on xapi_statement (store_id, statement_ref, stored, number)
    where statement_ref is not null;
create index xapi_statement_referring on xapi_statement (store_id, stored, number)
    where statement_ref is not null and targeting;
create index xapi_statement_unvalidated on xapi_statement (store_id, stored, number) where not validated;
create index xapi_statement_invalid on xapi_statement (store_id, stored, number) where not valid;
create index xapi_statement_original on xapi_statement (store_id, stored, number) where not pseudonymized;

-- Where an agent or an activity stands in statements: 0 as actor or object, or a member of these; 1 anywhere else;
-- 2 (agents only) in the authority and nowhere else.
create table xapi_statement_agent (
    organisation_id integer not null,
    store_id integer not null,
    agent_id uuid not null,
    stored timestamptz not null,
    number bigint not null,
    place smallint not null,
    primary key (store_id, agent_id, stored, number, organisation_id) include (place)
);
create table xapi_statement_activity (
    organisation_id integer not null,
    store_id integer not null,
    activity_id uuid not null,
    stored timestamptz not null,
    number bigint not null,
    place smallint not null,
    primary key (store_id, activity_id, stored, number, organisation_id) include (place)
);

create table xapi_attachment (
    organisation_id integer not null,
    store_id integer not null,
    sha2 text not null,
    content_type text not null,
    content bytea not null,
    stored timestamptz not null default clock_timestamp(),
    primary key (store_id, sha2, organisation_id)
);
create table xapi_statement_attachment (
    organisation_id integer not null,
    store_id integer not null,
    sha2 text not null,
    number bigint not null,
    primary key (store_id, sha2, number, organisation_id)
);

create table xapi_activity (
    organisation_id integer not null,
    store_id integer not null,
    id uuid not null,
    iri text not null,
    number bigint not null generated always as identity,        -- the order in which they became known
    definition json not null default '{}',
    type text,
    is_category boolean not null default false,
    is_profile boolean not null default false,
    stored timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (store_id, id, organisation_id)
) with (fillfactor = 85);
create index xapi_activity_by_number on xapi_activity (store_id, number);
create index xapi_activity_by_type on xapi_activity (store_id, type, number) where type is not null;
create index xapi_activity_by_stored on xapi_activity (store_id, stored, number);
create index xapi_activity_by_update on xapi_activity (store_id, updated, number);

create table xapi_person (
    organisation_id integer not null,
    store_id integer not null,
    id uuid not null default gen_random_uuid(),
    number bigint not null generated always as identity,
    created_at timestamptz not null default clock_timestamp(),
    primary key (store_id, id, organisation_id)
);
create index xapi_person_by_number on xapi_person (store_id, number);

create table xapi_agent (
    organisation_id integer not null,
    store_id integer not null,
    id uuid not null,
    number bigint not null generated always as identity,
    kind text not null check (kind in ('mbox', 'mbox_sha1sum', 'openid', 'account')),
    field_1 text not null,                                      -- the identifier; of an account its name,
    field_2 text,                                               -- and its homePage
    name text,
    is_group boolean not null default false,
    members json,
    pseudonymized boolean not null default false,
    person_id uuid,
    stored timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (store_id, id, organisation_id)
) with (fillfactor = 85);
create index xapi_agent_by_number on xapi_agent (store_id, number);
create index xapi_agent_by_stored on xapi_agent (store_id, stored, number);
create index xapi_agent_by_update on xapi_agent (store_id, updated, number);
create index xapi_agent_of_person on xapi_agent (store_id, person_id) where person_id is not null;

-- Verbs and types of activities.
create table xapi_term (
    organisation_id integer not null,
    store_id integer not null,
    kind text not null check (kind in ('verb', 'type')),
    id uuid not null,
    iri text not null,
    display json not null default '{}',
    stored timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (store_id, kind, id, organisation_id)
);

create table xapi_document (
    organisation_id integer not null,
    store_id integer not null,
    number bigint not null generated always as identity,
    kind text not null check (kind in ('states', 'activity-profiles', 'agent-profiles')),
    activity_iri text,                                          -- whose: states and activity profiles
    activity_id uuid,
    agent json,                                                 -- whose: states and agent profiles
    agent_id uuid,
    document_id text not null,                                  -- stateId or profileId
    registration uuid,
    content bytea not null,
    content_type text not null,
    pseudonymized boolean not null default false,
    stored timestamptz not null default clock_timestamp(),
    updated timestamptz not null default clock_timestamp(),
    primary key (store_id, number, organisation_id),
    unique nulls not distinct (store_id, kind, activity_id, agent_id, document_id, registration, organisation_id)
);
create index xapi_document_by_stored on xapi_document (store_id, kind, stored, number);
create index xapi_document_by_update on xapi_document (store_id, kind, updated, number);
create index xapi_document_of_agent on xapi_document (store_id, agent_id) where agent_id is not null;
create index xapi_document_of_activity on xapi_document (store_id, kind, activity_id, stored, number)
    where activity_id is not null;

create table xapi_connection (
    organisation_id integer not null,
    id uuid not null,
    number bigint not null generated always as identity,
    name text not null,
    kind text not null check (kind in ('lrs', 'file')),
    endpoint text,
    username text,
    password bytea,                                             -- wrapped by the outer key
    version text,                                               -- of xAPI, that an LRS is spoken to in
    folder text,
    prefix text,
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, id)
);
create index xapi_connection_by_number on xapi_connection (organisation_id, number);

create table xapi_client (
    organisation_id integer not null,
    id uuid not null,
    number bigint not null generated always as identity,
    slug text not null,
    name text not null,
    store_id integer not null,
    endpoint text not null,
    username text not null,
    password bytea not null,                                    -- wrapped by the outer key
    created_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, id),
    unique (organisation_id, slug)
);
create index xapi_client_by_number on xapi_client (organisation_id, number);
create index xapi_client_of_store on xapi_client (organisation_id, store_id);

create table xapi_token (
    organisation_id integer not null,
    store_id integer not null,
    id uuid not null default gen_random_uuid(),
    number bigint not null generated always as identity,
    digest bytea not null,                                      -- of the token: it is told once
    activity_iri text not null,
    agent json not null,
    agent_id uuid not null,
    origin text,
    created_at timestamptz not null default clock_timestamp(),
    primary key (store_id, id, organisation_id)
);
create index xapi_token_by_number on xapi_token (store_id, number);
create index xapi_token_by_time on xapi_token (store_id, created_at, number);
create index xapi_token_of_agent on xapi_token (store_id, agent_id);

-- What gateways and workers log about a store, or about none.
create table xapi_log (
    organisation_id integer not null,
    number bigint not null generated always as identity,
    store_id integer,
    type text not null check (type in ('exception', 'xapi', 'api', 'ui', 'console', 'auth', 'stream')),
    level smallint not null check (level between 0 and 7),      -- 0 debug ... 7 emergency: the other way round than syslog
    service text,
    api text,
    method text,
    description text not null,
    data json,
    stored timestamptz not null default clock_timestamp(),
    primary key (organisation_id, number)
);
create index xapi_log_by_store on xapi_log (organisation_id, store_id, stored, number);
create index xapi_log_by_stored on xapi_log (organisation_id, stored, number);

-- How far a saved job that goes on where its last run ended has come, service by service.
create table xapi_progress (
    organisation_id integer not null,
    definition_id uuid not null,
    service text not null,
    position json not null,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, definition_id, service)
);

-- Files of connections while they are written: by which job, and how many bytes of them count. What is behind that was
-- written by somebody who died before it was written down.
create table xapi_file (
    organisation_id integer not null,
    name text not null,
    job_id bigint not null,
    length bigint,
    primary key (organisation_id, name)
);

-- What pseudonyms are made with: one secret for an organisation, so that a person has the same one everywhere.
create table xapi_pseudonym_key (
    organisation_id integer not null,
    id text not null,
    secret bytea not null,                                      -- wrapped by the outer key
    created_at timestamptz not null default clock_timestamp(),
    primary key (organisation_id, id)
);

do $$
declare
    tenant text;
begin
    foreach tenant in array array['xapi_store', 'xapi_statement', 'xapi_statement_agent', 'xapi_statement_activity',
        'xapi_attachment', 'xapi_statement_attachment', 'xapi_activity', 'xapi_person', 'xapi_agent', 'xapi_term',
        'xapi_document', 'xapi_connection', 'xapi_client', 'xapi_token', 'xapi_log', 'xapi_progress', 'xapi_file',
        'xapi_pseudonym_key']
    loop
        execute format('alter table %I enable row level security', tenant);
        execute format('alter table %I force row level security', tenant);
        execute format('create policy tenant on %I using (organisation_id ='
            ' nullif(current_setting(''jobgate.organisation'', true), '''')::integer)', tenant);
    end loop;
end
$$;
