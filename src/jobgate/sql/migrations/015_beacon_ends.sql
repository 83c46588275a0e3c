-- Runs before the code that needs it. Beacon jobs that have ended are deleted one day; runs that have not are found at once.

-- Jobs that have ended, for those who look across organisations: it says when and how, not what.
create table beacon_ended (
    state text not null check (state in ('completed', 'halted')),
    end_time timestamptz not null,
    organisation_id integer not null,
    job_id uuid not null,
    primary key (state, end_time, organisation_id, job_id)
);

-- It follows the job by itself: no statement can forget it.
create function list_ended_beacon_job() returns trigger language plpgsql as $$
begin
    if old.end_time is not null then
        delete from beacon_ended where state = beacon_job_status(old) and end_time = old.end_time
            and organisation_id = old.organisation_id and job_id = old.id;
    end if;
    if new.end_time is not null then
        insert into beacon_ended values (beacon_job_status(new), new.end_time, new.organisation_id, new.id);
    end if;
    return null;
end
$$;
create trigger list_ended after delete or update of end_time on beacon_job
    for each row execute function list_ended_beacon_job();

-- Those that ended before; the owner of the table is behind its wall too.
alter table beacon_job no force row level security;
insert into beacon_ended
select beacon_job_status(beacon_job), end_time, organisation_id, id from beacon_job where end_time is not null;
alter table beacon_job force row level security;

-- Only the runs that have not ended are looked for; those that have are many.
create index beacon_job_open_run on beacon_job (organisation_id, scheduled_id) where scheduled_id is not null and end_time is null;
drop index beacon_job_of_schedule;
