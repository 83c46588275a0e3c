-- Runs before the code that needs it. Jobs that wait for other jobs, and what scoring keeps of a session.

alter table job add column after uuid;                          -- the job that must have ended; `run_at` is infinity till then
create index job_after on job (after) where after is not null;

alter table session
    add column is_adaptive boolean not null default false,      -- an item carries its IRT parameters
    add column custom_state json,                               -- of an adaptive engine outside
    add column scores_by bigint not null default 0;             -- the job that last wrote the scores
alter table response
    add column question_version integer,                        -- of the item bank, where the question came from there
    add column score_error text;                                -- why it could not be marked
