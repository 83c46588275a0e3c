-- Runs before the code that needs it. Scores that people give.

alter table response
    add column manual_by bigint not null default 0;             -- the job that last wrote the manual scores
