-- Runs before the code that needs it. Reports of adaptive sessions.

create table adaptive_report (
    organisation_id integer not null,
    session_no bigint not null,                                 -- session.id
    report json not null,
    primary key (organisation_id, session_no)
);

alter table session
    add column report_by bigint not null default 0;             -- the job that last wrote the report
-- A report counts until the session is set anew, so these are the sessions that have one.
create index session_with_report on session (organisation_id, updated_at, id) where report_by > set_by;

alter table adaptive_report enable row level security;
alter table adaptive_report force row level security;
create policy tenant on adaptive_report
    using (organisation_id = nullif(current_setting('jobgate.organisation', true), '')::integer);
